"use strict";
// Reads and writes CSV by the rules of `tagline.data.formats.delimited` and `tagline.data.columns`: every cell is a
// string, and every row is kept, with a reason if it cannot be read.

const MOST_UNREADABLE = 0.5; // the share of rows; more of them mean that the file is written in another way
const MIN_TEXT_CHARS = 15; // mean length from which a column without a known name is a text
const MIN_TEXT_DISTINCT = 0.5; // … if this share of its values is distinct
const SAMPLE_ROWS = 1000;
const FIRST_ROWS = 10_000; // in which the text column is found
const DECIMALS = 4; // of a probability

/**
 * The columns of a CSV file, its separator, its rows, {line, cells, reason}: a row with a reason cannot be read, and the
 * line on which the table begins if a title or comments stand above it.
 */
function readCsv(text, { headerNames }) {
  if (text.trim() === "") throw new Error("The file is empty: it has no rows.");
  const beginning = text.slice(0, SAMPLE_CHARS);
  // Old spreadsheets end lines with bare carriage returns.
  if (beginning.includes("\r") && !beginning.includes("\n")) text = text.replaceAll("\r", "\n");
  text = text.replace(/(^|\n)\ufeff+/g, "$1"); // files that were joined have several byte order marks
  const { grammar, columns, header, formulas, start, line, tableLine } = sniffDialect(text, headerNames);
  const rows = [];
  const unreadable = [];
  let nRepeated = 0;
  for (const record of readRecords(text, grammar, { start, line, width: columns.length })) {
    if (record.reason === null && header.length > 1 && repeats(record.cells, header)) {
      record.reason = "the row repeats the header";
      nRepeated++;
    } else if (record.reason !== null) unreadable.push(record);
    for (const i of formulas) {
      if (record.cells !== null && record.cells[i] !== null) record.cells[i] = withoutFormula(record.cells[i]);
    }
    rows.push({ line: record.line, cells: record.cells, reason: record.reason });
  }
  const nRows = rows.length - nRepeated;
  if (unreadable.length > MOST_UNREADABLE * nRows) {
    const [n, of] = [unreadable.length, nRows].map((number) => number.toLocaleString("en"));
    const [first] = unreadable;
    const why = `the first is line ${first.line}: ${first.reason}`;
    throw new Error(`${n} of ${of} rows cannot be read (more than 50 %); ${why}.`);
  }
  return { columns, rows, separator: grammar.separator, tableLine };
}

function isTextLike(values) {
  const step = Math.max(1, Math.floor(values.length / SAMPLE_ROWS));
  const sample = values.filter((_, i) => i % step === 0);
  if (sample.length === 0) return false;
  const mean = sample.reduce((sum, value) => sum + [...value].length, 0) / sample.length;
  return mean >= MIN_TEXT_CHARS && new Set(sample).size / sample.length >= MIN_TEXT_DISTINCT;
}

/** An error that a choice among the columns of the file solves. */
function columnError(message, columns) {
  return Object.assign(new Error(message), { columns });
}

/**
 * The indices of the text columns: those `named`, or that the model was trained on; else one of a known name, or the
 * only texts. A single column may have another name than in training; several must all be there.
 */
function findTexts({ columns, rows }, { textColumns, textNames }, named = []) {
  const wanted = named.length > 0 || textColumns.length > 1 || columns.includes(textColumns[0]);
  if (wanted) {
    return (named.length > 0 ? named : textColumns).map((name) => {
      const index = columns.indexOf(name);
      if (index < 0) throw columnError(`The file has no column “${name}”, which the model reads.`, columns);
      return index;
    });
  }
  const lowered = columns.map((name) => name.normalize("NFC").trim().toLowerCase());
  const known = textNames.find((name) => lowered.includes(name));
  if (known !== undefined) return [lowered.indexOf(known)];
  const first = rows.slice(0, FIRST_ROWS).filter(({ cells }) => cells !== null);
  const every = columns.map((_, i) => i);
  const valuesOf = (i) => first.map(({ cells }) => cells[i]).filter((value) => value !== null);
  const candidates = every.length === 1 ? every : every.filter((i) => isTextLike(valuesOf(i)));
  if (candidates.length === 1) return candidates;
  throw columnError("The text column is not clear: choose it.", columns);
}

/** Names of added columns, with a number if the file has a column of that name. */
function freeNames(wanted, taken) {
  const used = new Set(taken);
  return wanted.map((name) => {
    let free = name;
    for (let number = 2; used.has(free); number++) free = `${name}_${number}`;
    used.add(free);
    return free;
  });
}

/** The names of the columns that follow those of a file. */
function addedColumns(task, { setThreshold }) {
  if (task === "multilabel") return ["prediction", "reason"];
  return ["prediction", "probability", ...(setThreshold === null ? [] : ["prediction_set"]), "reason"];
}

const listCell = (names) => `[${names.map((name) => JSON.stringify(name)).join(", ")}]`;

/** The cells of these columns for what `classify` gives, in the form of `tagline predict`: lists as JSON. */
function predictedCells({ prediction, probability, probabilities }, classes, { unsureBelow, setThreshold }) {
  if (probability === null) return [listCell(prediction), null];
  const isUnsure = probability < unsureBelow;
  const rounded = Number(probability.toFixed(DECIMALS));
  const cells = [isUnsure ? null : prediction, Number.isInteger(rounded) ? rounded.toFixed(1) : String(rounded)];
  if (setThreshold !== null) cells.push(listCell(predictionSet({ prediction, probabilities }, classes, setThreshold)));
  return [...cells, isUnsure ? "unsure" : null];
}

/** The cells of a row with those of its prediction, and of the reason why it has none; a cell without a value is null. */
function labelledRow({ cells, reason }, { columns, texts, added, predict }) {
  const nothing = (n) => new Array(n).fill(null);
  if (reason !== null) return [...(cells ?? nothing(columns.length)), ...nothing(added.length - 1), reason];
  const text = texts.map((column) => cells[column]).join("\n");
  if (/^\p{White_Space}*$/u.test(text)) return [...cells, ...nothing(added.length - 1), "the text is empty"];
  return [...cells, ...predict(text)];
}

/** A line of CSV; an empty string is quoted, which distinguishes it from a missing value. */
function csvLine(cells, separator) {
  const quote = (cell) => {
    if (cell === null) return "";
    const plain = cell !== "" && !/["\r\n]/.test(cell) && !cell.includes(separator);
    return plain ? cell : `"${cell.replaceAll('"', '""')}"`;
  };
  return `${cells.map(quote).join(separator)}\n`;
}
