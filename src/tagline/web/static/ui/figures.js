// The tab "This model": what it was judged on, what it learnt from, and its card.

const SMALL_FIGURES = {
  macro_f1: "F1, mean of the classes",
  micro_f1: "F1, all labels together",
  roc_auc: "area under the ROC curve",
  log_loss: "log loss",
  ece: "calibration error",
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
  const heading = element("h2", {}, "How good it is");
  if (!figures) {
    return [heading, element("p", {}, "No figures came with this model: they stand in the folder of the run that made it.")];
  }
  const right = task === "multilabel" ? "given exactly their labels" : "right";
  const tiles = [tile(`of ${number(figures.rows)} held-out texts ${right}`, percent(figures.accuracy), interval(figures.accuracy_ci95, 100, 1, " %"))];
  for (const [key, name] of Object.entries(SMALL_FIGURES)) {
    if (figures[key] === null || figures[key] === undefined) continue;
    const share = key.endsWith("f1");
    const value = share ? percent(figures[key]) : number(figures[key], 4);
    tiles.push(tile(name, value, interval(figures[`${key}_ci95`], share ? 100 : 1, share ? 1 : 4, share ? " %" : "")));
  }
  const judged = `Judged on ${figures.split === "test" ? "test rows, which had no part in its making" : `${figures.split} rows`}. Trained by the recipe ${recipe.name}: ${recipe.summary}.`;
  return [heading, element("p", {}, judged), element("dl", { class: "tiles" }, ...tiles)];
}

function tile(name, value, range) {
  return element("div", {}, element("dt", {}, name), element("dd", { class: "value" }, value), range ? element("dd", { class: "interval" }, range) : null);
}

function interval(range, factor, digits, unit) {
  return range ? `95 % interval ${number(factor * range[0], digits)}–${number(factor * range[1], digits)}${unit}` : null;
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
      const columns = [{ name: "in truth", start: true }, { name: "taken for", start: true }, { name: "texts" }, { name: "share of the class" }];
      const rows = pairs.map(([truth, said, n, share]) => [shown(truth), shown(said), number(n), percent(share)]);
      found.unshift(scrolling(table("The pairs most often taken for each other", columns, rows), "Most confused pairs"));
    }
    parts.push(section("What is taken for what", ...found));
  }
  if (figures.per_class) {
    parts.push(section("Class by class", scrolling(classTable(figures.per_class), "Figures of each class", classes.length > FEW_CLASSES)));
  }
  return parts;
}

function dataParts({ data, trained }) {
  const facts = [...(data?.facts ?? [])];
  if (trained) facts.push(`Trained on ${trained.slice(0, 10)}.`);
  return facts.length ? [section("What it learnt from", factList(facts))] : [];
}

function cardParts({ card }) {
  return card?.length ? [section("Card", factList(card))] : [];
}

function factList(sentences) {
  return element("ul", { class: "facts" }, ...sentences.map((sentence) => element("li", { dir: "auto" }, ...withCode(sentence))));
}

/** Sentences have names and values in backticks. */
function withCode(sentence) {
  return sentence.split(/`([^`]+)`/).map((piece, i) => (i % 2 ? element("code", {}, piece) : piece));
}
