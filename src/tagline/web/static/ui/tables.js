// Tables, which scroll by themselves where they are too wide.

/** `columns` are {name, start: true for text}; `rows` arrays of strings or nodes, the first one heads its row. */
function table(caption, columns, rows, { className = null, feet = [] } = {}) {
  const cell = (content, k) => {
    const { start } = columns[k];
    const attributes = { class: start ? "start" : null, ...(k === 0 ? { scope: "row" } : {}) };
    const isolated = () => (typeof content === "string" ? named(content) : element("bdi", {}, content));
    return element(k === 0 ? "th" : "td", attributes, start ? isolated() : content);
  };
  const head = ({ name, start }) => element("th", { scope: "col", class: start ? "start" : null }, name);
  const line = (row) => element("tr", {}, ...row.map(cell));
  return element(
    "table",
    { class: className },
    captionOf(caption),
    element("thead", {}, element("tr", {}, ...columns.map(head))),
    element("tbody", {}, ...rows.map(line)),
    feet.length ? element("tfoot", {}, ...feet.map(line)) : null,
  );
}

/** It stays in sight when its table is scrolled sideways. */
const captionOf = (words) => element("caption", {}, element("span", {}, words));

/** What is wider than the page, or tall, scrolls in a region that the keyboard reaches. */
function scrolling(content, label, tall = false) {
  const attributes = { class: tall ? "scroll tall" : "scroll", tabindex: "0", role: "region", "aria-label": label };
  return element("div", attributes, content);
}

const ROWS_SHOWN = 30;

/** What `make` makes of the first rows, and a button for `all` of them, as in "the 50 least sure". */
function expandable(rows, make, label, all, few = ROWS_SHOWN) {
  if (rows.length <= few) return [scrolling(make(rows), label)];
  const place = element("div", {}, scrolling(make(rows.slice(0, few)), label));
  const button = element("button", { type: "button", class: "plain" });
  let isWhole = false;
  const name = () => {
    button.textContent = isWhole ? `Show only ${few}` : `Show ${all}`;
    button.setAttribute("aria-expanded", String(isWhole));
  };
  button.addEventListener("click", () => {
    isWhole = !isWhole;
    place.replaceChildren(scrolling(make(isWhole ? rows : rows.slice(0, few)), label));
    name();
  });
  name();
  return [place, button];
}

/** Heat in five steps of the share of a row; 0 is the plain cell. */
const heat = (share) => (share === 0 ? "none" : share < 0.02 ? null : `h${Math.min(4, 1 + Math.floor(share * 4))}`);

const FEW_CLASSES = 12;
const VERY_FEW_CLASSES = 5; // a phone has room for their shares

function confusionTable(matrix, classes) {
  const many = classes.length > FEW_CLASSES;
  const heading = (name, scope) =>
    element("th", { scope, title: shown(name) }, element("bdi", {}, shown(name)));
  const head = element(
    "tr",
    {},
    element("th", { class: "start", scope: "col" }, "true label ↓ · predicted →"),
    ...classes.map((name) => heading(name, "col")),
  );
  const rows = matrix.map((counts, i) => {
    const total = Math.max(1, counts.reduce((sum, n) => sum + n, 0));
    const cells = counts.map((n) => {
      const share = n / total;
      const cell = element("td", { class: heat(share) }, many && n === 0 ? "·" : number(n));
      if (!many) cell.append(element("small", {}, percent(share, share === 1 || share === 0 ? 0 : 1)));
      return cell;
    });
    return element("tr", {}, heading(classes[i], "row"), ...cells);
  });
  return element(
    "table",
    { class: many ? "matrix many" : classes.length > VERY_FEW_CLASSES ? "matrix several" : "matrix" },
    captionOf("Rows are true labels, columns are predictions. Correct predictions are on the diagonal."),
    element("thead", {}, head),
    element("tbody", {}, ...rows),
  );
}

/** The most confused pairs: [true label, prediction, rows, share of the true label]. */
function confusedPairs(matrix, classes) {
  const pairs = [];
  matrix.forEach((counts, i) => {
    const total = counts.reduce((sum, n) => sum + n, 0);
    counts.forEach((n, j) => {
      if (i !== j && n > 0) pairs.push([classes[i], classes[j], n, n / total]);
    });
  });
  return pairs.sort((a, b) => b[2] - a[2] || b[3] - a[3]);
}

/** `thresholds` are those of labels by name, null if one decides for all. */
function classTables(perClass, noun, thresholds) {
  const share = (value) => (value === null || value === undefined ? "–" : percent(value));
  const range = (bounds) => {
    const telling = bounds && bounds[1] - bounds[0] < 1;
    return telling ? bounds.map((bound) => number(100 * bound, 1)).join("–") : "–";
  };
  const names = ["precision", "recall", "F1", "95 % interval of F1", "texts", ...(thresholds ? ["threshold"] : [])];
  const columns = names.map((name) => ({ name }));
  const caption = `Each ${noun.one} against the rest, on test texts`;
  const heads = [{ name: noun.one, start: true }, ...columns];
  const make = (listed) => table(caption, heads, listed, { className: "figures" });
  const rows = Object.entries(perClass).map(([name, row]) => [
    shown(name),
    share(row.precision),
    share(row.recall),
    share(row.f1),
    range(row.f1_ci95),
    number(row.support),
    ...(thresholds ? [limit(thresholds[name])] : []),
  ]);
  return expandable(rows, make, `Metrics by ${noun.one}`, `all ${count(rows.length, noun.one, noun.many)}`);
}
