"use strict";
// How unlike the training texts a text is, like `tagline.decisions.novelty` and `tagline.features.coverage`.

/** The scores of the held-out rows, ascending, and the products of the ranks of each row; null if there are none. */
function openNovelty({ parts }, numbers) {
  if (!("novelty.confidence" in parts)) return null;
  const columns = ["confidence", "coverage"].map((name) => new Float32Array(numbers(`novelty.${name}`).buffer));
  const [confidence, coverage] = columns.map((column) => Float32Array.from(column).sort());
  const ranks = Float64Array.from(columns[0], (value, i) => upperBound(confidence, value) * upperBound(coverage, columns[1][i]));
  return { confidence, coverage, products: ranks.sort() };
}

/** How many n-grams the tokens have, known or not. */
function numberOfNgrams(tokens, block) {
  const lengths = block.of === "words" ? [tokens.length] : tokens.map((token) => [...token].length + 2);
  let total = 0;
  for (const length of lengths) {
    block.offsets.forEach((offset, i) => {
      if (offset >= 0) total += Math.max(0, length - i);
    });
  }
  return total;
}

/** The p-value of a text, small if it is unlike the training texts; null if the model cannot tell. */
function noveltyOf(tokens, rows, probabilities, { novelty, blocks }) {
  if (novelty === null) return null;
  const coverage = rows[0].located.columns.length / Math.max(1, numberOfNgrams(tokens, blocks[0]));
  const scores = [Math.max(...probabilities), coverage].map(Math.fround);
  const product = (1 + upperBound(novelty.confidence, scores[0])) * (1 + upperBound(novelty.coverage, scores[1]));
  return (1 + upperBound(novelty.products, product)) / (novelty.products.length + 1);
}
