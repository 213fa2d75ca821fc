"use strict";
// N-grams to logits, probabilities, labels and explanations, like `tagline.classifier` and `tagline.explain`.

function frequency(count, tf) {
  if (tf === "binary") return 1;
  return tf === "log" ? 1 + Math.log(count) : count;
}

/** The distinct n-grams of one block: their columns, ascending, and their counts in `found`. */
function countNgrams(found, block) {
  const { tally } = block; // zeros, one for each column
  const distinct = [];
  for (const column of found) if (tally[column]++ === 0) distinct.push(column);
  const columns = Int32Array.from(distinct).sort();
  const counts = columns.map((column) => tally[column]);
  for (const column of columns) tally[column] = 0;
  return { columns, counts };
}

/** The n-grams of a text, block by block: their positions, and the `factors` of their weights. */
function features(tokens, model) {
  return model.blocks.map((block) => {
    const located = locateNgrams(tokens, block);
    const { columns, counts } = countNgrams(located.columns, block);
    const factors = Float64Array.from(counts, (count) => frequency(count, model.tf));
    if (model.unit) {
      let squares = 0;
      for (let i = 0; i < columns.length; i++) squares += (factors[i] * block.scale(columns[i])) ** 2;
      const norm = squares > 0 ? Math.sqrt(squares) : 1;
      for (let i = 0; i < columns.length; i++) factors[i] /= norm;
    }
    return { columns, counts, factors, located };
  });
}

/**
 * Calibration methods by their kind in the payload: `apply` maps logits to calibrated ones, `line` is [slope,
 * intercept] of the scores of an output that are explained.
 */
const CALIBRATIONS = {
  temperature: {
    apply: (logits, { temperature }) => logits.map((logit) => logit / temperature),
    line: ({ temperature }) => [1 / temperature, 0],
  },
  sigmoid: {
    apply: (logits, { slope, intercept }) => logits.map((logit) => logSigmoid(slope * logit + intercept)),
    line: ({ slope, intercept }) => [slope, intercept],
  },
  platt: {
    apply: (logits, { slopes, intercepts }) => logits.map((logit, k) => slopes[k] * logit + intercepts[k]),
    line: ({ slopes, intercepts }, output) => [slopes[output], intercepts[output]],
  },
};

function logSigmoid(x) {
  return x < 0 ? x - Math.log1p(Math.exp(x)) : -Math.log1p(Math.exp(-x));
}

/** Logits before calibration: one output for two classes, else one a class. */
function logitsOf(rows, model) {
  return Array.from(model.intercept, (intercept, output) => {
    let sum = 0;
    rows.forEach(({ columns, factors }, b) => {
      const { weight } = model.blocks[b];
      for (let i = 0; i < columns.length; i++) sum += factors[i] * weight(columns[i], output);
    });
    return sum + intercept;
  });
}

function calibrated(logits, { calibration }) {
  return CALIBRATIONS[calibration.kind].apply(logits, calibration);
}

function sigmoid(logit) {
  return 1 / (1 + Math.exp(-logit));
}

/** The probability of each class, in the order of `model.classes`. */
function probabilitiesOf(logits, model) {
  if (model.task === "multilabel") return logits.map(sigmoid);
  if (logits.length === 1) {
    const second = sigmoid(logits[0]);
    return [1 - second, second];
  }
  const largest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

function largestOf(values) {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}

/** The threshold of a label; some models have one for all labels. */
function thresholdOf(label, { threshold }) {
  return Array.isArray(threshold) ? threshold[label] : threshold;
}

/** The index of the predicted class; for a multi-label task the indices of all predicted labels. */
function decide(probabilities, model) {
  if (model.task === "multilabel") {
    return probabilities.flatMap((probability, i) => (probability > thresholdOf(i, model) ? [i] : []));
  }
  if (model.task === "binary") {
    const second = model.classes.indexOf(model.positive);
    return probabilities[second] > model.threshold ? second : 1 - second;
  }
  if (model.costs) return cheapest(probabilities, model.costs);
  if (model.positive === null) return largestOf(probabilities);
  const own = model.classes.indexOf(model.positive);
  if (probabilities[own] > model.threshold) return own;
  return largestOf(probabilities.map((probability, i) => (i === own ? -1 : probability)));
}

/** The index of the class with the smallest expected cost; of equal costs, the most probable one. */
function cheapest(probabilities, costs) {
  const expected = probabilities.map((_, j) => probabilities.reduce((sum, p, k) => sum + p * costs[k][j], 0));
  const least = Math.min(...expected) * (1 + 1e-12);
  return largestOf(probabilities.map((probability, j) => (expected[j] <= least ? probability : -1)));
}

/** The label of a text, its probability (null for a multi-label task) and those of all classes. */
function classify(text, model) {
  const { values } = tokenize(text, model.characters);
  const probabilities = probabilitiesOf(calibrated(logitsOf(features(values, model), model), model), model);
  const decided = decide(probabilities, model);
  if (model.task === "multilabel") {
    return { prediction: decided.map((i) => model.classes[i]), probability: null, probabilities };
  }
  return { prediction: model.classes[decided], probability: probabilities[decided], probabilities };
}

/** For each distinct n-gram of a block the tokens of its occurrences, [first, last, first, last, …]. */
function placesOf({ columns, counts, located }, block) {
  const places = Array.from(counts, () => []);
  const { tally } = block;
  columns.forEach((column, i) => {
    tally[column] = i;
  });
  located.columns.forEach((column, k) => places[tally[column]].push(located.first[k], located.last[k]));
  for (const column of columns) tally[column] = 0;
  return places;
}

/** The distinct spans in characters of positions in tokens, in order. */
function spansOf(places, spans) {
  const distinct = [];
  let before = -1;
  for (let i = 0; i < places.length; i += 2) {
    if (places[i] === before) continue; // the same word again, for another of its characters
    before = places[i];
    distinct.push([spans[2 * places[i]], spans[2 * places[i + 1] + 1]]);
  }
  return distinct;
}

/**
 * The contributions by word, like `attribute_columns` of `tagline.explain.columns`: n-grams inside one token are folded
 * into the word that it is, divided by occurrences; n-grams of several words are entries of their own.
 */
function foldIntoWords(contributions, tokens, spans) {
  const found = new Map(); // by word, and by n-gram of several
  const entryOf = (key, name, where) => {
    if (!found.has(key)) found.set(key, { name, value: 0, spans: where, features: [] });
    return found.get(key);
  };
  const spansByWord = new Map();
  tokens.forEach((word, i) => {
    if (!spansByWord.has(word)) spansByWord.set(word, []);
    spansByWord.get(word).push([spans[2 * i], spans[2 * i + 1]]);
  });
  for (const contribution of contributions) {
    const { name, value, places } = contribution;
    if (places[0] !== places[1]) {
      entryOf(contribution, name, contribution.spans).features.push({ name, value });
      continue;
    }
    const counts = new Map();
    for (let i = 0; i < places.length; i += 2) {
      const word = tokens[places[i]];
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    for (const [word, count] of counts) {
      const share = (value * count * 2) / places.length;
      entryOf(word, word, spansByWord.get(word)).features.push({ name, value: share });
    }
  }
  const words = [...found.values()];
  for (const word of words) {
    word.value = word.features.reduce((sum, { value }) => sum + value, 0);
    word.features.sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  }
  return words.sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
}

/**
 * What each n-gram adds to the logit of a class, by default the predicted one; `words` divides it equally among the
 * tokens of all its occurrences.
 */
function explain(text, className, model) {
  const { values: tokens, spans } = tokenize(text, model.characters);
  const rows = features(tokens, model);
  const logits = logitsOf(rows, model);
  const probabilities = probabilitiesOf(calibrated(logits, model), model);
  const decided = decide(probabilities, model);
  let index = model.task === "multilabel" ? largestOf(probabilities) : decided;
  if (className !== null && className !== undefined) {
    index = model.classes.indexOf(className);
    if (index < 0) throw new Error(`The model has no class “${className}”.`);
  }
  const oneOutput = model.intercept.length === 1;
  const output = oneOutput ? 0 : index;
  const sign = oneOutput && index === 0 ? -1 : 1;
  const [slope, shift] = CALIBRATIONS[model.calibration.kind].line(model.calibration, output);
  const factor = sign * slope;

  const contributions = [];
  rows.forEach((row, b) => {
    const block = model.blocks[b];
    const places = placesOf(row, block);
    row.columns.forEach((column, i) => {
      const value = row.factors[i] * block.weight(column, output) * factor;
      contributions.push({ column, block, value, places: places[i] });
    });
  });
  contributions.sort((a, b) => Math.abs(b.value) - Math.abs(a.value)); // stable: equal ones by column

  const shares = new Float64Array(tokens.length);
  for (const { value, places } of contributions) {
    let covered = 0;
    for (let i = 0; i < places.length; i += 2) covered += places[i + 1] - places[i] + 1;
    for (let i = 0; i < places.length; i += 2) {
      for (let token = places[i]; token <= places[i + 1]; token++) shares[token] += value / covered;
    }
  }
  const intercept = model.intercept[output] * factor + sign * shift;
  const named = contributions.map(({ column, block, value, places }) => ({
    name: nameOf(column, block),
    value,
    spans: spansOf(places, spans),
    places,
  }));
  return {
    prediction: Array.isArray(decided) ? decided.map((i) => model.classes[i]) : model.classes[decided],
    probabilities: Object.fromEntries(model.classes.map((name, i) => [name, probabilities[i]])),
    class: model.classes[index],
    probability: probabilities[index],
    scale: model.task === "multiclass" ? "score" : "log-odds",
    intercept,
    score: contributions.reduce((sum, { value }) => sum + value, intercept),
    contributions: named.map(({ name, value, spans: where }) => ({ name, value, spans: where })),
    by_word: foldIntoWords(named, tokens, spans),
    words: Array.from(shares, (share, i) => [spans[2 * i], spans[2 * i + 1], share]),
    novelty_p_value: noveltyOf(tokens, rows, probabilities, model),
    truncated: false,
  };
}
