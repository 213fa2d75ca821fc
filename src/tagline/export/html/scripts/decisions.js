"use strict";
// What is answered for given probabilities, like `tagline.decisions`: nothing where the model is unsure; several classes.

/** Decisions of `options` as `tagline predict` takes them; of `abstain` and `sets` the levels of `guarantees`. */
function decisionsOf({ abstain = null, unsureBelow = null, sets = null }, guarantees) {
  const level = guarantees?.abstention.find(({ accuracy }) => accuracy === abstain);
  if (abstain !== null && level === undefined) throw new Error(`The model does not support an accuracy of ${abstain}.`);
  return {
    unsureBelow: Math.max(level?.threshold ?? 0, unsureBelow ?? 0),
    setThreshold: guarantees?.sets.find(({ coverage }) => coverage === sets)?.threshold ?? null,
  };
}

/** The classes of the prediction set, the most probable one first; the class predicted always is among them. */
function predictionSet({ prediction, probabilities }, classes, threshold) {
  const ranked = classes.map((_, k) => k).sort((a, b) => probabilities[b] - probabilities[a]); // stable
  return ranked.map((k) => classes[k]).filter((name, i) => probabilities[ranked[i]] >= threshold || name === prediction);
}
