// The explanation: the text with its words marked, and the contributions by word, which add up to the logit.

const WEAKEST_SHOWN = 0.02; // of the strongest word, as in reports
const MOST_MARKS = 1500;
const PARTS_SHOWN = 12;
const MOST_PARTS = 200;
const MOST_NGRAMS = 20; // listed of a word
const QUANTITIES = { probability: "probability", "path-score": "path score" }; // by scale; of others the logit

function explanationView() {
  const text = byId("highlighted");
  let answer = null;
  let allParts = false;

  function showHighlights() {
    byId("legend").replaceChildren(
      element("mark", { class: "for s4" }, "evidence for"),
      ` “${shown(answer.class)}”, underlined · `,
      element("mark", { class: "against s4" }, "evidence against"),
      " it, dotted · a stronger colour is stronger evidence",
    );
    const marks = markedPieces(answer);
    text.replaceChildren(...marks);
    text.querySelector("mark")?.setAttribute("tabindex", "0");
    byId("reading").textContent = text.querySelector("mark")
      ? "Point at a word, or use the arrow keys, to see its contribution."
      : "No word is evidence for or against it.";
  }

  function showDecided() {
    const parts = answer.by_word;
    const listed = parts.slice(0, allParts ? MOST_PARTS : PARTS_SHOWN);
    const found = [scrolling(partsTable(answer, listed), "Contributions")];
    if (parts.length > PARTS_SHOWN) {
      const next = parts.length > MOST_PARTS ? `the ${MOST_PARTS} strongest` : `all ${number(parts.length)}`;
      const words = allParts ? `Show only the ${PARTS_SHOWN} strongest` : `Show ${next}`;
      const attributes = { type: "button", class: "plain", "aria-expanded": String(allParts) };
      const button = element("button", attributes, words);
      button.addEventListener("click", () => {
        allParts = !allParts;
        showDecided();
        byId("decided").querySelector("button").focus();
      });
      found.push(button);
    }
    byId("decided").replaceChildren(...found);
  }

  function read(mark) {
    if (!mark) return;
    const way = mark.classList.contains("for") ? "is evidence for" : "is evidence against";
    const about = `“${shown(answer.class)}”`;
    byId("reading").textContent = `“${mark.textContent}” ${way} ${about}: ${mark.dataset.value}`;
  }

  /** One word at a time is a stop of the Tab key; the arrows move it on. */
  function step(event) {
    const marks = [...text.querySelectorAll("mark")];
    const now = marks.indexOf(document.activeElement);
    const last = marks.length - 1;
    const [before, after] = [now - 1, now + 1];
    const keys = { ArrowRight: after, ArrowDown: after, ArrowLeft: before, ArrowUp: before, Home: 0, End: last };
    if (now < 0 || !(event.key in keys)) return;
    event.preventDefault();
    const mark = marks[Math.min(last, Math.max(0, keys[event.key]))];
    marks[now].tabIndex = -1;
    mark.tabIndex = 0;
    mark.focus();
  }

  text.addEventListener("pointerover", (event) => read(event.target.closest("mark")));
  text.addEventListener("focusin", (event) => read(event.target.closest("mark")));
  text.addEventListener("keydown", step);

  return {
    /** Shows an explanation and its text, or with null nothing. */
    show(found) {
      answer = found;
      byId("explanation").hidden = found === null;
      if (found === null) return;
      showHighlights();
      showDecided();
    },
  };
}

/** Cuts a text at its words: strings, and marks in five strengths. Text that was cut off is left out. */
function markedPieces({ text, words, truncated }) {
  const strengths = words.map(([, , value]) => Math.abs(value)).sort((a, b) => b - a);
  const strongest = strengths[0] || 1;
  const weakest = Math.max(WEAKEST_SHOWN * strongest, strengths[MOST_MARKS] ?? 0);
  const digits = digitsFor(strongest);
  const place = placesIn(text);
  const pieces = [];
  let at = 0;
  for (const [start, end, value] of words) {
    const [from, to] = [place(start), place(end)];
    if (Math.abs(value) <= weakest || from < at) continue;
    const strength = Math.max(1, Math.ceil((5 * Math.abs(value)) / strongest));
    const attributes = { class: `${value > 0 ? "for" : "against"} s${strength}`, tabindex: "-1" };
    const mark = element("mark", attributes, text.slice(from, to));
    mark.dataset.value = signed(value, digits);
    pieces.push(text.slice(at, from), mark);
    at = to;
  }
  if (!truncated) return [...pieces, text.slice(at)];
  return [...pieces, text.slice(at, place(words.at(-1)?.[1] ?? 0)), " …"];
}

/** The name of a word; its n-grams are behind it, if the contribution is the sum of several. */
function partName({ name, features }, digits) {
  if (features.length < 2) return shown(name);
  const lines = features
    .slice(0, MOST_NGRAMS)
    .map((part) => element("li", {}, element("bdi", {}, shown(part.name)), ` ${signed(part.value, digits)}`));
  if (features.length > MOST_NGRAMS) {
    const rest = features.slice(MOST_NGRAMS);
    const sum = rest.reduce((total, { value }) => total + value, 0);
    lines.push(element("li", {}, `${count(rest.length, "other")}, sum ${signed(sum, digits)}`));
  }
  return element("details", {}, element("summary", {}, shown(name)), element("ul", {}, ...lines));
}

/** The strongest contributions, the sum of the others, and the logit. */
function partsTable(answer, listed) {
  const { by_word: words, intercept, score } = answer;
  const strongest = Math.abs(words[0]?.value ?? 1) || 1;
  const digits = digitsFor(strongest);
  const about = `“${shown(answer.class)}”`;
  const explained = QUANTITIES[answer.scale] ?? "logit";
  const rows = listed.map((part) => [
    partName(part, digits),
    number(part.spans.length),
    element(
      "span",
      {},
      signed(part.value, digits),
      bar(Math.abs(part.value) / strongest, part.value < 0 ? "part against" : "part"),
    ),
  ]);
  const n = words.length - listed.length;
  const rest = score - intercept - listed.reduce((sum, { value }) => sum + value, 0);
  const feet = [
    ...(n > 0 ? [[`${count(n, "other")}, sum`, "", signed(rest, digits)]] : []),
    ["intercept", "", signed(intercept, digits)],
    [`${explained} of ${about}`, "", signed(score, digits)],
  ];
  const columns = [{ name: "word", start: true }, { name: "count" }, { name: "contribution" }];
  const folded = words.some(({ features }) => features.length > 1);
  const inside = folded ? " Those of a word include the n-grams inside it: open it to see them." : "";
  const caption = `The strongest contributions to the ${explained} of ${about}, which all of them add up to.${inside}`;
  return table(caption, columns, rows, { feet });
}
