// The tab "Try it": a prediction and its explanation as the user types.

const TYPING_PAUSE_MS = 150;
const ANNOUNCE_PAUSE_MS = 1200;
const CLASSES_SHOWN = 8;
const LONG_LINK = 8000;
const LONGEST_LINK = 1_000_000; // browsers open none of 2 MB
const LARGEST_SET = 5; // classes; a larger prediction set tells little

/** `state` has `model` and `about`; `onProblem` gets errors, or null when there is none. */
function predictTab(state, choice, onProblem) {
  const text = byId("text");
  const explained = byId("explained");
  const explanation = explanationView();
  let asking = null;
  let retrying = 0;
  let answer = null;
  let allClasses = false;

  const announce = debounced((words) => (byId("status").textContent = words), ANNOUNCE_PAUSE_MS);

  async function ask() {
    asking?.abort();
    clearTimeout(retrying);
    const given = text.value;
    byId("copy").disabled = given === "";
    if (/^\p{White_Space}*$/u.test(given) || state.about === null) {
      asking = null;
      onProblem(null);
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
      show(null, "No prediction.");
      onProblem(error, ask);
      if (error.retryAfter) retrying = setTimeout(ask, 1000 * error.retryAfter);
    }
    byId("answer").removeAttribute("aria-busy");
  }

  function show(found, without = "No text yet.") {
    answer = found;
    explanation.show(found);
    byId("all-classes").hidden = true;
    byId("answer").removeAttribute("aria-busy");
    if (found === null) {
      byId("verdict").textContent = "–";
      byId("verdict").classList.remove("long");
      byId("sureness").textContent = without;
      byId("bars").replaceChildren();
      byId("threshold").hidden = byId("unlike").hidden = byId("prediction-set").hidden = true;
      byId("verdict").classList.remove("unsure");
      announce("");
      return;
    }
    showVerdict();
    showBars();
  }

  function showVerdict() {
    const given = [answer.prediction].flat();
    const verdict = isUnsure() ? UNSURE : given.map(shown).join(", ") || "no label";
    byId("verdict").textContent = verdict;
    byId("verdict").classList.toggle("long", verdict.length > 24);
    byId("verdict").classList.toggle("unsure", isUnsure());
    const sure = sureness(given);
    const cut = answer.truncated ? "The text is too long: only its beginning was used." : "";
    byId("sureness").textContent = [sure, cut].filter(Boolean).join(". ");
    byId("unlike").hidden = !isUnlike();
    const set = predictionSet();
    byId("prediction-set").hidden = set === "";
    byId("prediction-set").textContent = set;
    announce(`${verdict}${sure && `, ${sure}`}. ${set}${cut}${isUnlike() ? byId("unlike").textContent : ""}`);
  }

  /** The probability of a prediction, or what comes closest to one. */
  function sureness(given) {
    const probability = given.length === 1 ? answer.probabilities[given[0]] : undefined;
    if (probability === undefined) return nearestLabel(given);
    if (!isUnsure()) return `Probability ${percent(probability)}`;
    const needed = choice.threshold();
    let digits = 1; // that show a difference
    while (digits < 6 && percent(probability, digits) === percent(needed, digits)) digits++;
    const how = ranking()[0][0] === given[0] ? "Most probable" : "Without a threshold";
    return `${how}: ${shown(given[0])}, ${percent(probability, digits)}, below the threshold of ${percent(needed, digits)}`;
  }

  /** Whether the probability of the class predicted is too low for an answer. */
  const isUnsure = () => answer.probabilities[answer.prediction] < choice.threshold();

  /** The classes of the prediction set in words, where it tells more than the prediction. */
  function predictionSet() {
    const sets = usualSets(state.about);
    if (sets === null || isUnlike()) return "";
    const inside = ranking().filter(([name, probability]) => probability >= sets.threshold || name === answer.prediction);
    const isTelling = inside.length > 1 && inside.length <= LARGEST_SET && inside.length < state.about.classes.length;
    if (!isTelling) return "";
    return `With ${limit(sets.coverage)} probability one of: ${inside.map(([name]) => shown(name)).join(", ")}. `;
  }

  function isUnlike() {
    const { novelty } = state.about;
    const p = answer.novelty_p_value ?? null;
    return novelty !== null && p !== null && p <= novelty;
  }

  /** Without a label: what comes closest. */
  function nearestLabel(given) {
    if (given.length > 0) return "";
    const [[name, probability]] = ranking();
    const above = Array.isArray(state.about.threshold) ? "its threshold" : limit(state.about.threshold);
    return `Nothing above ${above}; nearest: ${shown(name)}, ${percent(probability)}`;
  }

  const ranking = () => Object.entries(answer.probabilities).sort((a, b) => b[1] - a[1]);

  /** The threshold of a class, where one decides: of a label, or of the positive class unless it is 50 %. */
  function thresholdOf(name) {
    const { task, positive, threshold } = state.about;
    if (Array.isArray(threshold)) return threshold[state.about.classes.indexOf(name)];
    if (task === "multilabel") return threshold;
    return name === positive && threshold !== 0.5 ? threshold : null;
  }

  /** Says what decides, where it is not the highest probability. */
  function showThreshold() {
    const { task, positive, threshold } = state.about;
    if (state.about.by_costs) {
      byId("threshold").hidden = false;
      byId("threshold").textContent = "The class with the smallest expected cost is predicted, not always the most probable one.";
      return;
    }
    const isShown = task === "multilabel" || (positive !== null && threshold !== 0.5);
    const what = task === "multilabel" ? "a label is assigned" : `“${shown(positive ?? "")}” is predicted`;
    byId("threshold").hidden = !isShown;
    const above = Array.isArray(threshold) ? "that of its own" : limit(threshold);
    byId("threshold").textContent = isShown ? `The line marks the threshold: ${what} above ${above}.` : "";
  }

  function showBars() {
    const given = new Set(isUnsure() ? [] : [answer.prediction].flat());
    const ranked = ranking();
    showThreshold();
    const listed = allClasses ? ranked : ranked.slice(0, CLASSES_SHOWN);
    byId("bars").replaceChildren(
      ...listed.map(([name, probability]) =>
        element(
          "li",
          { class: given.has(name) ? "given" : null },
          element("span", {}, named(shown(name))),
          element("span", {}, percent(probability)),
          bar(probability, "track", thresholdOf(name)),
        ),
      ),
    );
    const button = byId("all-classes");
    button.hidden = ranked.length <= CLASSES_SHOWN;
    button.setAttribute("aria-expanded", String(allClasses));
    button.textContent = allClasses ? `Show only the ${CLASSES_SHOWN} most probable` : `Show all ${ranked.length} ${nounOf(state.about).many}`;
  }

  async function copyLink() {
    const link = linkTo(text.value, state.several ? state.model : null);
    if (link.length > LONGEST_LINK) {
      const long = `${number(link.length)} characters`;
      byId("copied").textContent = `The text is too long for a link, which would have ${long}.`;
      return;
    }
    history.replaceState(null, "", link);
    const length = `It is ${number(link.length)} characters long; some programs cut such links.`;
    const long = link.length > LONG_LINK ? ` ${length}` : "";
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
        const label = [example.label].flat().map(shown).join(", ") || "no label";
        const said = [element("span", { dir: "auto" }, example.text), element("small", {}, `labelled “${label}”`)];
        const button = element("button", { type: "button" }, ...said);
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
  show(null);

  return {
    /** Starts again with another model and the current text. */
    begin() {
      allClasses = false;
      const noun = nounOf(state.about).one;
      byId("explained-label").textContent = `${noun[0].toUpperCase()}${noun.slice(1)} to explain`;
      const names = state.about.classes;
      const options = names.map((name) => element("option", { value: name }, shown(name)));
      explained.replaceChildren(element("option", { value: "" }, `predicted ${noun}`), ...options);
      showExamples();
      return ask();
    },
    /** Shows the answer again, as the choice has changed. */
    decide() {
      if (answer === null) return;
      showVerdict();
      showBars();
    },
    write,
    ask,
  };
}
