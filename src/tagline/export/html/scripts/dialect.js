"use strict";
// The dialect of a CSV file, found from its beginning by the rules of `tagline.data.formats.delimited.dialect`.

const SEPARATORS = [",", "\t", ";", "|"];
const QUOTES = ['"', "'", "`"];
const UNUSUAL_QUOTES = ["~", "^", "|", ...Object.keys(CLOSING_QUOTES), "”"]; // tried where they enclose most cells
const SAMPLE_CHARS = 1 << 20;
const FEWEST_WORDS = 4; // of a sentence
const LONGEST_NAME = 60; // of a column, in characters: a longer cell is a text
const MOST_BAD = 20; // rows that a grammar cannot read before the rest of the sample is left out
const QUOTE_LINES = 200;
const FIRST_LINES = 20; // in which a grammar shows how wide its rows are
const MOST = 0.9; // the share of rows, or of cells, that settles a question
const HEADER_ROWS = 1000; // below a first line that show whether it is a header
const FIRST_HEADER_ROWS = 50; // in which a value of the first line hardly recurs by chance
const FEW_COPIES = 0.02;
const MOST_DISTINCT = 0.5; // the share of distinct values in a column of which all rows tell whether one recurs
const MOST_LINES_ABOVE = 20; // a header, with a title or comments
const ROWS_BELOW = 200; // that show where the header is
const FORMULA = /^="(?:[^"]|"")*"$/;
const ID_NAMES = ["id", "ids", "index", "idx", "key", "nr", "no", "number"];
const ROWS_OF_TEXTS = 5; // that show that a line above them is a header
// The line under the header of psql and Markdown: three dashes somewhere, or in each cell one, with bars or colons.
const RULE =
  /^(?:[\s|+:=-]*[-=]{3}[\s|+:=-]*|(?=\s*\||[^:]*:)\s*\|?(?:\s*:?-+:?\s*\|)+(?:\s*:?-+:?)?\s*)$/;
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

const isInside = (cell, mark) => cell.length > 1 && cell[0] === mark && cell.at(-1) === closingOf(mark);

const firstLinesOf = (sample) => sample.split("\n", QUOTE_LINES).map((line) => line.replace(/\r$/, ""));

/** What stands between the separators of the first lines, whatever the quotes. */
function splitPlainly(sample, separator) {
  return firstLinesOf(sample).map((line) => line.split(separator).map((cell) => cell.replace(/^ +| +$/g, "")));
}

/**
 * Whether the lines that one cell spans are whole rows: then the quotes that enclose them belong to two texts. Only where
 * tabs separate, as commas are frequent in prose, and where no other cell of these lines is quoted.
 */
function areRows(raw, { separator, quote }, width) {
  if (width < 2 || separator !== "\t") return false;
  const lines = raw.replace(/\n$/, "");
  if (!lines.includes("\n")) return false;
  return splitPlainly(lines, "\t").every((row) => row.length === width && !row.some((cell) => isInside(cell, quote)));
}

/**
 * How well a grammar reads a sample: the share of rows as wide as the first one, and that width. `clean`: no cell begins
 * with a space and a quote.
 */
function fitOf(sample, grammar) {
  let [width, rows, bad, clean] = [0, 0, 0, true];
  for (const { cells, start, end } of readRecords(sample, grammar)) {
    const found = cells === null ? 0 : cells.length;
    width ||= found;
    rows++;
    if (cells === null || found !== width || areRows(sample.slice(start, end), grammar, width)) bad++;
    clean &&= !(cells ?? []).some((cell) => cell.startsWith(` ${grammar.quote}`));
    if (bad > MOST_BAD) break;
  }
  return { grammar, width, share: 1 - bad / Math.max(1, rows), clean };
}

/** Whether a quote stands around all names of the header, or around most cells of the first or the last column. */
function surrounds(mark, [header, ...body]) {
  if (header.every((cell) => isInside(cell, mark))) return true;
  return [0, -1].some((column) => {
    const inside = body.filter((row) => isInside(row.at(column), mark)).length;
    return inside >= Math.max(2, MOST * body.length);
  });
}

/** Whether nearly all lines have a cell that begins with a quote, and one that ends with it. */
function encloses(mark, separator, lines) {
  const closing = closingOf(mark);
  const [begin, end] = [separator + mark, closing + separator];
  const begins = (line) => line.startsWith(mark) || line.includes(begin);
  const ends = (line) => line.endsWith(closing) || line.includes(end);
  const found = lines.filter((line) => line.trim() !== "" && begins(line) && ends(line)).length;
  return found >= Math.max(2, MOST * lines.length);
}

/** Whether quotes are escaped inside of cells, and nearly all cells that begin with a quote end with one. */
function escapes(mark, rows) {
  const quoted = rows.flat().filter((cell) => cell.startsWith(mark));
  const inside = quoted.filter((cell) => isInside(cell, mark));
  return inside.some((cell) => cell.slice(1, -1).includes(`\\${mark}`)) && inside.length >= MOST * quoted.length;
}

function quoteCandidates(sample, separator, rows) {
  const lines = firstLinesOf(sample);
  const around = QUOTES.filter((mark) => surrounds(mark, rows));
  const aroundNames = UNUSUAL_QUOTES.filter((mark) => rows[0].every((cell) => isInside(cell, mark)));
  const others = UNUSUAL_QUOTES.filter((mark) => mark !== separator && !aroundNames.includes(mark));
  const unusual = others.filter((mark) => encloses(mark, separator, lines.slice(1)));
  return [...aroundNames, ...around, ...QUOTES.filter((mark) => !around.includes(mark)), ...unusual, null];
}

/** The grammar that reads most rows of a sample; `stated` is the separator that the file names, or null. */
function bestGrammar(sample, stated) {
  const first = sample.split("\n", 1)[0];
  const count = (separator) => (separator === "," && first.includes(",") ? Infinity : first.split(separator).length);
  const separators = stated === null ? [...SEPARATORS].sort((a, b) => count(b) - count(a)) : [stated];
  const rows = splitPlainly(sample, separators[0]);
  const quotes = quoteCandidates(sample, separators[0], rows);
  const all = (marks, escape) =>
    separators.flatMap((separator) => marks.map((quote) => ({ separator, quote, escape, initialSpace: false })));
  const escaped = quotes.filter((quote) => quote !== null && sample.includes(`\\${quote}`));
  const tried = [...all(quotes, false), ...all(escaped, true)];
  // Without quotes, cells such as "so \"bad\"" would keep theirs, and no row would be bad.
  const isEscaped = escaped.some((mark) => surrounds(mark, rows) || escapes(mark, rows));
  const isSpaced = ({ separator, quote }) =>
    quote !== null && [`${separator} ${quote}`, `${closingOf(quote)} ${separator}`].some((mark) => sample.includes(mark));
  const candidates = tried.flatMap((each) => (isSpaced(each) ? [each, { ...each, initialSpace: true }] : [each]));
  // A separator that the file lacks reads every row as one cell, which is right only where no other fits and the header
  // is a single name. A few bad rows are no reason for unusual quotes, or for none: those are common only where tabs
  // separate.
  const single = !SEPARATORS.some((separator) => first.includes(separator));
  const rank = ({ grammar: { separator, quote }, width, share, clean }) => [
    (width > 1 || single) && share >= MOST,
    width > 1,
    quote === quotes[0] || (separator === "\t" && quote === null && !isEscaped),
    share,
    clean,
  ];
  const isBetter = (ranked, other) => {
    const differs = ranked.findIndex((value, i) => value !== other[i]);
    return differs >= 0 && ranked[differs] > other[differs];
  };
  const firstLines = sample.split("\n", FIRST_LINES).join("\n");
  let [best, ranked] = [candidates[0], rank(fitOf(sample, candidates[0]))];
  for (const candidate of candidates.slice(1)) {
    if (ranked.every((value) => Number(value) === 1)) break; // no other can be better
    // The first lines show the width, and so whether reading all of them is worth its time.
    if (!isBetter(rank({ ...fitOf(firstLines, candidate), share: 1, clean: true }), ranked)) continue;
    const found = rank(fitOf(sample, candidate));
    if (isBetter(found, ranked)) [best, ranked] = [candidate, found];
  }
  return best;
}

const trimAll = (cells) => cells.map((cell) => cell.trim());

/** Whether a row repeats the header: each of the files that were joined may begin with a byte order mark. */
function repeats(row, header) {
  const plain = (cell) => (cell.startsWith("\ufeff") ? cell.replace(/^\ufeff+/, "").replace(/^"+|"+$/g, "") : cell);
  return row.length === header.length && row.every((cell, i) => (i === 0 ? plain(cell) : cell) === header[i]);
}

/** How many cells of a row are known names that do not recur below, as the label `spam` does. */
function countKnown(cells, known, body) {
  const others = body.filter((row) => !repeats(row, cells));
  const recurs = (cell, i) => others.some((row) => row[i] === cell);
  return cells.filter((cell, i) => known.has(cell.trim().toLowerCase()) && !recurs(cell, i)).length;
}

/** Rows without the few that repeat a possible header, as in files that were joined. */
function withoutCopies(cells, body) {
  const isCopy = (row) => row.length === cells.length && row.every((cell, i) => cell.trim() === cells[i]);
  const others = body.filter((row) => !isCopy(row));
  return cells.length > 1 && body.length - others.length <= FEW_COPIES * body.length ? others : body;
}

/** Whether a cell recurs in its column: in many rows, one of the texts may well be the name of the column. */
function isRepeated(i, cell, body) {
  const values = body.filter((row) => row.length > i).map((row) => row[i].trim());
  const recurring = new Set(values).size <= MOST_DISTINCT * values.length;
  return (recurring ? values : values.slice(0, FIRST_HEADER_ROWS)).includes(cell);
}

/** Whether the first of a column of texts is a text as well: it has several words, and not far fewer. */
function isSentence(cell, body) {
  const count = (text) => text.split(/\s+/).filter((word) => word !== "").length;
  const others = body.filter((row) => row.length > 0).map((row) => count(row[0]));
  others.sort((a, b) => a - b);
  return others.length > 0 && count(cell) >= FEWEST_WORDS && 2 * count(cell) >= others[Math.floor(others.length / 2)];
}

function isHeader(cells, body, known) {
  if (countKnown(cells, known, body) > 0) return true;
  if (cells.every((cell, i) => cell === String(i))) return true;
  if (cells.length === 1 && isSentence(cells[0], body)) return false;
  const others = withoutCopies(cells, body);
  const isData = (cell, i) =>
    !cell || [...cell].length > LONGEST_NAME || NUMBER.test(cell) || isRepeated(i, cell, others);
  return !cells.some(isData);
}

/**
 * Which column a header that is one cell short does not name, or null: the first one if it holds row names, as
 * `write.table` of R writes them, or the last one if it is empty.
 */
function unnamedColumn(cells, body) {
  const rows = body.filter((row) => row.length === cells.length + 1);
  if (rows.length === 0 || rows.length < MOST * body.length) return null;
  if (rows.every((row) => row.at(-1).trim() === "")) return cells.length;
  const areNames = (i) =>
    new Set(rows.map((row) => row[i])).size === rows.length && rows.every((row) => row[i] !== "" && !row[i].includes(" "));
  // A comma in a text would make a row longer too: mostly a space follows it, and an id in front has a name.
  if (rows.some((row) => row.some((cell) => cell.startsWith(" "))) || !areNames(0)) return null;
  return !ID_NAMES.includes(cells[0].toLowerCase()) || areNames(1) ? 0 : null;
}

/** Whether cells above a header are a title or nothing rather than a row of the table. */
function isNoRow(cells, width) {
  if (cells.length !== width) return true;
  const filled = cells.flatMap((cell, i) => (cell.trim() === "" ? [] : [i]));
  // Of two columns, the first may be an index without a name.
  return filled.length === 0 || (filled.length === 1 && (width > 2 || filled[0] === 0));
}

/** Whether cells may be a row of the table below: as many, and numbers where all others are numbers. */
function isRow(cells, body, width) {
  if (isNoRow(cells, width)) return false;
  const isNumber = (cell) => NUMBER.test(cell.trim());
  const areNumbers = (i) => body.every((row) => row.length > i && isNumber(row[i]));
  return !cells.some((cell, i) => body.length > 0 && !isNumber(cell) && areNumbers(i));
}

/** How many lines in front of the first other one are comments, or blank among comments. */
function countComments(lines) {
  const first = lines.slice(0, MOST_LINES_ABOVE + 1);
  const n = Math.max(0, first.findIndex((line) => line.trim() !== "" && !line.startsWith("#")));
  return first.slice(0, n).some((line) => line.startsWith("#")) ? n : 0;
}

/** Whether a name is a single word, and most cells below it are several. */
function isAboveTexts(names, body) {
  return names.some((name, i) => {
    const several = body.filter((row) => row.length > i && row[i].trim().includes(" "));
    return name !== "" && !name.includes(" ") && several.length >= MOST * body.length;
  });
}

/**
 * Whether a header stands below `n` comments, of which the last may be a header itself, such as `#id,text`. It has as
 * many known names, or else it is a single word above texts of several words.
 */
function isBelowComments(lines, n, stated, known) {
  const rest = lines.slice(n, n + 1 + ROWS_BELOW).join("\n");
  const { grammar, width, share } = fitOf(rest, bestGrammar(rest, stated));
  if (width < 2 || share < MOST) return false;
  const [head, ...body] = Array.from(readRecords(rest, grammar), ({ cells }) => cells ?? []);
  const names = trimAll(head);
  if (!isHeader(names, body, new Set())) return false;
  const nNames = countKnown(names, known, body);
  const above = Array.from(readRecords(lines.slice(0, n).join("\n"), grammar), ({ cells }) => cells ?? []);
  const inComments = above.map((cells) => countKnown(cells.map((cell) => cell.replace(/^[# ]+|[# ]+$/g, "")), known, []));
  const most = Math.max(...inComments);
  return nNames > 0 ? nNames >= most : most === 0 && body.length >= ROWS_OF_TEXTS && isAboveTexts(names, body);
}

/**
 * How many lines stand above the table: a title, comments, blank lines. They have other cells than the table, mostly
 * fewer, or are all comments. Where some could be rows, only known names may follow, or two known names if the first line is no header and
 * the last one no row. A header without a known name needs rows enough below it that all fit.
 */
function linesAbove(sample, stated, known) {
  const lines = sample.split("\n", MOST_LINES_ABOVE + ROWS_BELOW + 2);
  const separators = stated === null ? SEPARATORS : [stated];
  const cellsOf = (line, separator) => line.split(separator).map((cell) => cell.replace(/^[ "'\r]+|[ "'\r]+$/g, ""));
  const isNamed = (line) =>
    separators.some((each) => line.includes(each) && countKnown(cellsOf(line, each), known, []) > 0);
  const nComments = countComments(lines);
  if (nComments > 0 && isBelowComments(lines, nComments, stated, known)) return nComments;
  if (isNamed(lines[0])) return 0;
  const isName = countKnown([lines[0]], known, []) > 0;
  let isAmongRows = false;
  for (let n = 1; n < Math.min(MOST_LINES_ABOVE + 1, lines.length - 1); n++) {
    if (!separators.some((each) => lines[n].includes(each)) || /^[,\t;| \r]*$/.test(lines[n])) continue;
    if (isAmongRows && !isNamed(lines[n])) continue;
    const rest = lines.slice(n, n + 1 + ROWS_BELOW).join("\n");
    const { grammar, width, share } = fitOf(rest, bestGrammar(rest, stated));
    if (width < 2 || share < MOST) continue;
    const [head, ...body] = Array.from(readRecords(rest, grammar), ({ cells }) => cells ?? []);
    const names = trimAll(head);
    const isSureHeader = isHeader(names, body, new Set());
    const nNames = countKnown(names, known, body);
    const before = lines.slice(0, n);
    const above = Array.from(readRecords(before.join("\n"), grammar), ({ cells }) => cells ?? []);
    const filled = above.filter((cells) => cells.length > 0);
    const comments = before.every((line) => line.startsWith("#") || line.trim() === "");
    const rows = filled.filter((cells) => !isNoRow(cells, width));
    if (comments && (filled.every((cells) => cells.length < width) || (isSureHeader && nNames > 0))) return n;
    isAmongRows ||= rows.length > 0;
    if (rows.length > 0) {
      const isApart = !isRow(filled.at(-1), body, width);
      const isHead = isApart && !isHeader(trimAll(rows[0]), [...rows.slice(1), head, ...body], new Set());
      if (isSureHeader && (nNames === width || (nNames > 1 && isHead))) return n;
      continue;
    }
    const isPadding = (character) => character === " " || character === "\r" || character === grammar.separator;
    const last = [...lines[n - 1]].filter((character) => !isPadding(character)).join("");
    // Prose has commas too, though hardly the same number in each of many lines.
    const isComma = grammar.separator === ",";
    // Of two columns, one may have no name.
    const isHalf = width === 2 && filled.some((cells) => cells.length === 2 && cells.some((cell) => cell !== ""));
    const apart = (!isComma || last === "" || last.startsWith("#")) && !isHalf;
    const shorter = filled.every((cells) => cells.filter((cell) => cell !== "").length < width);
    const enough = body.length >= (isComma ? 20 : 5);
    const sure = shorter && apart && share === 1 && enough && names.every((name) => name !== "");
    if ((isSureHeader && sure) || (nNames > (shorter ? 0 : 1) && !isName)) return n;
  }
  return 0;
}

/** The text of a formula such as `="007"`, by which Excel reads a cell as a text; any other cell as it is. */
const withoutFormula = (cell) => (FORMULA.test(cell) ? cell.slice(2, -1).replaceAll('""', '"') : cell);

/** The indices of columns whose cells, but for empty ones, are all such formulas. */
function formulaColumns(width, body) {
  return Array.from({ length: width }, (_, i) => i).filter((i) => {
    const cells = body.map((row) => row[i] ?? "").filter((cell) => cell !== "");
    return cells.length > 0 && cells.every((cell) => FORMULA.test(cell));
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

/**
 * The grammar and the columns of a file, and where its data starts: {grammar, columns, header, formulas, start, line,
 * tableLine}. `header` are the cells of the header as they are written, none without one; `formulas` are indices of
 * columns. `tableLine` is the line of the table if others stand above it, else null.
 */
function sniffDialect(text, headerNames) {
  const sample = sampleOf(text);
  const known = new Set(headerNames);
  // Excel reads the separator in such a first line.
  const excel = /^"?sep=(.)"?\r?(?:\n|$)/i.exec(sample);
  const stated = excel === null ? null : excel[1];
  const from = excel === null ? 0 : excel[0].length;
  const n = linesAbove(sample.slice(from), stated, known);
  const above = sample.slice(from).split("\n", n);
  const start = above.reduce((sum, { length }) => sum + length + 1, from);
  const line = (excel === null ? 1 : 2) + n;
  const rest = sample.slice(start);
  let grammar = bestGrammar(rest, stated);
  if (grammar.quote !== '"' && rest.startsWith('"')) {
    const whole = fitOf(rest, { ...grammar, quote: '"', escape: false, initialSpace: false });
    if (whole.width === 1 && whole.share === 1 && fitOf(rest, grammar).share >= MOST) {
      const names = rest.split("\n", 1)[0].split(grammar.separator).map((cell) => cell.replace(/^[ "'\r]+|[ "'\r]+$/g, ""));
      if (countKnown(names, known, []) > 0) {
        throw new Error("Every row is one quoted cell: split the column of the table before it is saved as CSV.");
      }
      grammar = whole.grammar;
    }
  }
  const records = readRecords(rest, grammar, { line });
  const { value: head, done } = records.next();
  if (done) throw new Error("The file is empty: it has no rows.");
  if (head.reason) throw new Error(`The header, line ${head.line}, cannot be read: ${head.reason}.`);
  const rows = Array.from({ length: HEADER_ROWS }, () => records.next().value?.cells ?? []);
  const body = rows.filter((row) => row.length > 0);
  const header = head.cells.map((cell) => cell.replace(/^\ufeff+/, ""));
  const cells = header.map((cell) => withoutFormula(cell.trim()));
  const tableLine = above.some((each) => each.trim() !== "") ? line : null;
  const unnamed = unnamedColumn(cells, body);
  const named = unnamed === 0 ? body.map((row) => row.slice(1)) : body;
  if (!isHeader(cells, named, known)) {
    const formulas = formulaColumns(cells.length, body);
    return { grammar, columns: cells.map((_, i) => `column_${i + 1}`), header: [], formulas, start, line, tableLine };
  }
  let end = head.end;
  const next = rest.slice(end).split("\n", 1)[0];
  if (RULE.test(next)) end += next.length + 1;
  const headerLines = rest.slice(0, end).split("\n").length - 1;
  if (unnamed !== null) cells.splice(unnamed, 0, "");
  const columns = distinctNames(cells);
  const formulas = formulaColumns(columns.length, body);
  return { grammar, columns, header, formulas, start: start + end, line: line + headerLines, tableLine };
}
