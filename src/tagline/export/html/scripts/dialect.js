"use strict";
// The dialect of a CSV file, found from its beginning by the rules of `tagline.data.formats.dialect`.

const SEPARATORS = [",", "\t", ";", "|"];
const QUOTES = ['"', "'", "`"];
const SAMPLE_CHARS = 1 << 20;
const LONGEST_NAME = 60; // of a column, in characters: a longer cell is a text
const MOST_BAD = 20; // rows that a grammar cannot read before the rest of the sample is left out
const QUOTE_LINES = 200;
const MOST = 0.9; // the share of rows, or of cells, that settles a question
const HEADER_ROWS = 50; // below a first line that may be a header
const NUMBER = /^[+-]?(?:(?:\d[\d_]*\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?|nan)$/i; // as Python's `float`

/** The whole lines at the beginning of a text, without empty ones at their end. */
function sampleOf(text) {
  let sample = text;
  if (text.length > SAMPLE_CHARS) {
    const cut = text.slice(0, SAMPLE_CHARS);
    sample = cut.includes("\n") ? cut.slice(0, cut.lastIndexOf("\n")) : cut;
  }
  while (sample !== "" && sample.slice(sample.lastIndexOf("\n") + 1).trim() === "") {
    sample = sample.slice(0, Math.max(0, sample.lastIndexOf("\n")));
  }
  return sample;
}

/** How well a grammar reads a sample: the share of rows as wide as the first one, and that width. */
function fitOf(sample, grammar) {
  let [width, rows, bad] = [0, 0, 0];
  for (const { cells } of readRecords(sample, grammar)) {
    const found = cells === null ? 0 : cells.length;
    width ||= found;
    rows++;
    if (cells === null || found !== width) bad++;
    if (bad > MOST_BAD) break;
  }
  return { grammar, width, share: 1 - bad / Math.max(1, rows) };
}

/** Whether a quote stands around all names of the header, or around most cells of the first or the last column. */
function surrounds(mark, [header, ...body]) {
  const isInside = (cell) => cell.length > 1 && cell[0] === mark && cell.at(-1) === mark;
  if (header.every(isInside)) return true;
  return [0, -1].some((column) => {
    const inside = body.filter((row) => isInside(row.at(column))).length;
    return inside >= Math.max(2, MOST * body.length);
  });
}

function quoteCandidates(sample, separator) {
  const lines = sample.split("\n", QUOTE_LINES);
  const rows = lines.map((line) => line.split(separator).map((cell) => cell.replace(/^[ \r]+|[ \r]+$/g, "")));
  const around = QUOTES.filter((mark) => surrounds(mark, rows));
  return [...around, ...QUOTES.filter((mark) => !around.includes(mark)), null];
}

/** The grammar that reads most rows of a sample; `stated` is the separator that the file names, or null. */
function bestGrammar(sample, stated) {
  const first = sample.split("\n", 1)[0];
  const count = (separator) => (separator === "," && first.includes(",") ? Infinity : first.split(separator).length);
  const separators = stated === null ? [...SEPARATORS].sort((a, b) => count(b) - count(a)) : [stated];
  const quotes = quoteCandidates(sample, separators[0]);
  const all = (marks, escape) =>
    separators.flatMap((separator) => marks.map((quote) => ({ separator, quote, escape })));
  const candidates = all(quotes, false);
  if (sample.includes('\\"')) candidates.push(...all(quotes.filter((quote) => quote !== null), true));
  // A separator that the file lacks reads every row as one cell, which is right only where no other fits and the header
  // is a single name. A few bad rows are no reason for unusual quotes, or for none: those are common only where tabs
  // separate.
  const single = !SEPARATORS.some((separator) => first.includes(separator));
  const rank = ({ grammar: { separator, quote }, width, share }) => [
    (width > 1 || single) && share >= MOST,
    width > 1,
    quote === quotes[0] || (separator === "\t" && quote === null),
    share,
  ];
  let best = null;
  for (const candidate of candidates) {
    const fit = fitOf(sample, candidate);
    const ranked = rank(fit);
    const differs = best ? ranked.findIndex((value, i) => value !== best.ranked[i]) : 0;
    if (best === null || ranked[differs] > best.ranked[differs]) best = { grammar: candidate, ranked };
    if (best.ranked.every((value) => Number(value) === 1)) break; // no other can be better
  }
  return best.grammar;
}

function isHeader(cells, body, known) {
  if (cells.some((cell) => known.has(cell.toLowerCase()))) return true;
  if (cells.every((cell, i) => cell === String(i))) return true;
  return !cells.some((cell, i) => {
    const repeated = body.some((row) => i < row.length && row[i].trim() === cell);
    return !cell || [...cell].length > LONGEST_NAME || NUMBER.test(cell) || repeated;
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

/** The grammar and the columns of a file, and where its data starts: {grammar, columns, start, line}. */
function sniffDialect(text, headerNames) {
  const sample = sampleOf(text);
  // Excel reads the separator in such a first line.
  const stated = /^"?sep=(.)"?\r?(?:\n|$)/i.exec(sample);
  const [start, line] = stated === null ? [0, 1] : [stated[0].length, 2];
  const rest = sample.slice(start);
  const grammar = bestGrammar(rest, stated === null ? null : stated[1]);
  const records = readRecords(rest, grammar, { line });
  const { value: head, done } = records.next();
  if (done) throw new Error("The file is empty: it has no rows.");
  if (head.reason) throw new Error(`The header, line ${head.line}, cannot be read: ${head.reason}.`);
  const body = Array.from({ length: HEADER_ROWS }, () => records.next().value?.cells ?? []);
  const cells = head.cells.map((cell) => cell.trim());
  if (!isHeader(cells, body, new Set(headerNames))) {
    return { grammar, columns: cells.map((_, i) => `column_${i + 1}`), start, line };
  }
  const end = start + head.end;
  const headerLines = rest.slice(0, head.end).split("\n").length - 1;
  return { grammar, columns: distinctNames(cells), start: end, line: line + headerLines };
}
