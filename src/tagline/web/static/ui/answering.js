// What the model answers: every text, or only where it is sure enough. Both tabs share this choice.

const UNSURE = "unsure";
const ALWAYS = "";
const LEAST = "least"; // a probability that the user sets
const CHANGE_PAUSE_MS = 400; // a file may be labelled again

/** The coverage and the threshold of the prediction sets that pages show; null if the model supports none. */
const usualSets = ({ guarantees }) => guarantees?.sets[0] ?? null;

/** `onChange` is called when the user has chosen otherwise. */
function answering(state, onChange) {
  const select = byId("answered");
  const least = byId("least");
  let accepted = Number(least.value) / 100; // the last probability that was one

  const levels = () => state.about.guarantees?.abstention ?? [];
  const level = () => levels().find(({ accuracy }) => String(accuracy) === select.value) ?? null;

  function showHint() {
    const chosen = level();
    byId("least-row").hidden = select.value !== LEAST;
    byId("answered-hint").textContent = select.value === LEAST ? "Other texts are “unsure”." : chosen ? guarantee(chosen) : "";
  }

  function guarantee({ accuracy, threshold, answered }) {
    const texts = number(state.about.guarantees.held_out_rows);
    const right = `At least ${limit(accuracy)} of the answers are right for texts like the training texts, as ${texts} held-out texts show.`;
    if (threshold === 0) return right;
    return `${right} Texts below a probability of ${percent(threshold)} (${percent(1 - answered, 0)} of texts) are “unsure”.`;
  }

  function changed() {
    showHint();
    onChange();
  }

  const changedSoon = debounced(changed, CHANGE_PAUSE_MS);
  select.addEventListener("change", changed);
  least.addEventListener("input", () => {
    if (!least.validity.valid) return;
    accepted = Number(least.value) / 100;
    changedSoon();
  });

  return {
    /** Starts again with another model, with the same choice if that has it; labels have thresholds instead. */
    begin() {
      const { value } = select;
      const isOffered = state.about.task !== "multilabel";
      const offered = levels().map(({ accuracy, answered }) => [
        String(accuracy),
        `only if at least ${limit(accuracy)} of answers are right (${answered === 1 ? "all" : `${percent(answered, 0)} of`} texts)`,
      ]);
      const sure = isOffered ? [...offered, [LEAST, "only with a probability of at least"]] : [];
      const all = [[ALWAYS, "every text"], ...sure];
      select.replaceChildren(...all.map(([name, words]) => element("option", { value: name }, words)));
      select.value = all.some(([name]) => name === value) ? value : ALWAYS;
      byId("answering").hidden = !isOffered;
      showHint();
    },
    /** Moves the choice into the tab that is shown, if that has a place for it. */
    moveTo(panel) {
      document.querySelector(`#${panel} [id^=answering-]`)?.append(byId("answering"));
    },
    /** The probability at and above which the model answers. */
    threshold: () => (select.value === LEAST ? accepted : level()?.threshold ?? 0),
    /** The choice, as a backend takes it for a file. */
    options: () => ({
      abstain: level()?.accuracy ?? null,
      unsureBelow: select.value === LEAST ? accepted : null,
    }),
  };
}
