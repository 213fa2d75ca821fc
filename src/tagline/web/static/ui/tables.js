// Tables, which scroll by themselves where they are too wide.

/** `columns` are {name, start: true for text}; `rows` arrays of strings or nodes, the first one heads its row. */
function table(caption, columns, rows, { className = null, feet = [] } = {}) {
  const cell = (content, k, tag = "td") => element(tag, { class: columns[k].start ? "start" : null }, content);
  const line = (row) =>
    element("tr", {}, ...row.map((content, k) => {
      if (k > 0) return cell(content, k);
      return element("th", { scope: "row", class: columns[0].start ? "start" : null, dir: "auto" }, content);
    }));
  return element(
    "table",
    { class: className },
    element("caption", {}, caption),
    element("thead", {}, element("tr", {}, ...columns.map(({ name, start }) => element("th", { scope: "col", class: start ? "start" : null }, name)))),
    element("tbody", {}, ...rows.map(line)),
    feet.length ? element("tfoot", {}, ...feet.map(line)) : null,
  );
}

/** What is wider than the page, or tall, scrolls in a region that the keyboard reaches. */
function scrolling(content, label, tall = false) {
  return element("div", { class: tall ? "scroll tall" : "scroll", tabindex: "0", role: "region", "aria-label": label }, content);
}

/** Heat in five steps of the share of a row; 0 is the plain cell. */
const heat = (share) => (share === 0 ? "none" : share < 0.02 ? null : `h${Math.min(4, 1 + Math.floor(share * 4))}`);

const FEW_CLASSES = 12;

function confusionTable(matrix, classes) {
  const many = classes.length > FEW_CLASSES;
  const head = element(
    "tr",
    {},
    element("th", { class: "start", scope: "col" }, "in truth ↓ · the model said →"),
    ...classes.map((name) => element("th", { scope: "col", dir: "auto", title: many ? shown(name) : null }, element("span", {}, shown(name)))),
  );
  const rows = matrix.map((counts, i) => {
    const total = Math.max(1, counts.reduce((sum, n) => sum + n, 0));
    const cells = counts.map((n) => {
      const share = n / total;
      const cell = element("td", { class: heat(share) }, many && n === 0 ? "·" : number(n));
      if (!many) cell.append(element("small", {}, percent(share, share === 1 || share === 0 ? 0 : 1)));
      return cell;
    });
    return element("tr", {}, element("th", { scope: "row", dir: "auto" }, shown(classes[i])), ...cells);
  });
  const caption = element("caption", {}, "Rows are what the texts are, columns what the model said; shares are of the row. Right answers stand on the diagonal.");
  return element("table", { class: many ? "matrix many" : "matrix" }, caption, element("thead", {}, head), element("tbody", {}, ...rows));
}

/** The pairs most often taken for each other: [truth, said, rows, share of the truth's rows]. */
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

function classTable(perClass) {
  const share = (value) => (value === null || value === undefined ? "–" : percent(value));
  const range = (interval) => (interval ? `${number(100 * interval[0], 1)}–${number(100 * interval[1], 1)}` : "–");
  const columns = ["precision", "recall", "F1", "95 % interval of F1", "texts"].map((name) => ({ name }));
  const rows = Object.entries(perClass).map(([name, row]) => [
    shown(name),
    share(row.precision),
    share(row.recall),
    share(row.f1),
    range(row.f1_ci95),
    number(row.support),
  ]);
  return table("Each class against the rest, on texts held out", [{ name: "class", start: true }, ...columns], rows);
}
