// Tabs, choice of the model, API key, and start.

const MOST_NAMED = 5;

const state = { models: [], several: false, model: null, about: null };

/** `onShown` gets the panel of the tab that is selected. */
function tabs(onShown) {
  const all = [...document.querySelectorAll("[role=tab]")];
  const select = (tab) => {
    for (const other of all) {
      const chosen = other === tab;
      other.setAttribute("aria-selected", String(chosen));
      other.tabIndex = chosen ? 0 : -1;
      byId(other.getAttribute("aria-controls")).hidden = !chosen;
    }
    onShown(tab.getAttribute("aria-controls"));
  };
  for (const [i, tab] of all.entries()) {
    tab.addEventListener("click", () => select(tab));
    tab.addEventListener("keydown", (event) => {
      const next = { ArrowRight: i + 1, ArrowLeft: i - 1 + all.length, Home: 0, End: all.length - 1 }[event.key];
      if (next === undefined) return;
      event.preventDefault();
      select(all[next % all.length]);
      all[next % all.length].focus();
    });
  }
  return { select: (id) => select(byId(id)) };
}

/** Asks for a key if that is what an error means; `again` is what to do with it. Returns whether it was. */
function askForKey(error, again) {
  if (error.status !== 401) return false;
  const form = byId("key-form");
  const wrong = sessionStorage.getItem("taglineKey") !== null;
  tell(byId("problem"), wrong ? new Error("The server does not accept this key.") : null);
  form.hidden = false;
  form.onsubmit = (event) => {
    event.preventDefault();
    sessionStorage.setItem("taglineKey", byId("key").value.trim());
    byId("key").value = "";
    form.hidden = true;
    tell(byId("problem"), null);
    again();
  };
  byId("key").focus();
  return true;
}

function onProblem(error, again) {
  if (error === null) {
    tell(byId("problem"), null);
    return;
  }
  if (!askForKey(error, again)) tell(byId("problem"), error);
}

async function begin() {
  const { text, model } = linked();
  try {
    state.models = await window.taglineBackend.models();
    state.several = state.models.length > 1;
    const known = state.models.some(({ name }) => name === model);
    const first = state.models.find((one) => one.default) ?? state.models[0];
    const options = state.models.map(({ name, title }) => element("option", { value: name }, `${name} (${title})`));
    byId("model").replaceChildren(...options);
    byId("models").hidden = !state.several;
    if (text !== null) byId("text").value = text;
    await choose(known ? model : first.name);
    if (model !== null && !known) {
      const words = `The link refers to the model “${shown(model)}”, which this server does not have: this is “${first.name}”.`;
      tell(byId("problem"), new Error(words));
    }
  } catch (error) {
    onProblem(error, begin);
  }
}

let wanted = null;

/** Shows another model, unless the user chooses yet another before its description has arrived. */
async function choose(name) {
  wanted = name;
  const about = await window.taglineBackend.about(name);
  if (wanted !== name) return;
  Object.assign(state, { model: name, about });
  byId("model").value = name;
  byId("title").textContent = about.title;
  document.title = `${about.title} · tagline`;
  byId("subtitle").textContent = inShort(about);
  byId("text").placeholder = "Type or paste a text";
  choice.begin();
  fileView.begin();
  showFigures(about);
  await predictView.begin();
}

function inShort({ classes, figures, task }) {
  const names = classes.map((name) => `“${shown(name)}”`);
  const listed = [names.slice(0, -1).join(", "), names.at(-1)].filter(Boolean).join(" or ");
  const many = classes.length > MOST_NAMED;
  const labels = many ? `${number(classes.length)} labels` : listed;
  const does = task === "multilabel" ? `Assigns any of ${labels}` : `Classifies texts as ${many ? "one of " : ""}${labels}`;
  return [`${does}.`, figures ? evaluation(figures, task) : ""].filter(Boolean).join(" ");
}

function evaluation({ accuracy, micro_f1: f1, rows, split }, task) {
  const texts = `${number(rows)} ${split === "test" ? "test" : "held-out"} texts`;
  if (task === "multilabel") return `Micro F1 is ${number(f1, 3)} on ${texts}.`;
  return `${percent(accuracy)} of ${texts} correct.`;
}

const choice = answering(state, () => {
  predictView.decide();
  fileView.decide();
});
const predictView = predictTab(state, choice, onProblem);
const fileView = fileTab(state, choice, askForKey);
const showTab = tabs((panel) => {
  choice.moveTo(panel);
  fileView.decide();
});

async function change() {
  const name = byId("model").value;
  try {
    await choose(name);
  } catch (error) {
    if (wanted !== name) return;
    if (state.model !== null) byId("model").value = state.model;
    onProblem(error, () => {
      byId("model").value = name;
      change();
    });
  }
}

byId("model").addEventListener("change", change);
byId("skip").addEventListener("click", (event) => {
  event.preventDefault(); // a fragment of its own would replace the link to a text
  byId("main").focus();
});
window.addEventListener("hashchange", () => {
  if (linked().text === null) return;
  showTab.select("tab-try");
  begin();
});
begin();
