// The tab "Model": its evaluation, its training data, and its card.

const SMALL_FIGURES = {
  macro_f1: "Macro F1",
  micro_f1: "Micro F1", // for multi-label data only; otherwise it equals the accuracy
  roc_auc: "ROC AUC",
  log_loss: "Log loss",
  ece: "Calibration error (ECE)",
};
const EVALUATED_ON = {
  test: "test rows, which were not used in training",
  validation: "validation rows",
  "cross-validation": "all rows, by cross-validation",
};
const MOST_MATRIX_CLASSES = 200;
const PAIRS_SHOWN = 10;

function showFigures(about) {
  byId("about").replaceChildren(
    ...figureParts(about),
    ...plotParts(about),
    ...classParts(about),
    ...dataParts(about),
    ...cardParts(about),
  );
}

function figureParts({ figures, recipe, task }) {
  const heading = element("h2", {}, "Evaluation");
  if (!figures) {
    const why = "This model has no metrics: they are stored in the folder of its training run.";
    return [heading, element("p", {}, why)];
  }
  const name = task === "multilabel" ? "Exact match" : "Accuracy";
  const accuracy = interval(figures.accuracy_ci95, 100, 1, " %");
  const tiles = [tile(`${name} on ${number(figures.rows)} texts`, percent(figures.accuracy), accuracy)];
  for (const [key, name] of Object.entries(SMALL_FIGURES)) {
    if (figures[key] === null || figures[key] === undefined || (key === "micro_f1" && task !== "multilabel")) continue;
    const share = key.endsWith("f1");
    const value = share ? percent(figures[key]) : number(figures[key], 4);
    tiles.push(tile(name, value, interval(figures[`${key}_ci95`], share ? 100 : 1, share ? 1 : 4, share ? " %" : "")));
  }
  const evaluated = `Evaluated on ${EVALUATED_ON[figures.split]}. Trained with the recipe ${recipe.name}: ${recipe.summary}.`;
  return [heading, element("p", {}, evaluated), element("dl", { class: "tiles" }, ...tiles)];
}

function tile(name, value, range) {
  return element(
    "div",
    {},
    element("dt", {}, name),
    element("dd", { class: "value" }, value),
    range ? element("dd", { class: "interval" }, range) : null,
  );
}

function interval(range, factor, digits, unit) {
  if (!range) return null;
  const [low, high] = range.map((bound) => number(factor * bound, digits));
  return `95 % interval ${low}\u2060–\u2060${high}${unit}`; // not broken at the dash
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

function classParts({ figures, classes, task }) {
  if (!figures) return [];
  const parts = [];
  const matrix = figures.confusion_matrix;
  if (matrix && task !== "multilabel" && classes.length <= MOST_MATRIX_CLASSES) {
    const pairs = confusedPairs(matrix, classes).slice(0, PAIRS_SHOWN);
    const found = [scrolling(confusionTable(matrix, classes), "Confusion matrix", classes.length > FEW_CLASSES)];
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
    const listed = scrolling(classTable(figures.per_class), "Metrics by class", classes.length > FEW_CLASSES);
    parts.push(section("Metrics by class", listed));
  }
  return parts;
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
