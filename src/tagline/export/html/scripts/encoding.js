"use strict";
// Bytes of a file to text: a byte order mark decides, else it is UTF-8. Lines that are not UTF-8 are Windows-1252; the
// others stay UTF-8, because files that several programs have appended to are common.

const MARKS = [
  { encoding: "utf-8", bytes: [0xef, 0xbb, 0xbf] },
  { encoding: "utf-16le", bytes: [0xff, 0xfe] },
  { encoding: "utf-16be", bytes: [0xfe, 0xff] },
];
const CHECKED_CHARS = 1 << 20;
const MOST_CONTROLS = 0.05; // a share of the characters; a compressed or binary file has more

function utf8OrNull(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return null;
  }
}

function decodeLines(bytes) {
  const windows = new TextDecoder("windows-1252");
  const lines = [];
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(10, start) + 1 || bytes.length;
    const line = bytes.subarray(start, end);
    lines.push(utf8OrNull(line) ?? windows.decode(line));
    start = end;
  }
  return lines.join("");
}

/** The text of a file; `marked`: it begins with the byte order mark of UTF-8; `encoding`: what it is if not Unicode. */
function decodeFile(bytes) {
  const mark = MARKS.find((each) => each.bytes.every((byte, i) => bytes[i] === byte));
  const content = mark ? bytes.subarray(mark.bytes.length) : bytes;
  const isWide = mark !== undefined && mark.encoding !== "utf-8";
  const whole = isWide ? new TextDecoder(mark.encoding).decode(content) : utf8OrNull(content);
  const text = whole ?? decodeLines(content);
  const checked = text.slice(0, CHECKED_CHARS);
  const controls = checked.match(/[\0-\x08\x0e-\x1f]/g) ?? [];
  if (controls.length > MOST_CONTROLS * checked.length) {
    throw new Error("The file is not text that can be read: save it as “CSV UTF-8”.");
  }
  return { text, marked: mark !== undefined && !isWide, encoding: whole === null ? "Windows-1252" : null };
}
