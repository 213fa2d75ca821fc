// The tab "Try it": a verdict and what decided it, as someone types.

const TYPING_PAUSE_MS = 150;
const SPEAKING_PAUSE_MS = 1200;
const CLASSES_SHOWN = 8;
const WEAKEST_SHOWN = 0.02; // of the strongest word, as in reports
const MOST_MARKS = 1500;
const PARTS_SHOWN = 12;
const MOST_PARTS = 200;
const LONG_LINK = 8000;

/** `state` has `model` and `about`; `onProblem` is told errors, or null when all is well. */
function tryingTab(state, onProblem) {
  const text = byId("text");
  const explained = byId("explained");
  let asking = null;
  let answer = null;
  let allClasses = false;
  let allParts = false;

  const speak = debounced((words) => (byId("spoken").textContent = words), SPEAKING_PAUSE_MS);

  async function ask() {
    asking?.abort();
    const given = text.value;
    byId("copy").disabled = given === "";
    if (given.trim() === "" || state.about === null) {
      asking = null;
      show(null);
      return;
    }
    asking = new AbortController();
    const { signal } = asking;
    byId("answer").setAttribute("aria-busy", "true");
    try {
      const found = await window.taglineBackend.explain(state.model, given, explained.value || null, signal);
      if (signal.aborted) return;
      onProblem(null);
      show({ ...found, text: given });
    } catch (error) {
      if (signal.aborted) return;
      show(null);
      onProblem(error, ask);
    }
    byId("answer").removeAttribute("aria-busy");
  }

  function show(found) {
    answer = found;
    byId("explanation").hidden = found === null;
    byId("all-classes").hidden = true;
    byId("answer").removeAttribute("aria-busy");
    if (found === null) {
      byId("verdict").textContent = "–";
      byId("verdict").classList.remove("long");
      byId("sureness").textContent = "Nothing to judge yet.";
      byId("bars").replaceChildren();
      speak("");
      return;
    }
    showVerdict();
    showBars();
    showHighlights();
    showDecided();
  }

  function showVerdict() {
    const given = [answer.prediction].flat();
    const verdict = given.map(shown).join(", ") || "no label";
    byId("verdict").textContent = verdict;
    byId("verdict").classList.toggle("long", verdict.length > 24);
    const probability = given.length === 1 ? answer.probabilities[given[0]] : undefined;
    const sure = probability === undefined ? "" : `${percent(probability)} sure`;
    const cut = answer.truncated ? "The text is too long: only its beginning was read." : "";
    byId("sureness").textContent = [sure, cut].filter(Boolean).join(". ");
    speak(`${verdict}${sure && `, ${sure}`}. ${cut}`);
  }

  function showBars() {
    const given = new Set([answer.prediction].flat());
    const ranked = Object.entries(answer.probabilities).sort((a, b) => b[1] - a[1]);
    const listed = allClasses ? ranked : ranked.slice(0, CLASSES_SHOWN);
    byId("bars").replaceChildren(
      ...listed.map(([name, probability]) =>
        element(
          "li",
          { class: given.has(name) ? "given" : null },
          element("span", { dir: "auto" }, shown(name)),
          element("span", {}, percent(probability)),
          bar(probability, "track"),
        ),
      ),
    );
    const button = byId("all-classes");
    button.hidden = ranked.length <= CLASSES_SHOWN;
    button.setAttribute("aria-expanded", String(allClasses));
    button.textContent = allClasses ? `Only the ${CLASSES_SHOWN} most probable` : `All ${ranked.length} classes`;
  }

  function showHighlights() {
    const about = shown(answer.class);
    byId("legend").replaceChildren(
      element("mark", { class: "for s4" }, "speaks for"), ` “${about}”, underlined with a line · `,
      element("mark", { class: "against s4" }, "speaks against"), " it, dotted · the stronger the colour, the more it counts",
    );
    const strengths = answer.words.map(([, , value]) => Math.abs(value)).sort((a, b) => b - a);
    const strongest = strengths[0] || 1;
    const weakest = Math.max(WEAKEST_SHOWN * strongest, strengths[MOST_MARKS] ?? 0);
    const digits = digitsFor(strongest);
    const place = placesIn(answer.text);
    const pieces = [];
    let at = 0;
    for (const [start, end, value] of answer.words) {
      if (Math.abs(value) <= weakest) continue;
      const [from, to] = [place(start), place(end)];
      if (from < at) continue;
      const strength = Math.max(1, Math.ceil((5 * Math.abs(value)) / strongest));
      const mark = element("mark", { class: `${value > 0 ? "for" : "against"} s${strength}`, tabindex: "-1" }, answer.text.slice(from, to));
      mark.dataset.value = signed(value, digits);
      pieces.push(answer.text.slice(at, from), mark);
      at = to;
    }
    byId("highlighted").replaceChildren(...pieces, answer.text.slice(at));
    byId("highlighted").querySelector("mark")?.setAttribute("tabindex", "0");
    byId("reading").textContent = pieces.length ? "Point at a word, or step through them with the arrow keys, to read what it adds." : "No word speaks for or against it.";
  }

  function showDecided() {
    const parts = answer.contributions;
    const most = allParts ? MOST_PARTS : PARTS_SHOWN;
    const listed = parts.slice(0, most);
    const strongest = Math.abs(parts[0]?.value ?? 1) || 1;
    const digits = digitsFor(strongest);
    const rows = listed.map(({ name, value, spans }) => [
      shown(name),
      number(spans.length),
      element("span", {}, signed(value, digits), bar(Math.abs(value) / strongest, value < 0 ? "part against" : "part")),
    ]);
    const rest = answer.score - answer.intercept - listed.reduce((sum, { value }) => sum + value, 0);
    const feet = [
      ...(parts.length > listed.length ? [[`${count(parts.length - listed.length, "other")} together`, "", signed(rest, digits)]] : []),
      ["before any word", "", signed(answer.intercept, digits)],
      [`score of “${shown(answer.class)}”, in ${SCALES[answer.scale] ?? answer.scale}`, "", signed(answer.score, digits)],
    ];
    const columns = [{ name: "in the text", start: true }, { name: "times" }, { name: "adds" }];
    const caption = `The strongest contributions to “${shown(answer.class)}”; together they make its score.`;
    const found = [scrolling(table(caption, columns, rows, { feet }), "What decided")];
    if (parts.length > PARTS_SHOWN) {
      const next = Math.min(parts.length, MOST_PARTS);
      const button = element("button", { type: "button", class: "plain", "aria-expanded": String(allParts) }, allParts ? `Only the ${PARTS_SHOWN} strongest` : `The ${number(next)} strongest`);
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
    const way = mark.classList.contains("for") ? "speaks for" : "speaks against";
    byId("reading").textContent = `“${mark.textContent}” ${way} “${shown(answer.class)}”: ${mark.dataset.value}`;
  }

  function step(event) {
    const marks = [...byId("highlighted").querySelectorAll("mark")];
    const now = marks.indexOf(document.activeElement);
    const next = { ArrowRight: now + 1, ArrowDown: now + 1, ArrowLeft: now - 1, ArrowUp: now - 1, Home: 0, End: marks.length - 1 }[event.key];
    if (now < 0 || next === undefined) return;
    event.preventDefault();
    const mark = marks[Math.min(marks.length - 1, Math.max(0, next))];
    marks[now].tabIndex = -1;
    mark.tabIndex = 0;
    mark.focus();
  }

  async function copyLink() {
    const link = linkTo(text.value, state.several ? state.model : null);
    history.replaceState(null, "", link);
    const long = link.length > LONG_LINK ? ` It is ${number(link.length)} characters long; some programs cut such links.` : "";
    try {
      await navigator.clipboard.writeText(link);
      byId("link-row").hidden = true;
      byId("copied").textContent = `The link is copied.${long}`;
    } catch {
      byId("link-row").hidden = false;
      byId("link").value = link;
      byId("link").select();
      byId("copied").textContent = `Copy the link below.${long}`;
    }
  }

  function showExamples() {
    const examples = state.about.examples ?? [];
    byId("examples").hidden = examples.length === 0;
    byId("examples-note").textContent = state.about.examples_note ?? "";
    byId("example-list").replaceChildren(
      ...examples.map((example) => {
        const button = element("button", { type: "button" }, element("span", { dir: "auto" }, example.text), element("small", {}, `labelled “${[example.label].flat().map(shown).join(", ")}”`));
        button.addEventListener("click", () => write(example.text));
        return element("li", {}, button);
      }),
    );
  }

  function write(given) {
    text.value = given;
    ask();
    text.focus();
    text.setSelectionRange(0, 0);
    text.scrollTop = 0;
  }

  const askSoon = debounced(ask, TYPING_PAUSE_MS);
  text.addEventListener("input", () => {
    byId("copied").textContent = "";
    byId("link-row").hidden = true;
    askSoon();
  });
  explained.addEventListener("change", ask);
  byId("copy").addEventListener("click", copyLink);
  byId("all-classes").addEventListener("click", () => {
    allClasses = !allClasses;
    showBars();
  });
  byId("highlighted").addEventListener("pointerover", (event) => read(event.target.closest("mark")));
  byId("highlighted").addEventListener("focusin", (event) => read(event.target.closest("mark")));
  byId("highlighted").addEventListener("keydown", step);
  show(null);

  return {
    /** Begins anew with another model, with the text that is there. */
    begin() {
      allClasses = false;
      allParts = false;
      const names = state.about.classes;
      explained.replaceChildren(element("option", { value: "" }, "the one predicted"), ...names.map((name) => element("option", { value: name }, shown(name))));
      showExamples();
      return ask();
    },
    write,
    ask,
  };
}

const SCALES = { "log-odds": "log-odds", score: "logits", probability: "probability" };
