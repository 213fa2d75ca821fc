"use strict";
// The line reader of CSV, by the rules of `tagline.data.formats.records`: the grammar of RFC 4180, and a reason for each
// row that cannot be read. A grammar is {separator, quote, escape}: without quotes, `quote` is null; with `escape`, a
// backslash inside quotes takes the next character as it is.

/** Reads the cells of the quoted field at `position` up to its closing quote: {cell, end}, or null if none closes it. */
function readQuoted(text, position, { quote, escape }) {
  let cell = "";
  let from = position + 1;
  for (;;) {
    const end = text.indexOf(quote, from);
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
    if (text[end + 1] !== quote) return { cell, end: end + 1 };
    cell += quote;
    from = end + 2;
  }
}

/** Reads the record at `start`, of which the first line ends at `lineEnd`: {cells, end, reason}. */
function readRecord(text, start, lineEnd, grammar) {
  const { separator, quote } = grammar;
  const withoutReturn = (cell) => (cell.endsWith("\r") ? cell.slice(0, -1) : cell);
  const first = text.slice(start, lineEnd);
  if (quote === null || !first.includes(quote)) {
    return { cells: withoutReturn(first).split(separator), end: lineEnd + 1, reason: null };
  }
  const unreadable = (reason) => ({ cells: null, end: lineEnd + 1, reason }); // reading continues at the next line
  const cells = [];
  for (let position = start; ; position++) {
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
    if (text[position] === separator) continue;
    if (text[position] === "\r" && (position + 1 === text.length || text[position + 1] === "\n")) position++;
    if (position === text.length || text[position] === "\n") return { cells, end: position + 1, reason: null };
    return unreadable("a closing quote is followed by something other than the separator");
  }
}

/**
 * The records of a text, {line, cells, reason, end}: the line on which it starts, and where the next one does. If it
 * cannot be read, `cells` is null. Rows of empty cells without quotes are ignored. `width` is how many cells a
 * record must have, if it is given.
 */
function* readRecords(text, grammar, { start = 0, line = 1, width = null } = {}) {
  for (let position = start; position < text.length; ) {
    let lineEnd = text.indexOf("\n", position);
    if (lineEnd < 0) lineEnd = text.length;
    const record = readRecord(text, position, lineEnd, grammar);
    const { cells, end } = record;
    const isEmpty = cells !== null && cells.every((cell) => cell === "");
    if (!isEmpty || (grammar.quote !== null && text.slice(position, lineEnd).includes(grammar.quote))) {
      if (width !== null && cells !== null && cells.length !== width) {
        yield { line, cells: null, reason: `${width} fields expected, ${cells.length} found`, end };
      } else yield { line, ...record };
    }
    line++;
    for (let at = text.indexOf("\n", lineEnd + 1); at >= 0 && at < end; at = text.indexOf("\n", at + 1)) line++;
    position = end;
  }
}
