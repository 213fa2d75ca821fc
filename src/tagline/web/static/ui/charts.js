// Plots, as SVG. A table after each one has its numbers.

const PLOT = { width: 420, height: 320, left: 66, right: 14, top: 14, bottom: 44 };

function scale([low, high], from, to) {
  return (value) => from + ((value - low) / (high - low || 1)) * (to - from);
}

/** Round steps over a range: 1, 2 or 5 times a power of ten; `whole`: at least 1. */
function ticks([low, high], most = 6, whole = false) {
  const rough = (high - low || 1) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const round = [1, 2, 5, 10].map((n) => n * power).find((size) => size >= rough);
  const step = whole ? Math.max(1, round) : round;
  const found = [];
  for (let n = Math.ceil(low / step - 1e-9) + 0; n * step <= high + step * 1e-9; n++) found.push(n * step);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return found.map((value) => ({ value, name: number(value, digits) }));
}

/** `lines` are {points: [[x, y, radius of a dot]…], dots: bool, second: bool}; `across` and `up` {name, range, whole}. */
function plot(label, across, up, lines, { ideal = null } = {}) {
  const { width, height, left, right, top, bottom } = PLOT;
  const x = scale(across.range, left, width - right);
  const y = scale(up.range, height - bottom, top);
  const at = (value) => value.toFixed(1);
  const drawing = svgElement("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
  for (const { value, name } of ticks(up.range)) {
    drawing.append(
      svgElement("path", { class: "grid", d: `M${left} ${at(y(value))}H${width - right}` }),
      svgElement("text", { x: left - 8, y: at(y(value) + 4), "text-anchor": "end" }, name),
    );
  }
  for (const { value, name } of ticks(across.range, 6, across.whole)) {
    drawing.append(svgElement("text", { x: at(x(value)), y: height - bottom + 18, "text-anchor": "middle" }, name));
  }
  drawing.append(
    svgElement("path", { class: "axis", d: `M${left} ${top}V${height - bottom}H${width - right}` }),
    svgElement("text", { x: (left + width - right) / 2, y: height - 8, "text-anchor": "middle" }, across.name),
    svgElement(
      "text",
      { x: -(top + height - bottom) / 2, y: 14, transform: "rotate(-90)", "text-anchor": "middle" },
      up.name,
    ),
  );
  const path = (points) => points.map((point, i) => `${i ? "L" : "M"}${at(x(point[0]))} ${at(y(point[1]))}`).join("");
  if (ideal) drawing.append(svgElement("path", { class: "ideal", d: path(ideal) }));
  for (const { points, dots = false, second = false } of lines) {
    const known = points.filter(([, value]) => value !== null);
    const className = second ? " second" : "";
    drawing.append(svgElement("path", { class: `line${className}`, d: path(known) }));
    if (!dots) continue;
    for (const [a, b, radius = 3.5] of known) {
      drawing.append(svgElement("circle", { class: `dot${className}`, cx: at(x(a)), cy: at(y(b)), r: at(radius) }));
    }
  }
  return drawing;
}

function figure(title, drawing, caption, numbers) {
  const summary = element("summary", {}, "Show as a table");
  return element(
    "figure",
    {},
    element("h3", {}, title),
    drawing,
    element("figcaption", {}, caption),
    element("details", {}, summary, scrolling(numbers, `${title}: numbers`, true)),
  );
}

function calibrationFigure(bins, multilabel) {
  const most = Math.max(...bins.map(({ rows }) => rows));
  const radius = (rows) => 2.5 + 4.5 * Math.sqrt(rows / most);
  const points = bins.map(({ confidence, share_right: right, rows }) => [confidence, right, radius(rows)]);
  const low = Math.min(...points.flatMap(([confidence, right]) => [confidence, right]));
  const start = Math.min(0.9, Math.floor(low * 10) / 10);
  const range = [start, 1];
  const drawing = plot(
    "Calibration: accuracy by confidence",
    { name: multilabel ? "probability of a label" : "confidence", range },
    { name: multilabel ? "observed frequency" : "accuracy", range },
    [{ points, dots: true }],
    { ideal: [[start, start], [1, 1]] },
  );
  const columns = ["probability", "texts", "mean probability", "observed frequency"].map((name) => ({ name }));
  const numbers = bins.map((bin) => [
    `${number(100 * bin.low)}–${number(100 * bin.high)} %`,
    number(bin.rows),
    percent(bin.confidence),
    percent(bin.share_right),
  ]);
  const caption =
    "On the dashed line, probabilities equal observed frequencies; below it, probabilities are too high. " +
    "Larger dots stand for more texts.";
  return figure("Calibration", drawing, caption, table("Texts by probability", columns, numbers));
}

function rocFigure(points, positive, area) {
  const drawing = plot(
    `ROC curve of ${shown(positive)}`,
    { name: "false positive rate", range: [0, 1] },
    { name: "true positive rate", range: [0, 1] },
    [{ points }],
    { ideal: [[0, 0], [1, 1]] },
  );
  const every = Math.max(1, Math.ceil(points.length / 40));
  const kept = points.filter((_, i) => i % every === 0 || i === points.length - 1);
  const rows = kept.map(([fpr, tpr]) => [percent(fpr), percent(tpr)]);
  const known = area === null ? "" : ` The area under the curve is ${number(area, 4)}.`;
  const caption = `One point for each threshold; the dashed line is guessing.${known}`;
  const columns = [{ name: "false positive rate" }, { name: "true positive rate" }];
  return figure("ROC curve", drawing, caption, table("Points of the curve", columns, rows));
}

function historyFigure(title, history, name) {
  const epochs = history.epoch;
  const watched = history[`val_${name}`] ?? null;
  const values = [...history[name], ...(watched ?? [])].filter((value) => value !== null);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = (high - low || Math.abs(high) || 1) * 0.06;
  const points = (column) => column.map((value, i) => [epochs[i], value]);
  const lines = [{ points: points(history[name]), dots: epochs.length < 40 }];
  if (watched) lines.push({ points: points(watched), dots: epochs.length < 40, second: true });
  const drawing = plot(
    `${title} by epoch`,
    { name: "epoch", whole: true, range: [epochs[0], Math.max(epochs[0] + 1, epochs.at(-1))] },
    { name, range: [low - room, high + room] },
    lines,
  );
  const written = (value) => (value === null ? "–" : number(value, 4));
  const measured = watched ? [history[name], watched] : [history[name]];
  const columns = ["epoch", "training rows", "validation rows"].slice(0, 1 + measured.length);
  const rows = epochs.map((epoch, i) => [number(epoch), ...measured.map((column) => written(column[i]))]);
  const beside = watched ? ", the dashed line of validation rows" : "";
  const caption = `The solid line is of training rows${beside}.`;
  const numbers = table(`${title} by epoch`, columns.map((column) => ({ name: column })), rows);
  return figure(title, drawing, caption, numbers);
}
