"use strict";
// The backend of the user interface inside the page: it sends no requests.

const LONGEST_SLICE_MS = 12; // a slice of work must fit between two frames
const LARGEST_FILE = 256 * 2 ** 20;

const element = (id) => document.getElementById(id);
const about = JSON.parse(element("tagline-about").textContent);

/** Decodes base64 with `atob`, in parts, because its result takes a character for each byte. */
function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let end = 0;
  for (let start = 0; start < text.length; start += 1 << 18) {
    const part = atob(text.slice(start, start + (1 << 18)));
    for (let i = 0; i < part.length; i++) bytes[end++] = part.charCodeAt(i);
  }
  return bytes.subarray(0, end);
}

async function open() {
  if (typeof DecompressionStream === "undefined") {
    throw new Error("This browser is too old for this page: use a browser of 2023 or later.");
  }
  const holder = element("tagline-model");
  const packed = fromBase64(holder.textContent.trim());
  holder.remove(); // megabytes that are not needed any more
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return taglineModel.openModel(new Uint8Array(await new Response(unpacked).arrayBuffer()));
}

const opened = open();

/** Lets the page render and handle events. */
function yieldToPage() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

async function readFile(file) {
  if (file.size > LARGEST_FILE) throw new Error("The file is larger than 256 MB: use `tagline predict --input` for it.");
  return decodeFile(new Uint8Array(await file.arrayBuffer()));
}

/**
 * Gives the labelled file, a Blob with facts: the `encoding` if it was not Unicode, `separator`, `textColumns`, the line
 * of the first row, and `tableLine`, where the table begins if lines above it were not read. The columns `text` hold the
 * texts; without any they are found. `abstain`, `unsureBelow` and `sets` are options of `tagline predict`.
 */
async function label(_, file, options = {}) {
  const { text: named = [], onProgress, signal } = options;
  const model = await opened;
  const { text, marked, encoding } = await readFile(file);
  const expected = [...about.csv.textColumns, ...named].map((name) => name.toLowerCase());
  const headerNames = [...about.csv.headerNames, ...expected];
  const { columns, rows, separator, tableLine } = readCsv(text, { headerNames });
  const textColumns = findTexts({ columns, rows }, about.csv, named);
  const decisions = decisionsOf(options, about.guarantees);
  const predict = (given) => predictedCells(taglineModel.classify(given, model), model.classes, decisions);
  const added = addedColumns(model.task, decisions);
  const parts = [marked || encoding !== null ? "\ufeff" : "", csvLine([...columns, ...freeNames(added, columns)], separator)];
  let sliceEnd = performance.now() + LONGEST_SLICE_MS;
  for (let i = 0; i < rows.length; i++) {
    parts.push(csvLine(labelledRow(rows[i], { columns, texts: textColumns, added, predict }), separator));
    if (performance.now() > sliceEnd) {
      if (onProgress) onProgress(i + 1, rows.length);
      await yieldToPage();
      if (signal) signal.throwIfAborted();
      sliceEnd = performance.now() + LONGEST_SLICE_MS;
    }
  }
  if (onProgress) onProgress(rows.length, rows.length);
  const facts = { encoding, separator, textColumns, firstLine: rows[0]?.line, tableLine };
  return Object.assign(new Blob(parts, { type: "text/csv;charset=utf-8" }), facts);
}

window.taglineBackend = {
  models: async () => [{ name: about.name, title: about.title }],
  about: async () => about,
  explain: async (_, text, className, signal) => {
    const model = await opened;
    if (signal) signal.throwIfAborted();
    return taglineModel.explain(text, className, model);
  },
  label,
};
