"use strict";
// Bytes of a file to text, by the rules of `tagline.data.streams.encodings`: a byte order mark decides, else it is UTF-8.
// Only where several of the first lines that are not ASCII are not UTF-8 either, these lines are Windows-1252: the others
// stay UTF-8, because files that several programs have appended to are common. Of a file in which hardly any row is not
// UTF-8, or in which UTF-8 was cut, those rows are unreadable.

const MARKS = [
  { encoding: "utf-8", bytes: [0xef, 0xbb, 0xbf] },
  { encoding: "utf-16le", bytes: [0xff, 0xfe] },
  { encoding: "utf-16be", bytes: [0xfe, 0xff] },
];
const CHUNK_BYTES = 1 << 20;
const CHECKED_CHARS = 1 << 20;
const MOST_CONTROLS = 0.05; // a share of the characters; a compressed or binary file has more
const LINE_FEED = 10;
// Other lines of a UTF-8 file are in one encoding if they are several, at least 2 %, and hardly any is cut UTF-8.
const [FEWEST_LINES, SMALLEST_PART, MOST_CUT] = [3, 0.02, 0.1];

function utf8OrNull(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return null;
  }
}

function* linesOf(bytes) {
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(LINE_FEED, start) + 1 || bytes.length;
    yield bytes.subarray(start, end);
    start = end;
  }
}

/** Whether hardly any of the lines that are not ASCII is in another encoding, in the first chunk that has any. */
function isUtf8Throughout(bytes) {
  let [others, cut, known, chunk] = [0, 0, 0, CHUNK_BYTES];
  let position = 0;
  for (const line of linesOf(bytes)) {
    position += line.length;
    if (position > chunk && others > 0) break;
    while (position > chunk) chunk += CHUNK_BYTES;
    if (line.every((byte) => byte < 0x80)) continue;
    if (utf8OrNull(line) !== null) known++;
    else {
      others++;
      if (/[^\0-\x7f\udc80-\udcff]/u.test(withEscapes(line))) cut++;
    }
  }
  if (others > known) return false;
  return others < Math.max(FEWEST_LINES, SMALLEST_PART * (others + known)) || cut > MOST_CUT * others;
}

/** The text of a line; each byte that is not UTF-8 becomes a lone surrogate, U+DC80 to U+DCFF, as in Python. */
function withEscapes(bytes) {
  let text = "";
  for (let i = 0; i < bytes.length; ) {
    const length = bytes[i] < 0x80 ? 1 : bytes[i] < 0xe0 ? 2 : bytes[i] < 0xf0 ? 3 : 4;
    const character = utf8OrNull(bytes.subarray(i, i + length));
    text += character ?? String.fromCharCode(0xdc00 + bytes[i]);
    i += character === null ? 1 : length;
  }
  return text;
}

function decodeLines(bytes, decodeOther) {
  return Array.from(linesOf(bytes), (line) => utf8OrNull(line) ?? decodeOther(line)).join("");
}

/**
 * The text of a file; `marked`: it begins with a byte order mark; `encoding`: what it is if not Unicode. Bytes of a
 * UTF-8 file that are not UTF-8 are lone surrogates, see `withEscapes`.
 */
function decodeFile(bytes) {
  const mark = MARKS.find((each) => each.bytes.every((byte, i) => bytes[i] === byte));
  const content = mark ? bytes.subarray(mark.bytes.length) : bytes;
  const isWide = mark !== undefined && mark.encoding !== "utf-8";
  const whole = isWide ? new TextDecoder(mark.encoding).decode(content) : utf8OrNull(content);
  const isUtf8 = whole !== null || mark !== undefined || isUtf8Throughout(content);
  const windows = new TextDecoder("windows-1252");
  const text = whole ?? decodeLines(content, isUtf8 ? withEscapes : (line) => windows.decode(line));
  const checked = text.slice(0, CHECKED_CHARS);
  const controls = checked.match(/[\0-\x08\x0e-\x1f]/g) ?? [];
  if (controls.length > MOST_CONTROLS * checked.length) {
    throw new Error("The file is not text that can be read: save it as “CSV UTF-8”.");
  }
  return { text, marked: mark !== undefined, encoding: isUtf8 ? null : "Windows-1252" };
}
