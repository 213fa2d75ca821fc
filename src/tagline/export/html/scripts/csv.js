"use strict";
// Reads and writes CSV by the rules of `tagline.data.formats.delimited` and `tagline.data.columns`: RFC 4180, the
// separator is detected in the first line, every cell is a string. Rows that Python would reject are errors here.

const SEPARATORS = [",", "\t", ";", "|"];
const LONGEST_NAME = 60; // of a column, in characters: a longer cell is a text
const MIN_TEXT_CHARS = 15; // mean length from which a column without a known name is a text
const MIN_TEXT_DISTINCT = 0.5; // … if this share of its values is distinct
const SAMPLE_ROWS = 1000;

/** Reads one record at `position`; `reason` is set if it cannot be read. */
function readRecord(text, position, separator, quoted) {
  const cells = [];
  let anyQuoted = false;
  for (;;) {
    if (quoted && text[position] === '"') {
      anyQuoted = true;
      let cell = "";
      let from = position + 1;
      for (;;) {
        const end = text.indexOf('"', from);
        if (end < 0) return { cells, end: text.length, anyQuoted, reason: "a quote is opened and never closed" };
        cell += text.slice(from, end);
        position = end + 1;
        if (text[position] !== '"') break;
        cell += '"';
        from = position + 1;
      }
      cells.push(cell);
      if (text[position] === separator) {
        position++;
        continue;
      }
      if (text[position] === "\r" && (position + 1 === text.length || text[position + 1] === "\n")) position++;
      if (position === text.length || text[position] === "\n") return { cells, end: position + 1, anyQuoted };
      const reason = "a closing quote is followed by something other than the separator";
      return { cells, end: position, anyQuoted, reason };
    }
    let lineEnd = text.indexOf("\n", position);
    if (lineEnd < 0) lineEnd = text.length;
    const rest = text.slice(position, lineEnd); // a file of one column has no separator: search the line only
    const length = rest.indexOf(separator);
    if (length < 0) {
      cells.push(rest.endsWith("\r") ? rest.slice(0, -1) : rest);
      return { cells, end: lineEnd + 1, anyQuoted };
    }
    cells.push(rest.slice(0, length));
    position += length + 1;
  }
}

/** The records of a text with the line on which each starts, until one cannot be read; empty lines are ignored. */
function readRecords(text, separator, quoted, limit = Infinity) {
  const records = [];
  let line = 1;
  for (let position = 0; position < text.length && records.length < limit; ) {
    const { cells, end, anyQuoted, reason } = readRecord(text, position, separator, quoted);
    if (reason) return { records, fault: { line, reason } };
    if (anyQuoted || cells.some((cell) => cell !== "")) records.push({ line, cells, end });
    for (let at = text.indexOf("\n", position); at >= 0 && at < end; at = text.indexOf("\n", at + 1)) line++;
    position = end;
  }
  return { records, fault: null };
}

function isNumber(cell) {
  return cell.trim() !== "" && Number.isFinite(Number(cell));
}

function isHeader(cells, body, known) {
  if (cells.some((cell) => known.has(cell.toLowerCase()))) return true;
  if (cells.every((cell, i) => cell === String(i))) return true;
  return !cells.some((cell, i) => {
    const repeated = body.some((row) => i < row.length && row[i].trim() === cell);
    return !cell || [...cell].length > LONGEST_NAME || isNumber(cell) || repeated;
  });
}

function distinctNames(names) {
  const taken = new Set();
  return names.map((name, i) => {
    let candidate = name || `column_${i + 1}`;
    while (taken.has(candidate)) candidate += `_${i + 1}`;
    taken.add(candidate);
    return candidate;
  });
}

/** The columns and the rows of a CSV file. */
function readCsv(text, { headerNames }) {
  if (text.startsWith("\ufeff")) text = text.slice(1);
  if (text.trim() === "") throw new Error("The file is empty: it has no rows.");
  if (text.includes("\r") && !text.includes("\n")) {
    throw new Error("The file ends its lines with a bare carriage return: save it with LF or CR LF line ends.");
  }
  const first = text.slice(0, text.indexOf("\n") < 0 ? text.length : text.indexOf("\n"));
  const count = (separator) => first.split(separator).length;
  const most = SEPARATORS.reduce((best, separator) => (count(separator) > count(best) ? separator : best));
  const separator = first.includes(",") ? "," : most;
  // Tab-separated files often contain bare quotes.
  const quoted = separator !== "\t" || readRecords(text, separator, true, SAMPLE_ROWS).fault === null;
  const { records, fault } = readRecords(text, separator, quoted);
  if (fault) throw new Error(`Line ${fault.line} cannot be read: ${fault.reason}.`);
  if (records.length === 0) throw new Error("The file is empty: it has no rows.");
  const cells = records[0].cells.map((cell) => cell.trim());
  const known = new Set(headerNames);
  const named = isHeader(cells, records.slice(1, 51).map((record) => record.cells), known);
  const columns = named ? distinctNames(cells) : cells.map((_, i) => `column_${i + 1}`);
  const rows = named ? records.slice(1) : records;
  const uneven = rows.find((record) => record.cells.length !== columns.length);
  if (uneven) {
    const found = `${columns.length} fields expected, ${uneven.cells.length} found`;
    throw new Error(`Line ${uneven.line} cannot be read: ${found}.`);
  }
  return { columns, rows: rows.map((record) => record.cells) };
}

function isTextLike(values) {
  const step = Math.max(1, Math.floor(values.length / SAMPLE_ROWS));
  const sample = values.filter((_, i) => i % step === 0);
  if (sample.length === 0) return false;
  const mean = sample.reduce((sum, value) => sum + [...value].length, 0) / sample.length;
  return mean >= MIN_TEXT_CHARS && new Set(sample).size / sample.length >= MIN_TEXT_DISTINCT;
}

/** The indices of the text columns: several that the model was trained on, one of a known name, or the only texts. */
function findTexts({ columns, rows }, { textColumns, textNames }) {
  if (textColumns.length > 1) {
    return textColumns.map((name) => {
      const index = columns.indexOf(name);
      if (index < 0) throw new Error(`The file has no column “${name}”, which the model reads.`);
      return index;
    });
  }
  const lowered = columns.map((name) => name.trim().toLowerCase());
  const named = textNames.find((name) => lowered.includes(name));
  if (named !== undefined) return [lowered.indexOf(named)];
  const every = columns.map((_, i) => i);
  const candidates = every.length === 1 ? every : every.filter((i) => isTextLike(rows.map((row) => row[i])));
  if (candidates.length === 1) return candidates;
  throw new Error("The text column is not clear: name it “text” in the first line of the file.");
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

/** The cells that a prediction adds to a row, in the form of `tagline predict`: lists as JSON. */
function addedCells({ prediction, probability }) {
  if (probability === null) return [`[${prediction.map((name) => JSON.stringify(name)).join(", ")}]`];
  return [prediction, Number.isInteger(probability) ? probability.toFixed(1) : String(probability)];
}

/** A line of CSV; an empty cell is quoted, so that a row of one empty cell is not an empty line. */
function csvLine(cells) {
  const quote = (cell) => (cell === "" || /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  return `${cells.map(quote).join(",")}\n`;
}
