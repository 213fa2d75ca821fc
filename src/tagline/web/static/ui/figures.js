// The tab "Model": its evaluation, its training data, and its card.

const EVALUATED_ON = {
  test: "test rows, which were not used in training",
  validation: "validation rows",
  "cross-validation": "rows, by cross-validation",
};
const MOST_MATRIX_CLASSES = 200;
const MOST_WHOLE = 50; // classes, beyond which the matrix scrolls below its head
const PAIRS_SHOWN = 10;

function showFigures(about) {
  byId("about").replaceChildren(
    ...figureParts(about),
    ...plotParts(about),
    ...classParts(about),
    ...featureParts(about),
    ...dataParts(about),
    ...cardParts(about),
  );
}

function figureParts({ figures }) {
  const heading = element("h2", {}, "Evaluation");
  if (!figures) {
    const why = "This model has no metrics: they are stored in the folder of its training run.";
    return [heading, element("p", {}, why)];
  }
  const evaluated = `Evaluated on ${number(figures.rows)} ${EVALUATED_ON[figures.split]}.`;
  return [heading, element("p", {}, evaluated), element("dl", { class: "tiles" }, ...figures.tiles.map(tile))];
}

function tile({ name, value, interval }) {
  return element(
    "div",
    {},
    element("dt", {}, name),
    element("dd", { class: "value" }, value),
    interval ? element("dd", { class: "interval" }, "95 % interval ", element("span", {}, interval)) : null,
  );
}

function plotParts({ figures, calibration, curves, positive, task }) {
  const plots = [];
  if (calibration?.length) plots.push(calibrationFigure(calibration, task === "multilabel"));
  if (curves?.roc?.length) plots.push(rocFigure(curves.roc, positive ?? "", figures?.roc_auc ?? null));
  const history = curves?.history;
  if (history?.loss) plots.push(historyFigure("Loss", history, "loss"));
  if (history?.accuracy) plots.push(historyFigure("Accuracy", history, "accuracy"));
  return plots.length ? [section("Plots", element("div", { class: "plots" }, ...plots))] : [];
}

function section(title, ...children) {
  return element("section", {}, element("h2", {}, title), ...children);
}

function classParts({ figures, classes, task, threshold }) {
  if (!figures) return [];
  const parts = [];
  const noun = nounOf({ task });
  const matrix = figures.confusion_matrix;
  if (matrix && task !== "multilabel" && classes.length <= MOST_MATRIX_CLASSES) {
    const pairs = confusedPairs(matrix, classes).slice(0, PAIRS_SHOWN);
    const found = [scrolling(confusionTable(matrix, classes), "Confusion matrix", classes.length > MOST_WHOLE)];
    if (classes.length > FEW_CLASSES && pairs.length) {
      const columns = [
        { name: "true label", start: true },
        { name: "predicted label", start: true },
        { name: "texts" },
        { name: "share of the true label" },
      ];
      const rows = pairs.map(([truth, predicted, n, share]) => [shown(truth), shown(predicted), number(n), percent(share)]);
      const listed = table("Most confused pairs", columns, rows);
      found.unshift(scrolling(listed, "Most confused pairs"));
    }
    parts.push(section("Confusion matrix", ...found));
  }
  if (figures.per_class) {
    const differ = Array.isArray(threshold) && new Set(threshold).size > 1;
    const thresholds = differ ? Object.fromEntries(classes.map((name, i) => [name, threshold[i]])) : null;
    parts.push(section(`Metrics by ${noun.one}`, ...classTables(figures.per_class, noun, thresholds)));
  }
  return parts;
}

function featureParts({ features, task }) {
  if (!features) return [];
  const noun = nounOf({ task });
  const rows = features.map(({ class: name, features: words }) => [shown(name), wordList(words)]);
  const columns = [{ name: noun.one, start: true }, { name: "words and n-grams", start: true }];
  const caption = `The words and n-grams that matter most on average for each ${noun.one}, the most important first.`;
  const make = (listed) => table(caption, columns, listed);
  const tables = expandable(rows, make, `Words by ${noun.one}`, `all ${count(rows.length, noun.one, noun.many)}`);
  return [section(`Top features of each ${noun.one}`, ...tables)];
}

function wordList(words) {
  if (words.length === 0) return "none";
  const parts = words.flatMap((word, i) => [i ? " · " : "", element("bdi", {}, shown(word))]);
  return element("span", {}, ...parts);
}

function dataParts({ data, trained }) {
  const facts = [...(data?.facts ?? [])];
  if (trained) facts.push(`Trained on ${trained.slice(0, 10)}.`);
  return facts.length ? [section("Training data", factList(facts))] : [];
}

function cardParts({ card }) {
  return card?.length ? [section("Model card", factList(card))] : [];
}

function factList(sentences) {
  const items = sentences.map((sentence) => element("li", { dir: "auto" }, ...withCode(sentence)));
  return element("ul", { class: "facts" }, ...items);
}

/** Sentences have names and values in backticks. */
function withCode(sentence) {
  return sentence.split(/`([^`]+)`/).map((piece, i) => (i % 2 ? element("code", {}, piece) : piece));
}
