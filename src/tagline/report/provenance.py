"""How a model was made, as plain values: which rows decided what, its settings, and how to do it again."""

import json
import shlex
from collections.abc import Mapping
from typing import Any

from tagline.metrics.formatting import listed
from tagline.report.conclusion import reuse_sentence
from tagline.report.excerpts import harmless

_TOLD = ("held_out", "tried", "learnt_from", "vectors")  # of `chosen`: told in sentences
_TRIED = {
    "characters": "whether to use characters",
    "C": "`C`",
    "alpha": "`alpha`",
    "strength": "the strength",  # of a run of an earlier version: C or alpha
    "epochs": "the number of epochs",
}
_SETTINGS = {
    "words": "word n-grams, length",
    "characters": "character n-grams, length",
    "min_df": "fewest texts an n-gram stands in",
    "num_words": "most words in the vocabulary",
    "maxlen": "words read of a text",
    "epochs": "epochs of training",
    "temperature": "calibration temperature",
    "threshold": "decision threshold",
}


def making(run: Mapping[str, Any], metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return how the model was made: which rows decided what, how long it took, and how to do it again."""
    recipe = run.get("recipe") or {}
    about = recipe.get("recipe") or {} if isinstance(recipe, Mapping) else {}
    seconds = metrics.get("seconds") or {}
    command = run.get("command") or ""
    peak = metrics.get("peak_rss_mb")
    return {
        "recipe_name": harmless(str(about.get("name") or "")),
        "recipe_summary": harmless(str(about.get("summary") or "")),
        "recipe": [
            {"table": table, "settings": _settings(settings)}
            for table, settings in (recipe.items() if isinstance(recipe, Mapping) else ())
            if isinstance(settings, Mapping)
        ],
        "decisions": _decisions(run, metrics),
        "chosen": _chosen_settings(run.get("chosen") or {}, str(metrics.get("task"))),
        "seconds": [{"stage": name, "seconds": f"{value:,.2f}"} for name, value in seconds.items()],
        "peak": f"{peak:,.0f} MB" if isinstance(peak, int | float) else "",
        "command": harmless(shlex.join(command) if isinstance(command, list) else str(command)),
        "seed": run.get("seed"),
        "created": harmless(str(run.get("created") or "")),
        "versions": _settings(run.get("versions") or {}),
        "machine": _settings(run.get("machine") or {}),
    }


def _decisions(run: Mapping[str, Any], metrics: Mapping[str, Any]) -> list[str]:
    """Say which rows decided what, from what the run recorded; what it did not record is left unsaid."""
    chosen, folds = run.get("chosen") or {}, metrics.get("folds")
    decided = []
    if "held_out" in chosen:
        decided.append(_held_out_sentence(run, chosen, str(metrics.get("task"))))
    if chosen.get("learnt_from"):
        decided.append(f"The final model learnt from {chosen['learnt_from']:,} rows.")
    if metrics.get("validation"):
        before = "" if _protocol(run).get("refit") == "no" else ", from before the final fit"
        decided.append(f"The validation figures are of models that had not seen those rows{before}.")
    n_test = (metrics.get("rows") or {}).get("test") or 0
    if folds:
        decided.append(
            f"The figures are pooled over {folds} folds: every row was predicted once, by a model trained on"
            " the other folds. The model that is saved was trained on all rows."
        )
    elif n_test:
        decided.append(f"The {n_test:,} test rows were used once by this run, for these figures.")
    looked = reuse_sentence(metrics)
    if looked:
        decided.append(looked)
    return decided + [harmless(str(note)) for note in run.get("notes") or []]


def _held_out_sentence(run: Mapping[str, Any], chosen: Mapping[str, Any], task: str) -> str:
    held_out = chosen["held_out"]
    if not held_out:
        return "No rows were held out: nothing was chosen from the data, and the probabilities are not calibrated."
    how = held_out.get("how")
    rows = f"{held_out.get('rows') or 0:,} held-out rows" + (f" ({harmless(str(how))})" if how else "")
    tried = [harmless(_TRIED.get(name, str(name))) for name in chosen.get("tried") or []]
    fitted = []
    if _protocol(run).get("calibration", "temperature") == "temperature":
        fitted.append("the calibration temperature")
    if task == "multilabel" and "threshold" not in (chosen.get("tried") or []):
        fitted.append("the threshold")
    were = "was" if len(fitted) == 1 else "were"
    if tried:
        beside = f"; {listed(fitted)} {were} fitted on them" if fitted else ""
        return f"Chosen on {rows}: {listed(tried)}{beside}."
    if fitted:
        return f"No setting was chosen from the data; only {listed(fitted)} {were} fitted, on {rows}."
    return f"Nothing was chosen from the data: {rows} were only measured."


def _protocol(run: Mapping[str, Any]) -> Mapping[str, Any]:
    recipe = run.get("recipe")
    protocol = recipe.get("protocol") if isinstance(recipe, Mapping) else None
    return protocol if isinstance(protocol, Mapping) else {}


def _chosen_settings(chosen: Mapping[str, Any], task: str) -> list[dict[str, str]]:
    """Return the settings of the final model under names for people; n-gram lengths are shortest and longest.

    Among several classes no threshold decides.
    """
    told = (*_TOLD, "threshold") if task == "multiclass" else _TOLD
    named = {}
    for key, value in chosen.items():
        if key in ("words", "characters") and isinstance(value, list) and len(value) == 2:
            value = f"{value[0]} to {value[1]}" if value[0] != value[1] else str(value[0])
        if key not in told and value is not None:
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
