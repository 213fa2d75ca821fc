// The tab "Label a file": a CSV file in, the same file with predictions out.

const MOST_COUNTED = 1000;
const LEAST_SURE = 50;
const LEAST_SURE_SHOWN = 5; // before all of them are asked for
const SURE = 0.6; // the probability below which predictions are counted
const LONGEST_SHOWN = 100; // characters of a text
const EMPTY = "the text is empty";

function fileTab(state, choice, onKeyAsked) {
  const input = byId("file");
  const zone = byId("drop");
  let working = null;
  let address = null;
  let last = null; // the file that was given last, and how it was labelled
  let offered = null; // the labelled file

  /** Gives up the file at work and takes away what was labelled: both are of the model that was chosen then. */
  function reset() {
    working?.abort();
    byId("working").hidden = true;
    takeBack();
    offered = null;
    byId("labelled").hidden = true;
    byId("columns").hidden = true;
    tell(byId("file-problem"), null);
  }

  /** Takes back the address of the download. */
  function takeBack() {
    if (address) URL.revokeObjectURL(address);
    address = null;
    byId("download").removeAttribute("href");
  }

  /** Gives the download its address, as soon as formulas are escaped if the user wants that. */
  async function offer() {
    takeBack();
    const { checked } = byId("escape-formulas");
    const labelled = offered;
    const file = checked ? await escapeFormulas(labelled, labelled.separator) : labelled;
    if (offered !== labelled || byId("escape-formulas").checked !== checked) return;
    address = URL.createObjectURL(file);
    byId("download").href = address;
  }

  byId("escape-formulas").addEventListener("change", offer);

  /** Labels a file; `text` are the columns that are read, without any they are found. */
  async function label(file, text = []) {
    if (state.about === null) return;
    reset();
    const decisions = decisionsWanted();
    last = { file, text, decisions };
    working = new AbortController();
    const { signal } = working;
    const onProgress = (done, total) => {
      if (!signal.aborted) showProgress(file, done, total);
    };
    showProgress(file, 0, null);
    byId("working").hidden = false;
    byId("file-status").textContent = `${file.name} is being labelled.`;
    try {
      const labelled = await window.taglineBackend.label(state.model, file, { text, ...decisions, onProgress, signal });
      if (signal.aborted) return;
      await showLabelled(file, labelled, decisions, signal);
    } catch (error) {
      if (signal.aborted) return;
      byId("file-status").textContent = "";
      if (onKeyAsked(error, () => label(file, text))) return;
      tell(byId("file-problem"), error);
      if (error.columns) showColumns(error.columns, null);
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

  /** Lets the user choose the text column of the file; `chosen` are the names of those that were read, or null. */
  function showColumns(columns, chosen) {
    const trained = state.about.text_columns;
    const several = trained.length > 1 && trained.every((name) => columns.includes(name)) ? [trained] : [];
    const options = [...several, ...columns.map((name) => [name])].map((names) => {
      const isChosen = JSON.stringify(names) === JSON.stringify(chosen);
      const attributes = { value: JSON.stringify(names), selected: isChosen ? "" : null };
      return element("option", attributes, names.map(shown).join(" + "));
    });
    if (!chosen?.length) options.unshift(element("option", { value: "" }, "choose a column"));
    byId("text-column").replaceChildren(...options);
    byId("columns").hidden = false;
  }

  byId("text-column").addEventListener("change", async (event) => {
    const { value } = event.target;
    if (value === "") return;
    await label(last.file, JSON.parse(value));
    if (!byId("columns").hidden) byId("text-column").focus();
  });

  function decisionsWanted() {
    const sets = byId("sets").checked ? usualSets(state.about) : null;
    return { ...choice.options(), sets: sets?.coverage ?? null };
  }

  /** Labels the same file again if other decisions are wanted now; a tab that is hidden waits until it is shown. */
  function again() {
    if (byId("panel-file").hidden || (offered === null && byId("working").hidden)) return;
    if (JSON.stringify(decisionsWanted()) !== JSON.stringify(last.decisions)) label(last.file, last.text);
  }

  byId("sets").addEventListener("change", again);

  async function showLabelled(file, labelled, { sets }, signal) {
    const several = state.about.task === "multilabel";
    const nAdded = several ? 2 : sets === null ? 3 : 4; // prediction, probability, prediction_set, reason
    const summary = await summarize(labelled, { several, nAdded });
    if (signal.aborted) return;
    const { rows, empty, unreadable, unsure, counts, columns } = summary;
    if (rows === 0) throw new Error(`${file.name} has no rows below its first line, which names the columns.`);
    offered = labelled;
    await offer();
    if (signal.aborted) return;
    const predicted = rows - empty - unreadable - unsure;
    const heading = `${predicted === rows ? "" : `${number(predicted)} of `}${count(rows, "row")} labelled`;
    byId("labelled-heading").textContent = `${file.name}: ${heading}`;
    showColumns(columns, labelled.textColumns.map((column) => columns[column]));
    const notes = fileNotes(summary, labelled);
    byId("file-notes").replaceChildren(...notes.map((note) => element("li", {}, note)));
    byId("file-notes").hidden = notes.length === 0;
    const [suffix] = /\.(tsv|tab)$/i.exec(file.name) ?? [".csv"];
    byId("download").download = `${file.name.replace(/\.[^.]*$/, "")}-labelled${suffix}`;
    const ranked = [...counts].sort((a, b) => b[1] - a[1]).slice(0, MOST_COUNTED);
    const shares = ranked.map(([name, n]) => [
      shown(name),
      number(n),
      element("span", {}, percent(n / predicted), bar(n / predicted, "part")),
    ]);
    const noun = nounOf(state.about);
    const heads = [{ name: noun.one, start: true }, { name: "rows" }, { name: "share" }];
    const make = (listed) => table(`Predictions by ${noun.one}`, heads, listed, { className: "narrow" });
    const all = `all ${count(shares.length, noun.one, noun.many)}`;
    byId("counts").replaceChildren(...(shares.length ? expandable(shares, make, `Counts by ${noun.one}`, all) : []));
    showLeastSure(summary, predicted);
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

  return {
    /** Another choice was made, or the tab is shown. */
    decide: again,
    /** Starts again with another model. */
    begin() {
      reset();
      const sets = usualSets(state.about);
      byId("sets-row").hidden = sets === null;
      if (sets !== null) {
        const words = `Add prediction sets: the classes that contain the true one in ${limit(sets.coverage)} of texts`;
        byId("sets-label").textContent = words;
      }
      const trained = state.about.text_columns;
      const names = trained.flatMap((name, i) => [i ? " and " : "", element("code", {}, shown(name))]);
      const found = ["A column of texts is found, and another can be chosen."];
      const same = [`The text is read from the column${trained.length > 1 ? "s" : ""} `, ...names, ", as in training, "];
      const after = trained.length > 1 ? "and a single column can be chosen." : "or from another that can be chosen.";
      byId("read-from").replaceChildren(...(trained.length ? [...same, after] : found));
      byId("with-probability").hidden = state.about.task === "multilabel";
    },
  };
}

/** The predictions that a person should look at first: the least sure ones, or texts without a label. */
function showLeastSure({ leastSure, low, unsure, rows, several }, predicted) {
  const n = number(leastSure.length);
  const label = several ? "Texts without a label" : "Least sure predictions";
  const all = several ? `${n} texts without a label` : `the ${n} least sure`;
  const below = `below ${limit(SURE)}`;
  const are = low === 1 ? "1 prediction is" : `${number(low)} of ${number(predicted)} predictions are`;
  const answered = low ? `${are} ${below}.` : `No prediction is ${below}.`;
  const sure = unsure ? `${number(unsure)} of ${count(rows, "text is", "texts are")} “${UNSURE}”.` : answered;
  const caption = several ? `${count(low, "text has", "texts have")} no label.` : `${label}. ${sure}`;
  const make = (listed) => leastSureTable(listed, caption, several);
  const found = expandable(leastSure, make, label, all, LEAST_SURE_SHOWN);
  byId("least-sure").replaceChildren(...(leastSure.length ? found : []));
}

/** What a person should know of a labelled file, in sentences. */
function fileNotes({ empty, unreadable, unsure }, { encoding, tableLine }) {
  const are = (n, one, many) => `${count(n, one, many)} and ${n === 1 ? "has" : "have"} no prediction.`;
  return [
    encoding ? `The file is not UTF-8: it was read as ${encoding}.` : null,
    tableLine ? `The table begins in line ${number(tableLine)}: what stands above it was not read.` : null,
    empty ? are(empty, "text is empty", "texts are empty") : null,
    unreadable ? are(unreadable, "row cannot be read", "rows cannot be read") : null,
    unsure ? `The model is unsure of ${count(unsure, "text, which has", "texts, which have")} no prediction.` : null,
  ].filter((note) => note !== null);
}

function leastSureTable(rows, caption, several) {
  const sureness = several ? [] : [{ name: "prediction", start: true }, { name: "probability" }];
  const columns = [{ name: "text", start: true }, ...sureness, { name: "line" }];
  const lines = rows.map(({ line, text, prediction, probability }) => {
    const characters = [...text];
    const cut = characters.length > LONGEST_SHOWN ? `${characters.slice(0, LONGEST_SHOWN).join("").trimEnd()}…` : text;
    const judged = several ? [] : [prediction === null ? element("i", {}, UNSURE) : shown(prediction), percent(probability)];
    return [shown(cut.replace(/\s+/g, " ")), ...judged, number(line)];
  });
  return table(caption, columns, lines);
}

/**
 * Counts the rows of a labelled file by prediction, and finds the least sure ones; where a text may have `several`
 * labels, they are written as JSON and have no probability, and the least sure ones are those without a label.
 * `nAdded` columns follow those of the file that was labelled. Texts of which the model is unsure have no prediction,
 * and are among the least sure ones; `low` counts predictions of a low probability, or texts without a label.
 */
async function summarize(labelled, { several, nAdded }) {
  const counts = new Map();
  const leastSure = [];
  const summary = { rows: -1, empty: 0, unreadable: 0, unsure: 0, low: 0, columns: [], counts, leastSure, several };
  let above = 0; // lines that the file has above its first row, and the labelled file lacks
  await readRecords(labelled, labelled.separator, (record, labelledLine) => {
    summary.rows++;
    if (summary.rows === 1 && labelled.firstLine) above = labelled.firstLine - labelledLine;
    const line = labelledLine + above;
    if (summary.rows === 0) {
      summary.columns = record.slice(0, -nAdded);
      return;
    }
    const [prediction, probability] = record.slice(-nAdded);
    const reason = record.at(-1);
    const isUnsure = reason === UNSURE;
    if (isUnsure) summary.unsure++;
    else if (reason !== "") {
      summary[reason === EMPTY ? "empty" : "unreadable"]++;
      return;
    }
    const names = isUnsure ? [] : several ? JSON.parse(prediction) : [prediction];
    for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
    const sureness = several ? names.length : Number(probability);
    const found = { line, text: "", prediction: isUnsure ? null : prediction, probability: sureness };
    if (!isUnsure && sureness < (several ? 1 : SURE)) summary.low++;
    else if (several) return;
    if (leastSure.length === LEAST_SURE && found.probability >= leastSure.at(-1).probability) return;
    found.text = labelled.textColumns.map((column) => record[column]).join(" ");
    leastSure.push(found);
    leastSure.sort((a, b) => a.probability - b.probability || a.line - b.line).splice(LEAST_SURE);
  });
  summary.rows = Math.max(0, summary.rows);
  return summary;
}
