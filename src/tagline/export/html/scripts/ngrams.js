"use strict";
// Tokens to n-grams, like `tagline.features.ngrams`.
//
// An n-gram is its prefix, an n-gram of the next lower order, and its last symbol. The n-grams of one prefix are
// contiguous, sorted by their last symbols, and start at `starts[prefix]`, so that a look-up is a search among few.

/** Builds the starts from the number of n-grams of each prefix. */
function openOrder(followers, last) {
  const starts = new Int32Array(followers.length + 1);
  for (let i = 0; i < followers.length; i++) starts[i + 1] = starts[i] + followers[i];
  for (let prefix = 0; prefix < followers.length; prefix++) {
    for (let i = starts[prefix] + 1; i < starts[prefix + 1]; i++) last[i] += last[i - 1]; // stored as differences
  }
  return { starts, last };
}

function findNgram({ starts, last }, prefix, symbol) {
  let low = starts[prefix];
  let high = starts[prefix + 1] - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (last[middle] === symbol) return middle;
    if (last[middle] < symbol) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

/**
 * Calls `found(column, start, order)` for every n-gram of `symbols`, in which -1 is an unknown symbol and
 * follows the last one. `block.offsets[order - 1]` is the column of the first n-gram of an order, or -1 if n-grams of
 * the order are only prefixes.
 */
function findNgrams(symbols, block, found) {
  for (let start = 0; start < symbols.length; start++) {
    let id = symbols[start];
    for (let order = 1; id >= 0; order++) {
      const offset = block.offsets[order - 1];
      if (offset >= 0) found(offset + id, start, order);
      const next = order <= block.orders.length ? symbols[start + order] : -1;
      id = next >= 0 ? findNgram(block.orders[order - 1], id, next) : -1;
    }
  }
}

/** The symbols of words, -1 for unknown ones and after the last; positions are tokens. */
function symbolsOfWords(tokens, block) {
  const symbols = new Int32Array(tokens.length + 1).fill(-1);
  for (let i = 0; i < tokens.length; i++) {
    const symbol = block.index.get(tokens[i]);
    if (symbol !== undefined) symbols[i] = symbol;
  }
  return symbols;
}

/** The symbols of the characters of tokens, with a space on both sides and -1 at the end; and the token of each. */
function symbolsOfCharacters(tokens, block) {
  const symbols = [];
  const owners = [];
  for (let token = 0; token < tokens.length; token++) {
    for (const character of ` ${tokens[token]} `) {
      const symbol = block.index.get(character);
      symbols.push(symbol === undefined ? -1 : symbol);
      owners.push(token);
    }
    symbols.push(-1);
    owners.push(token);
  }
  return { symbols, owners };
}

/** All occurrences of the n-grams of a text: `columns`, and the `first` and `last` token of each. */
function locateNgrams(tokens, block) {
  const columns = [];
  const first = [];
  const last = [];
  if (block.of === "words") {
    findNgrams(symbolsOfWords(tokens, block), block, (column, start, order) => {
      columns.push(column);
      first.push(start);
      last.push(start + order - 1);
    });
  } else {
    const { symbols, owners } = symbolsOfCharacters(tokens, block);
    findNgrams(symbols, block, (column, start) => {
      columns.push(column);
      first.push(owners[start]);
      last.push(owners[start]);
    });
  }
  return { columns, first, last };
}

/** The symbols of the n-gram in a column of this block. */
function symbolsOf(column, block) {
  let order = block.offsets.length;
  while (block.offsets[order - 1] < 0 || block.offsets[order - 1] > column) order--;
  let id = column - block.offsets[order - 1];
  const symbols = [];
  for (; order > 1; order--) {
    const { starts, last } = block.orders[order - 2];
    symbols.unshift(last[id]);
    id = upperBound(starts, id) - 1;
  }
  symbols.unshift(id);
  return symbols;
}

/** The number of values, which are ascending, that are at most `value`. */
function upperBound(values, value) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function nameOf(column, block) {
  const symbols = symbolsOf(column, block);
  if (block.of === "words") return symbols.map((symbol) => block.symbols[symbol]).join(" ");
  return `“${symbols.map((symbol) => block.symbols[symbol]).join("")}”`;
}
