"use strict";
// The line reader of CSV, by the rules of `tagline.data.formats.delimited.records`: the grammar of RFC 4180, and a reason
// for each row that cannot be read. A grammar is {separator, quote, escape, initialSpace}: without quotes, `quote` is
// null; with `escape`, a backslash inside quotes takes the next character as it is; with `initialSpace`, spaces at the
// beginning of a cell and behind a closing quote are no part of it.

const CLOSING_QUOTES = { "“": "”", "„": "“", "«": "»" };
const closingOf = (quote) => CLOSING_QUOTES[quote] ?? quote;

/** Reads the cells of the quoted field at `position` up to its closing quote: {cell, end}, or null if none closes it. */
function readQuoted(text, position, { quote, escape }) {
  const closing = closingOf(quote);
  let cell = "";
  let from = position + 1;
  for (;;) {
    const end = text.indexOf(closing, from);
    if (escape) {
      const slash = text.slice(from, end < 0 ? text.length : end).indexOf("\\");
      if (slash >= 0) {
        cell += text.slice(from, from + slash) + text.slice(from + slash + 1, from + slash + 2);
        from += slash + 2;
        continue;
      }
    }
    if (end < 0) return null;
    cell += text.slice(from, end);
    if (text[end + 1] !== closing) return { cell, end: end + 1 };
    cell += closing;
    from = end + 2;
  }
}

/**
 * Reads the record at `start`, of which the first line ends at `lineEnd`: {cells, end, reason}; if it cannot be read,
 * `cells` is null and `kept` are the cells that end in the first line, in front of the one that cannot be read.
 */
function readRecord(text, start, lineEnd, grammar) {
  const { separator, quote, initialSpace } = grammar;
  const withoutReturn = (cell) => (cell.endsWith("\r") ? cell.slice(0, -1) : cell);
  const first = text.slice(start, lineEnd);
  if (quote === null || !first.includes(quote)) {
    const split = withoutReturn(first).split(separator);
    return { cells: initialSpace ? split.map((cell) => cell.replace(/^ +/, "")) : split, end: lineEnd + 1, reason: null };
  }
  const cells = [];
  let nInFirst = 0;
  // Reading continues at the next line.
  const unreadable = (reason) => ({ cells: null, kept: cells.slice(0, nInFirst), end: lineEnd + 1, reason });
  for (let position = start; ; position++) {
    if (position <= lineEnd) nInFirst = cells.length;
    while (initialSpace && text[position] === " ") position++;
    if (text[position] !== quote) {
      let end = text.indexOf("\n", position);
      if (end < 0) end = text.length;
      const rest = text.slice(position, end); // the next separator may be far away: search the line only
      const length = rest.indexOf(separator);
      if (length < 0) return { cells: [...cells, withoutReturn(rest)], end: end + 1, reason: null };
      cells.push(rest.slice(0, length));
      position += length;
      continue;
    }
    const quoted = readQuoted(text, position, grammar);
    if (quoted === null) return unreadable("a quote is opened and never closed");
    cells.push(quoted.cell);
    position = quoted.end;
    while (initialSpace && text[position] === " ") position++;
    if (text[position] === separator) continue;
    if (text[position] === "\r" && (position + 1 === text.length || text[position + 1] === "\n")) position++;
    if (position === text.length || text[position] === "\n") return { cells, end: position + 1, reason: null };
    return unreadable("a closing quote is followed by something other than the separator");
  }
}

/** Why a row that has bytes which are not UTF-8, lone surrogates here, cannot be read; null for any other row. */
function notUtf8(raw) {
  const found = /[\udc80-\udcff]/u.exec(raw);
  if (found === null) return null;
  let position = 1;
  for (const character of raw.slice(0, found.index)) {
    const point = character.codePointAt(0);
    position += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  const byte = (raw.charCodeAt(found.index) - 0xdc00).toString(16).toUpperCase();
  const remedy = "name the encoding of the file with `--encoding`, or save it as UTF-8";
  return `byte 0x${byte} at position ${position} of the row is not UTF-8 (${remedy})`;
}

/**
 * The records of a text, {line, start, end, cells, reason}: line and place where it starts, and where the next one does.
 * Rows of empty cells without quotes are ignored. `width` is how many cells a record must have, if it is given: then
 * only blank lines are ignored, and `cells` of one that cannot be read are those that can be and null for the others.
 * Without, or if it is not UTF-8, they are null.
 */
function* readRecords(text, grammar, { start = 0, line = 1, width = null } = {}) {
  for (let position = start; position < text.length; ) {
    let lineEnd = text.indexOf("\n", position);
    if (lineEnd < 0) lineEnd = text.length;
    const record = readRecord(text, position, lineEnd, grammar);
    const { cells, end } = record;
    const wrong = notUtf8(text.slice(position, cells === null ? lineEnd : end));
    const isEmpty = cells !== null && cells.every((cell) => cell === "") && (width === null || cells.length === 1);
    if (!isEmpty || (grammar.quote !== null && text.slice(position, lineEnd).includes(grammar.quote))) {
      const place = { line, start: position, end };
      if (wrong !== null) yield { ...place, cells: null, reason: wrong };
      else if (width !== null && cells?.length !== width) {
        const kept = Array.from({ length: width }, (_, i) => (cells ?? record.kept)[i] ?? null);
        yield { ...place, cells: kept, reason: record.reason ?? `${width} fields expected, ${cells.length} found` };
      } else yield { ...place, ...record };
    }
    line++;
    for (let at = text.indexOf("\n", lineEnd + 1); at >= 0 && at < end; at = text.indexOf("\n", at + 1)) line++;
    position = end;
  }
}
