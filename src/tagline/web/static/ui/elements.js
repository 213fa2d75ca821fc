// Elements, numbers and names.

const byId = (id) => document.getElementById(id);

/** Makes an element with attributes and children; text can only become text. */
function element(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

function svgElement(tag, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** A bar that screen readers skip: its number is next to it. A line marks `threshold`, if there is one. */
function bar(share, className, threshold = null) {
  const inner = element("i");
  inner.style.width = `${100 * Math.min(1, Math.max(0, share))}%`;
  const line = threshold === null ? null : element("b");
  if (line) line.style.insetInlineStart = `${100 * threshold}%`;
  return element("span", { class: className, "aria-hidden": "true" }, inner, line);
}

const formats = new Map();

function number(value, digits = 0) {
  if (!formats.has(digits)) {
    const places = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    formats.set(digits, new Intl.NumberFormat("en", places));
  }
  return formats.get(digits).format(value);
}

/** 99.97 % must not read as certainty. */
function percent(share, digits = 1) {
  const least = 10 ** -digits;
  const value = 100 * share;
  if (value > 100 - least && value < 100) return `> ${number(100 - least, digits)} %`;
  if (value < least && value > 0) return `< ${number(least, digits)} %`;
  return `${number(value, digits)} %`;
}

/** A threshold, such as 25 % or 12.5 %. */
const limit = (share) => `${number(100 * share, Number.isInteger(Math.round(1000 * share) / 10) ? 0 : 1)} %`;

const signed = (value, digits = 2) => (value < 0 ? "−" : "+") + number(Math.abs(value), digits);

/** How many digits show a difference among numbers of this size: of tiny contributions, more. */
const digitsFor = (largest) => Math.min(6, Math.max(2, 2 - Math.floor(Math.log10(largest || 1))));

const count = (n, one, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;

/** What a model assigns: one class, or any number of labels. */
const nounOf = ({ task }) => (task === "multilabel" ? { one: "label", many: "labels" } : { one: "class", many: "classes" });

/** A name without control characters and marks that change the direction of text. */
const shown = (name) => name.replace(/[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/gu, "\ufffd") || "(empty)";

const LONGEST_WORD = 16; // characters of a name, above which it breaks anywhere

/** A name as it is shown, which breaks after `_` rather than within a word. */
function named(words) {
  const isWhole = words.split(/[_\s]+/u).every((word) => word.length <= LONGEST_WORD);
  const parts = words.match(/[^_]*_+|[^_]+/g) ?? [];
  const breakable = parts.flatMap((part, i) => (i ? [element("wbr"), part] : [part]));
  return element("bdi", { class: isWhole ? "whole" : null }, ...breakable);
}

/** Shows an error's words, or hides the place for them. */
function tell(place, error) {
  place.hidden = error === null;
  place.textContent = error === null ? "" : error.message;
}

function debounced(act, ms) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(act, ms, ...given);
  };
}
