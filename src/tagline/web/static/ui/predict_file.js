// The tab "Label a file": a CSV file in, the same file with predictions out.

const MOST_COUNTED = 1000;
const LEAST_SURE = 5;
const LONGEST_SHOWN = 100; // characters of a text
const EMPTY = "the text is empty";

function fileTab(state, onKeyAsked) {
  const input = byId("file");
  const zone = byId("drop");
  let working = null;
  let address = null;
  let last = null;

  /** Gives up the file at work and takes away what was labelled: both are of the model that was chosen then. */
  function reset() {
    working?.abort();
    byId("working").hidden = true;
    if (address) URL.revokeObjectURL(address);
    address = null;
    byId("labelled").hidden = true;
    tell(byId("file-problem"), null);
  }

  async function label(file) {
    if (state.about === null) return;
    reset();
    last = file;
    working = new AbortController();
    const { signal } = working;
    const onProgress = (done, total) => {
      if (!signal.aborted) showProgress(file, done, total);
    };
    showProgress(file, 0, null);
    byId("working").hidden = false;
    byId("file-status").textContent = `${file.name} is being labelled.`;
    try {
      const labelled = await window.taglineBackend.label(state.model, file, { onProgress, signal });
      if (signal.aborted) return;
      await showLabelled(file, labelled, signal);
    } catch (error) {
      if (signal.aborted) return;
      byId("file-status").textContent = "";
      if (!onKeyAsked(error, () => label(last))) tell(byId("file-problem"), error);
    } finally {
      if (!signal.aborted) byId("working").hidden = true;
    }
  }

  function showProgress(file, done, total) {
    const progress = byId("progress");
    if (total) {
      progress.max = total;
      progress.value = done;
    } else progress.removeAttribute("value");
    const of = total ? ` of ${number(total)}` : "";
    byId("progress-label").textContent = `${file.name}: ${done || total ? `${number(done)}${of} rows` : "reading"}`;
  }

  async function showLabelled(file, labelled, signal) {
    const summary = await summarize(labelled, state.about.task === "multilabel");
    if (signal.aborted) return;
    const { rows, empty, unreadable, counts, leastSure } = summary;
    if (rows === 0) throw new Error(`${file.name} has no rows below its first line, which names the columns.`);
    address = URL.createObjectURL(labelled);
    const predicted = rows - empty - unreadable;
    const heading = `${predicted === rows ? "" : `${number(predicted)} of `}${count(rows, "row")} labelled`;
    byId("labelled-heading").textContent = `${file.name}: ${heading}`;
    const notes = fileNotes(summary, labelled.encoding);
    byId("file-notes").replaceChildren(...notes.map((note) => element("li", {}, note)));
    byId("file-notes").hidden = notes.length === 0;
    byId("download").href = address;
    const [suffix] = /\.(tsv|tab)$/i.exec(file.name) ?? [".csv"];
    byId("download").download = `${file.name.replace(/\.[^.]*$/, "")}-labelled${suffix}`;
    const ranked = [...counts].sort((a, b) => b[1] - a[1]).slice(0, MOST_COUNTED);
    const shares = ranked.map(([name, n]) => [
      shown(name),
      number(n),
      element("span", {}, percent(n / predicted), bar(n / predicted, "part")),
    ]);
    const columns = [{ name: "class", start: true }, { name: "rows" }, { name: "share" }];
    const listed = table("Predictions by class", columns, shares, { className: "narrow" });
    byId("counts").replaceChildren(...(shares.length ? [scrolling(listed, "Counts by class", true)] : []));
    const unsure = leastSure.length ? [scrolling(leastSureTable(leastSure), "Least sure predictions")] : [];
    byId("least-sure").replaceChildren(...unsure);
    byId("labelled").hidden = false;
    byId("file-status").textContent = [`${heading}.`, ...notes, "The file can be downloaded."].join(" ");
  }

  byId("cancel").addEventListener("click", () => {
    working?.abort();
    byId("working").hidden = true;
    byId("file-status").textContent = "Cancelled.";
    byId("choose").focus();
  });
  byId("choose").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    const [file] = input.files;
    if (file) label(file);
    input.value = ""; // the same file may be chosen again
  });
  for (const name of ["dragenter", "dragover"]) {
    zone.addEventListener(name, () => zone.classList.add("over"));
  }
  for (const name of ["dragleave", "drop"]) {
    zone.addEventListener(name, () => zone.classList.remove("over"));
  }
  zone.addEventListener("drop", (event) => {
    const [file] = event.dataTransfer.files;
    if (file) label(file);
  });
  // A file dropped beside the zone must not replace the page.
  for (const name of ["dragover", "drop"]) {
    document.addEventListener(name, (event) => {
      if (event.dataTransfer.types.includes("Files")) event.preventDefault();
    });
  }

  return { reset };
}

/** What a person should know of a labelled file, in sentences. */
function fileNotes({ empty, unreadable }, encoding) {
  const are = (n, one, many) => `${count(n, one, many)} and ${n === 1 ? "has" : "have"} no prediction.`;
  return [
    encoding ? `The file is not UTF-8: it was read as ${encoding}.` : null,
    empty ? are(empty, "text is empty", "texts are empty") : null,
    unreadable ? are(unreadable, "row cannot be read", "rows cannot be read") : null,
  ].filter((note) => note !== null);
}

function leastSureTable(rows) {
  const numbers = [{ name: "probability" }, { name: "row" }];
  const columns = [{ name: "text", start: true }, { name: "prediction", start: true }, ...numbers];
  const lines = rows.map(({ row, text, prediction, probability }) => {
    const characters = [...text];
    const cut = characters.length > LONGEST_SHOWN ? `${characters.slice(0, LONGEST_SHOWN).join("").trimEnd()}…` : text;
    return [shown(cut.replace(/\s+/g, " ")), shown(prediction), percent(probability), number(row)];
  });
  return table("Least sure predictions", columns, lines);
}

/**
 * Counts the rows of a labelled file by prediction, and finds the least sure ones; where a text may have `several`
 * labels, they are written as JSON and have no probability.
 */
async function summarize(labelled, several) {
  const counts = new Map();
  const summary = { rows: -1, empty: 0, unreadable: 0, counts, leastSure: [] };
  await readRecords(labelled, labelled.separator, (record) => {
    summary.rows++;
    if (summary.rows === 0) return;
    const [prediction, probability, reason] = several ? [record.at(-2), null, record.at(-1)] : record.slice(-3);
    if (reason !== "") {
      summary[reason === EMPTY ? "empty" : "unreadable"]++;
      return;
    }
    for (const name of several ? JSON.parse(prediction) : [prediction]) counts.set(name, (counts.get(name) ?? 0) + 1);
    if (several) return;
    const text = labelled.textColumns.map((column) => record[column]).join(" ");
    const { leastSure } = summary;
    leastSure.push({ row: summary.rows, text, prediction, probability: Number(probability) });
    leastSure.sort((a, b) => a.probability - b.probability || a.row - b.row).splice(LEAST_SURE);
  });
  summary.rows = Math.max(0, summary.rows);
  return summary;
}
