// Plots, as SVG. Each one has its numbers in a table beside it.

const PLOT = { width: 420, height: 320, left: 52, right: 14, top: 14, bottom: 44 };

function scale([low, high], from, to) {
  return (value) => from + ((value - low) / (high - low || 1)) * (to - from);
}

/** Round steps over a range: 1, 2 or 5 times a power of ten. */
function ticks([low, high], most = 6) {
  const rough = (high - low || 1) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((size) => size >= rough);
  const found = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n++) found.push(n * step);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return found.map((value) => ({ value, name: number(value, digits) }));
}

/** `lines` are {points: [[x, y]…], dots: bool, second: bool}; `across` and `up` {name, range}. */
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
  for (const { value, name } of ticks(across.range)) {
    drawing.append(svgElement("text", { x: at(x(value)), y: height - bottom + 18, "text-anchor": "middle" }, name));
  }
  drawing.append(
    svgElement("path", { class: "axis", d: `M${left} ${top}V${height - bottom}H${width - right}` }),
    svgElement("text", { x: (left + width - right) / 2, y: height - 8, "text-anchor": "middle" }, across.name),
    svgElement("text", { x: -(top + height - bottom) / 2, y: 14, transform: "rotate(-90)", "text-anchor": "middle" }, up.name),
  );
  const path = (points) => points.map((point, i) => `${i ? "L" : "M"}${at(x(point[0]))} ${at(y(point[1]))}`).join("");
  if (ideal) drawing.append(svgElement("path", { class: "ideal", d: path(ideal) }));
  for (const { points, dots = false, second = false } of lines) {
    const known = points.filter(([, value]) => value !== null);
    const className = second ? " second" : "";
    drawing.append(svgElement("path", { class: `line${className}`, d: path(known) }));
    if (dots) for (const [a, b] of known) drawing.append(svgElement("circle", { class: `dot${className}`, cx: at(x(a)), cy: at(y(b)), r: 3.5 }));
  }
  return drawing;
}

function figure(title, drawing, caption, numbers) {
  return element(
    "figure",
    {},
    element("h3", {}, title),
    drawing,
    element("figcaption", {}, caption),
    element("details", {}, element("summary", {}, "The same as a table"), scrolling(numbers, `${title}: numbers`, true)),
  );
}

function calibrationFigure(bins, multilabel) {
  const points = bins.map(({ confidence, share_right: right }) => [confidence, right]);
  const low = Math.min(...points.flat(), 1);
  const start = Math.min(0.9, Math.floor(low * 10) / 10);
  const range = [start, 1];
  const drawing = plot(
    "Calibration: how often the model is right, by how sure it is",
    { name: multilabel ? "probability of a label" : "how sure the model is", range },
    { name: multilabel ? "share that has it" : "share that is right", range },
    [{ points, dots: true }],
    { ideal: [[start, start], [1, 1]] },
  );
  const columns = ["probability", "texts", "mean probability", "came true"].map((name) => ({ name }));
  const rows = bins.map((bin) => [
    `${number(100 * bin.low)}–${number(100 * bin.high)} %`,
    number(bin.rows),
    percent(bin.confidence),
    percent(bin.share_right),
  ]);
  const caption = "On the dashed line probabilities mean what they say; below it the model is surer than it should be.";
  return figure("Calibration", drawing, caption, table("Texts by probability", columns, rows));
}

function rocFigure(points, positive, area) {
  const drawing = plot(
    `ROC curve of ${shown(positive)}`,
    { name: "false positives, share of the others", range: [0, 1] },
    { name: `share of “${shown(positive)}” found`, range: [0, 1] },
    [{ points }],
    { ideal: [[0, 0], [1, 1]] },
  );
  const every = Math.max(1, Math.ceil(points.length / 40));
  const kept = points.filter((_, i) => i % every === 0 || i === points.length - 1);
  const rows = kept.map(([fpr, tpr]) => [percent(fpr), percent(tpr)]);
  const caption = `What each threshold finds and what it costs. The area under the curve is ${area === null ? "unknown" : number(area, 4)}; guessing is the dashed line.`;
  const columns = [{ name: "false positives" }, { name: `“${shown(positive)}” found` }];
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
    `${title} from epoch to epoch`,
    { name: "epoch", range: [epochs[0], Math.max(epochs[0] + 1, epochs.at(-1))] },
    { name, range: [low - room, high + room] },
    lines,
  );
  const told = (value) => (value === null ? "–" : number(value, 4));
  const columns = ["epoch", "training rows", ...(watched ? ["validation rows"] : [])].map((column) => ({ name: column }));
  const rows = epochs.map((epoch, i) => [number(epoch), told(history[name][i]), ...(watched ? [told(watched[i])] : [])]);
  const caption = `The solid line is of training rows${watched ? ", the dashed one of validation rows, from which the network does not learn" : ""}.`;
  return figure(title, drawing, caption, table(`${title} by epoch`, columns, rows));
}
