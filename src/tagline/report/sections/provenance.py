"""How a model was trained or evaluated, as plain values: which rows were used for what, and how to reproduce it."""

import json
import shlex
from collections.abc import Mapping
from typing import Any

from tagline.calibration import CALIBRATORS, TemperatureScaling
from tagline.decisions.rule import describe_threshold
from tagline.metrics.formatting import listed
from tagline.report.conclusion import model_sentences, reuse_sentence, summary_of_recipe, target_sentences
from tagline.report.markup.excerpts import harmless
from tagline.task import Task

_IN_SENTENCES = ("held_out", "tried", "learnt_from", "vectors", "targets")  # of `chosen`: not in the table of settings
_TRIED = {
    "characters": "whether to use character n-grams",
    "C": "C",
    "alpha": "alpha",
    "blend": "the weight of naive Bayes",
    "strength": "the strength",  # of a run of an earlier version: C or alpha
    "epochs": "the number of epochs",
}
_SETTINGS = {
    "words": "word n-grams, length",
    "characters": "character n-grams, length",
    "min_df": "minimum texts per n-gram",
    "num_words": "vocabulary size, at most",
    "maxlen": "sequence length",
    "epochs": "epochs",
    "shards": "shards of the train rows",
    "rounds": "rounds of consensus ADMM",
    "blend": "weight of naive Bayes",
    "temperature": "calibration temperature",
    "slope": "calibration slope",
    "intercept": "calibration intercept",
    "threshold": "decision threshold",
}


def provenance(run: Mapping[str, Any], metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return how the model was trained, or which one was evaluated: the use of rows, settings, how to reproduce it."""
    recipe = run.get("recipe") or {}
    about = recipe.get("recipe") or {} if isinstance(recipe, Mapping) else {}
    seconds = dict(metrics.get("seconds") or {})
    if (total := seconds.pop("total", None)) is not None:
        seconds |= {"other": max(0.0, total - sum(seconds.values())), "total": total}
    command = run.get("command") or ""
    summary = summary_of_recipe(str(about.get("summary") or ""), run.get("chosen") or {})
    peak = metrics.get("peak_rss_mb")
    return {
        "recipe_name": harmless(str(about.get("name") or "")),
        "recipe_summary": harmless(summary.removesuffix(".")),
        "recipe": [
            {"table": table, "settings": _settings(settings)}
            for table, settings in (recipe.items() if isinstance(recipe, Mapping) else ())
            if isinstance(settings, Mapping)
        ],
        "decisions": _decisions(run, metrics),
        "chosen": _chosen_settings(run.get("chosen") or {}, _task(metrics)),
        "seconds": [{"stage": name, "seconds": f"{value:,.2f} s"} for name, value in seconds.items()],
        "peak": f"{peak:,.0f} MB" if isinstance(peak, int | float) else "",
        "command": harmless(shlex.join(command) if isinstance(command, list) else str(command)),
        "seed": run.get("seed"),
        "created": harmless(str(run.get("created") or "")),
        "versions": _settings(run.get("versions") or {}),
        "machine": _settings(run.get("machine") or {}),
    }


def _task(metrics: Mapping[str, Any]) -> Task | None:
    return Task(metrics["task"]) if metrics.get("task") else None


def _decisions(run: Mapping[str, Any], metrics: Mapping[str, Any]) -> list[str]:
    """Say which rows were used for what, as far as the run recorded it."""
    evaluated = run.get("evaluated")
    if evaluated:
        return [
            harmless(f"The model `{evaluated['model']}` was evaluated on {evaluated['rows']}."),
            *filter(None, [reuse_sentence(metrics)]),
        ]
    decided = training_sentences(run, metrics)
    if metrics.get("validation"):
        before = "" if _protocol(run).get("refit") == "no" else ", fitted before the final model"
        decided.append(f"The validation metrics are those of models that were not trained on these rows{before}.")
    n_test = (metrics.get("rows") or {}).get("test") or 0
    if folds := metrics.get("folds"):
        decided.append(
            f"The metrics are pooled over {folds} folds: every row was predicted once, by a model trained on"
            " the other folds. The saved model was trained on all rows."
        )
    elif n_test:
        decided.append(f"This run used the {n_test:,} test rows once, for these metrics.")
    looked = reuse_sentence(metrics)
    if looked:
        decided.append(looked)
    return decided + [harmless(str(note)) for note in run.get("notes") or []]


def training_sentences(run: Mapping[str, Any], metrics: Mapping[str, Any]) -> list[str]:
    """Say which rows the settings and the final model were fitted on."""
    chosen = run.get("chosen") or {}
    found = []
    if start := run.get("continued_from"):
        found.append(harmless(f"This run continued `{start['name']}`, trained on {start['learnt_from']:,} rows."))
    if "held_out" in chosen:
        found.append(_held_out_sentence(run, chosen, _task(metrics), searched=bool(metrics.get("search"))))
    found += map(harmless, [*model_sentences(chosen), *target_sentences(chosen)])
    if chosen.get("learnt_from"):
        found.append(f"The final model was trained on {chosen['learnt_from']:,} rows.")
    return found


def _held_out_sentence(run: Mapping[str, Any], chosen: Mapping[str, Any], task: Task | None, *, searched: bool) -> str:
    held_out = chosen["held_out"]
    if not held_out:
        return "No rows were held out: no setting was tuned, and the probabilities are not calibrated."
    how = held_out.get("how")
    rows = f"{held_out.get('rows') or 0:,} held-out rows" + (f" ({harmless(str(how))})" if how else "")
    if held_out.get("left_out"):
        rows += f" without {held_out['left_out']:,} whose class has no training row in their fold"
    tried = [harmless(_TRIED.get(name, str(name))) for name in chosen.get("tried") or []]
    tried.sort(key=lambda words: words.startswith("whether"))  # a clause comes last
    fitted = []
    method = str(_protocol(run).get("calibration") or TemperatureScaling.kind)
    if method != "none":
        method = str(chosen.get("calibration") or TemperatureScaling.kind)
        fitted.append(f"the calibration {CALIBRATORS[method].fitted}" if method in CALIBRATORS else "the calibration")
    if task is Task.MULTILABEL and "threshold" not in (chosen.get("tried") or []):
        several = isinstance(chosen.get("threshold"), list)
        fitted.append("the threshold of each label" if several else "the threshold")
    were = "was" if len(fitted) == 1 else "were"
    if tried:
        also = f"; {listed(fitted)} {were} fitted on them" if fitted else ""
        return f"Tuned on {rows}: {listed(tried)}{also}."
    settings = "The search selected all settings" if searched else "No setting was tuned"
    if fitted:
        return f"{settings}; {listed(fitted)} {were} fitted on {rows}."
    return f"{settings}: {rows} were used for evaluation only."


def _protocol(run: Mapping[str, Any]) -> Mapping[str, Any]:
    recipe = run.get("recipe")
    protocol = recipe.get("protocol") if isinstance(recipe, Mapping) else None
    return protocol if isinstance(protocol, Mapping) else {}


def _chosen_settings(chosen: Mapping[str, Any], task: Task | None) -> list[dict[str, str]]:
    """Return the settings of the final model under readable names; n-gram lengths are shortest and longest.

    Among several classes no threshold decides.
    """
    in_sentences = (*_IN_SENTENCES, "threshold") if task is Task.MULTICLASS else _IN_SENTENCES
    named = {}
    for key, value in chosen.items():
        if key in ("words", "characters") and isinstance(value, list) and len(value) == 2:
            value = f"{value[0]} to {value[1]}" if value[0] != value[1] else str(value[0])
        if key == "threshold" and isinstance(value, list) and value:
            value = f"{describe_threshold(value)}, one for each label"
        if key not in in_sentences and value is not None:
            named[_SETTINGS.get(key, key)] = value
    return _settings(named)


def _settings(settings: Any) -> list[dict[str, str]]:
    if not isinstance(settings, Mapping):
        return [{"name": "", "value": harmless(str(settings))}]
    return [{"name": harmless(str(key)), "value": _plain(value)} for key, value in settings.items()]


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, str):
        return harmless(value)
    return harmless(json.dumps(value, ensure_ascii=False, default=str))
