"use strict";
// Text to tokens, like `tokenize` and `spans` of `tagline.features.tokenizer.Tokenizer`.
//
// The character tables of the payload come from the engine that tokenized the training texts: `\p{…}` and
// `toLowerCase` of a browser may follow another version of Unicode.

const LETTER = 1; // of words: `[\w--[scripts without spaces]]`
const UNSPACED = 2; // of scripts written without spaces
const MARK = 4;
const SPACE = 8;
const PICTOGRAPH = 16;
const CASED = 32;
const IGNORED_BY_CASE = 64;
const WORD = 128; // `\w`

const REPLACEMENT = 0xfffd;
const SIGMA = 0x3a3;
const FINAL_SIGMA = 0x3c2;
const APOSTROPHE = 0x27;
const TYPOGRAPHIC_APOSTROPHE = 0x2019;
const JOINER = 0x200d;
const INVISIBLE = new Set([0xad, 0x200b, 0xfeff]); // soft hyphen, zero-width space, byte order mark
const END_OF_HOST = new Set([0x2f, 0x3c, 0x3e, 0x22]); // / < > "
const N_CODE_POINTS = 0x110000;

/**
 * Reads the character tables: `classes` holds [first, last, flags] of runs of code points, `lower` holds
 * [first, last, step, difference] of runs with the same difference to lower case, `special` the code points that become several.
 * `tokenizer` has the tokenizer's settings.
 */
function openCharacters({ classes, lower, special }, tokenizer) {
  if (tokenizer.rule !== "unicode") throw new Error(`The page has no tokenizer rule ${tokenizer.rule}.`);
  const flags = new Uint8Array(N_CODE_POINTS);
  for (let i = 0; i < classes.length; i += 3) flags.fill(classes[i + 2], classes[i], classes[i + 1] + 1);
  const lowered = new Map();
  for (let i = 0; i < lower.length; i += 4) {
    for (let point = lower[i]; point <= lower[i + 1]; point += lower[i + 2]) lowered.set(point, point + lower[i + 3]);
  }
  const stopWords = new Set(tokenizer.stop_words);
  return { flags, lowered, special: new Map(special), nfc: Boolean(tokenizer.nfc), stopWords };
}

/** The code points of a text; a lone surrogate becomes U+FFFD. */
function codePoints(text) {
  const points = new Int32Array(text.length);
  let n = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0xd800 || unit > 0xdfff) {
      points[n++] = unit;
      continue;
    }
    const next = i + 1 < text.length ? text.charCodeAt(i + 1) : 0;
    if (unit < 0xdc00 && next >= 0xdc00 && next < 0xe000) {
      points[n++] = 0x10000 + ((unit - 0xd800) << 10) + (next - 0xdc00);
      i++;
    } else {
      points[n++] = REPLACEMENT;
    }
  }
  return points.subarray(0, n);
}

/** Code points that come from one character each: `starts` and `ends` are their places in the text. */
function plain(points) {
  const starts = new Array(points.length);
  const ends = new Array(points.length);
  for (let i = 0; i < points.length; i++) {
    starts[i] = i;
    ends[i] = i + 1;
  }
  return { points, starts, ends };
}

/**
 * The code points of a text in NFC, and where the characters that each comes from start and end in the text. NFC is the
 * browser's: marks that are newer than its Unicode may stand in another order.
 */
function compose(text, { flags }) {
  const points = codePoints(text);
  if (text.normalize("NFC") === text) return plain(points);
  const out = { points: [], starts: [], ends: [] };
  const add = (point, from, to) => {
    out.points.push(point);
    out.starts.push(from);
    out.ends.push(to);
  };
  let start = 0;
  let part = "";
  for (let i = 0; i <= points.length; i++) {
    const next = i < points.length ? String.fromCodePoint(points[i]) : "";
    const joins = next && part && (flags[points[i]] & MARK || !isBoundary(part, next));
    if (part && !joins) {
      const nfc = codePoints(part.normalize("NFC"));
      // Characters in front that stay, such as a sign before a mark, are parts of their own.
      let same = 0;
      for (; start < i && same < nfc.length && nfc[same] === points[start]; same++, start++) add(nfc[same], start, start + 1);
      for (; same < nfc.length; same++) add(nfc[same], start, i);
      start = i;
      part = "";
    }
    part += next;
  }
  return out;
}

/** Whether NFC leaves the end of a text and the character that follows it apart. */
function isBoundary(before, next) {
  return (before + next).normalize("NFC") === before.normalize("NFC") + next.normalize("NFC");
}

/** Whether Σ at `at` ends a word (Unicode, section 3.13, Final_Sigma). */
function isFinalSigma(points, at, flags) {
  let before = at - 1;
  while (before >= 0 && flags[points[before]] & IGNORED_BY_CASE) before--;
  if (before < 0 || !(flags[points[before]] & CASED)) return false;
  let after = at + 1;
  while (after < points.length && flags[points[after]] & IGNORED_BY_CASE) after++;
  return after === points.length || !(flags[points[after]] & CASED);
}

/** Lower-case code points, and the character of the text that each comes from: İ becomes two. */
function lowerCase(points, { flags, lowered, special }) {
  const out = [];
  const origin = [];
  for (let i = 0; i < points.length; i++) {
    const point = points[i];
    if (point < 0x80) {
      out.push(point > 0x40 && point < 0x5b ? point + 0x20 : point);
    } else if (special.has(point)) {
      for (const part of special.get(point)) {
        out.push(part);
        origin.push(i);
      }
      continue;
    } else if (point === SIGMA && isFinalSigma(points, i, flags)) {
      out.push(FINAL_SIGMA);
    } else {
      const small = lowered.get(point);
      out.push(small === undefined ? point : small);
    }
    origin.push(i);
  }
  return { points: out, origin };
}

/** The end of a `<br>` that starts at `at`, or -1: `<br\s*\/?>`. */
function endOfBreak(points, at, flags) {
  if (points[at] !== 0x3c || points[at + 1] !== 0x62 || points[at + 2] !== 0x72) return -1;
  let end = at + 3;
  while (end < points.length && flags[points[end]] & SPACE) end++;
  if (points[end] === 0x2f) end++;
  return points[end] === 0x3e ? end + 1 : -1;
}

/** Replaces `<br>` by spaces and ’ by ', and removes invisible characters. */
function clean({ points, origin }, { flags }) {
  const kept = new Int32Array(points.length);
  const from = new Int32Array(points.length);
  let n = 0;
  for (let i = 0; i < points.length; i++) {
    let point = points[i];
    const end = point === 0x3c ? endOfBreak(points, i, flags) : -1;
    if (end >= 0) {
      point = 0x20;
      i = end - 1;
    } else if (INVISIBLE.has(point)) {
      continue;
    }
    kept[n] = point === TYPOGRAPHIC_APOSTROPHE ? APOSTROPHE : point;
    from[n++] = origin[i];
  }
  return { points: kept.subarray(0, n), origin: from.subarray(0, n) };
}

/** The end of the scheme and host of a URL that starts at `at`, or -1: `https?://[^\s/<>"]+`. */
function endOfHost(points, at, flags) {
  for (let i = 0; i < 4; i++) if (points[at + i] !== "http".charCodeAt(i)) return -1;
  let end = at + 4;
  if (points[end] === 0x73) end++;
  if (points[end] !== 0x3a || points[end + 1] !== 0x2f || points[end + 2] !== 0x2f) return -1;
  const host = end + 3;
  for (end = host; end < points.length; end++) {
    if (flags[points[end]] & SPACE || END_OF_HOST.has(points[end])) break;
  }
  return end > host ? end : -1;
}

function endOfLetters(points, at, flags) {
  while (at < points.length && flags[points[at]] & LETTER) at++;
  return at;
}

function endOfWord(points, at, flags) {
  let end = endOfLetters(points, at, flags);
  while (points[end] === APOSTROPHE && flags[points[end + 1]] & LETTER) end = endOfLetters(points, end + 1, flags);
  return end;
}

function isRegional(point) {
  return point >= 0x1f1e6 && point <= 0x1f1ff;
}

/** Whether a code point modifies the emoji before it: variation selector, skin tones, tags. */
function isModifier(point) {
  return point === 0xfe0f || (point >= 0x1f3fb && point <= 0x1f3ff) || (point >= 0xe0020 && point <= 0xe007f);
}

function endOfEmoji(points, at, flags) {
  if (isRegional(points[at]) && isRegional(points[at + 1])) return at + 2;
  if (!(flags[points[at]] & PICTOGRAPH)) return -1;
  let end = at + 1;
  for (;;) {
    if (isModifier(points[end])) end++;
    else if (points[end] === JOINER && flags[points[end + 1]] & PICTOGRAPH) end += 2;
    else return end;
  }
}

/** The end of the token at `at`, or -1 if none starts there. The order is that of the pattern of the rule. */
function endOfToken(points, at, flags) {
  const point = points[at];
  const kind = flags[point];
  if (point === 0x68) {
    const end = endOfHost(points, at, flags);
    if (end >= 0) return end;
  }
  if (kind & LETTER) return endOfWord(points, at, flags);
  if (kind & UNSPACED) {
    let end = at + 1;
    while (flags[points[end]] & MARK) end++;
    return end;
  }
  const end = endOfEmoji(points, at, flags);
  if (end >= 0) return end;
  return kind & (WORD | SPACE) ? -1 : at + 1;
}

function spell(points, start, end) {
  let token = "";
  for (let i = start; i < end; i++) token += String.fromCodePoint(points[i]);
  return token;
}

/**
 * The tokens of a text: their `values`, and the start and end of each in code points of the text, end excluded, as
 * `spans` = [start, end, start, end, …].
 */
function tokenize(text, characters) {
  const composed = characters.nfc ? compose(text, characters) : plain(codePoints(text));
  const { points, origin } = clean(lowerCase(composed.points, characters), characters);
  const values = [];
  const spans = [];
  for (let at = 0; at < points.length; ) {
    const end = endOfToken(points, at, characters.flags);
    if (end < 0) {
      at++;
      continue;
    }
    const token = spell(points, at, end);
    if (!characters.stopWords.has(token)) {
      values.push(token);
      spans.push(composed.starts[origin[at]], composed.ends[origin[end - 1]]);
    }
    at = end;
  }
  return { values, spans };
}
