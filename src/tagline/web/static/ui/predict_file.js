// The tab "Label a file": a CSV file in, the same file with predictions out.

const MOST_COUNTED = 1000;

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
    const { rows, counts } = await countPredictions(labelled, state.about.task === "multilabel");
    if (signal.aborted) return;
    if (rows === 0) throw new Error(`${file.name} has no rows below its first line, which names the columns.`);
    address = URL.createObjectURL(labelled);
    const leftOut = labelled.leftOut ? `, ${count(labelled.leftOut, "unreadable row")} left out` : "";
    byId("labelled-heading").textContent = `${file.name}: ${count(rows, "row")} labelled${leftOut}`;
    byId("download").href = address;
    byId("download").download = `${file.name.replace(/\.[^.]*$/, "")}-labelled.csv`;
    const ranked = [...counts].sort((a, b) => b[1] - a[1]).slice(0, MOST_COUNTED);
    const shares = ranked.map(([name, n]) => [
      shown(name),
      number(n),
      element("span", {}, percent(n / rows), bar(n / rows, "part")),
    ]);
    const columns = [{ name: "class", start: true }, { name: "rows" }, { name: "share" }];
    const listed = table("Predictions by class", columns, shares, { className: "narrow" });
    byId("counts").replaceChildren(scrolling(listed, "Counts by class", true));
    byId("labelled").hidden = false;
    byId("file-status").textContent = `${count(rows, "row")} labelled${leftOut}. The file can be downloaded.`;
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

/** Counts the predictions of a labelled file; where a text may have `several`, its labels are written as JSON. */
async function countPredictions(labelled, several) {
  const counts = new Map();
  let column = -1;
  let rows = -1;
  await readRecords(labelled, (record) => {
    rows++;
    if (rows === 0) {
      column = record.map((name) => /^prediction(_\d+)?$/.test(name)).lastIndexOf(true);
      return;
    }
    const given = several ? JSON.parse(record[column]) : [record[column]];
    for (const name of given) counts.set(name, (counts.get(name) ?? 0) + 1);
  });
  return { rows: Math.max(0, rows), counts };
}
