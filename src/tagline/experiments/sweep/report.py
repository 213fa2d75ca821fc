"""Output of a finished sweep: trials as CSV, plots, and an HTML report."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from tagline.experiments.sweep.folder import SweepRequest
from tagline.experiments.sweep.grid import RECIPE, varied
from tagline.experiments.sweep.learning_curve import Curve
from tagline.experiments.sweep.results import Combination, Results
from tagline.experiments.sweep.summary import (
    AS_IT_IS,
    behind,
    between,
    caution,
    command_for_best,
    conclusion,
    percent,
    setting_columns,
)
from tagline.experiments.sweep.trial import Trial
from tagline.experiments.sweep.trial_store import Outcome
from tagline.metrics.formatting import display_name, format_figure
from tagline.plots.searches.sweep import LearningCurve, SettingValue, plot_curves, plot_settings
from tagline.plots.style import save
from tagline.report.markup.excerpts import harmless
from tagline.report.markup.inline_svg import read_svg
from tagline.report.rendering import render_page, write_page
from tagline.runs.predicting.tables import polars_os_errors
from tagline.storage.atomic import open_file

_LISTED = 20  # combinations; the others are in the table
_WIDE = 600  # CSS pixels
_POINTS_OF_LAW = 60


def write_sweep(
    request: SweepRequest, trials: Sequence[Trial], outcomes: Mapping[int, Outcome], results: Results
) -> None:
    """Write ``trials.csv``, ``plots/`` and ``report.html``."""
    with open_file(request.folder / "trials.csv") as file, polars_os_errors():
        trials_frame(request, trials, outcomes).write_csv(file)
    _draw(request, results)
    write_page(request.folder / "report.html", _page(request, results))


def trials_frame(request: SweepRequest, trials: Sequence[Trial], outcomes: Mapping[int, Outcome]) -> pl.DataFrame:
    """Return a row for each trial, with a column for each setting that varies."""
    settings = varied(request.variants)
    columns: dict[str, list[Any]] = {"trial": [trial.number for trial in trials]}
    columns[RECIPE] = [trial.recipe.recipe.name for trial in trials]
    variants = [request.variants[trial.number % len(request.variants)] for trial in trials]
    for key in settings:
        if key != RECIPE:
            columns[key] = [variant.settings.get(key) for variant in variants]
    columns["seed"] = [trial.seed for trial in trials]
    found = [outcomes[trial.number] for trial in trials]
    names = ("status", "accuracy", "accuracy_low", "accuracy_high", "macro_f1", "log_loss", "learnt_from")
    for name in (*names, "best_epoch", "epochs", "parameters", "seconds", "error"):
        columns[name] = [getattr(outcome, name) for outcome in found]
    return pl.DataFrame(columns, infer_schema_length=None)


def _draw(request: SweepRequest, results: Results) -> None:
    folder = request.folder / "plots"
    figures = {}
    if results.effects:
        settings = {
            key: [
                SettingValue(v.value or AS_IT_IS, v.accuracy.value, v.accuracy.low, v.accuracy.high, v.of_trials)
                for v in values
            ]
            for key, values in results.effects.items()
        }
        figures["settings"] = plot_settings(settings)
    if results.curves:
        curves = [_learning_curve(words, curve) for words, curve in results.curves.items()]
        figures["learning_curve"] = plot_curves(curves, max(request.sizes or [0]))
    if figures:
        folder.mkdir(exist_ok=True)
    for name, figure in figures.items():
        save(figure, folder, name)


def _learning_curve(words: str, curve: Curve) -> LearningCurve:
    sizes = list(curve.accuracy)
    law = None
    if curve.law is not None:
        n = np.geomspace(sizes[0], 2 * sizes[-1], _POINTS_OF_LAW)
        law = (n, np.array([1 - curve.law.error(size) for size in n]))
    ends = [(one.value, one.low, one.high) for one in curve.accuracy.values()]
    mean, low, high = (np.array(column) for column in zip(*ends, strict=True))
    trials = [(size, accuracy) for size, found in curve.of_seeds.items() for accuracy in found]
    return LearningCurve(words, np.array(sizes, dtype=float), mean, low, high, trials, law)


def _page(request: SweepRequest, results: Results) -> str:
    content = request.content
    best = results.best
    plots = []
    for name in ("settings", "learning_curve"):
        path = request.folder / "plots" / f"{name}.svg"
        if path.exists():
            svg = read_svg(path, name.replace("_", "-"))
            plots.append({"name": name, "svg": svg, "wide": svg.width > _WIDE})
    measured = [one for one in results.combinations if one.accuracy is not None]
    names, cells = setting_columns(measured)
    return render_page(
        "sweep.html.j2",
        title=display_name(str(content["dataset"]["name"])),
        name=harmless(request.folder.name),
        recipes=", ".join(sorted({variant.recipe.recipe.name for variant in request.variants})),
        verdict=_verdict(results),
        counts=_counts(request, results),
        judged=f"{results.judged:,}",
        how=content["judged"]["how"],
        sentences=conclusion(results),
        caution=caution(results),
        plots=plots,
        columns=names,
        combinations=[_row(one, found) for one, found in zip(measured[:_LISTED], cells, strict=False)],
        n_more=max(0, len(measured) - _LISTED),
        has_parameters=any(one.parameters is not None for one in measured),
        effects=[
            {
                "key": key,
                "share": "" if results.shares is None else f"{100 * results.shares.by_setting[key]:.0f} %",
                "values": [
                    {
                        "name": value.value or AS_IT_IS,
                        "accuracy": percent(value.accuracy.value),
                        "interval": between(value.accuracy),
                        "behind": "best on average" if value.behind is None else f"{100 * value.behind.value:.1f}",
                        "behind_interval": "" if value.behind is None else between(value.behind),
                        "includes_zero": value.behind is not None and value.behind.includes_zero,
                    }
                    for value in values
                ],
            }
            for key, values in results.effects.items()
        ],
        curves=[
            {
                "words": words,
                "rows": [
                    {"size": f"{size:,}", "accuracy": percent(one.value), "interval": between(one)}
                    for size, one in curve.accuracy.items()
                ],
            }
            for words, curve in results.curves.items()
        ],
        failed=[{"words": one.words, "error": harmless(one.errors[0])} for one in results.combinations if one.errors][
            :_LISTED
        ],
        n_failed=results.n_failed,
        train=harmless(command_for_best(request, results)) if best is not None else "",
        command=harmless(_shown_command(content["command"])),
        facts=[
            ("data", harmless(str(content["dataset"]["name"]))),
            ("fingerprint", content["dataset"]["fingerprint"][:16] + " …"),
            ("seeds", ", ".join(str(seed) for seed in request.seeds)),
            ("created", content["created"]),
            ("versions", ", ".join(f"{name} {version}" for name, version in content["versions"].items())),
            ("machine", _machine(content["machine"])),
        ],
    )


def _machine(facts: dict[str, Any]) -> str:
    return ", ".join(f"{value} cores" if name == "cores" else str(value) for name, value in facts.items())


def _verdict(results: Results) -> dict[str, str]:
    if results.curves:
        words, curve = max(results.curves.items(), key=lambda pair: max(e.value for e in pair[1].accuracy.values()))
        size, top = list(curve.accuracy.items())[-1]
        which = f"{words}, " if len(results.curves) > 1 else ""
        what = f"{which}after learning from {size:,} rows"
        return {"figure": percent(top.value), "what": what, "interval": between(top)}
    best = results.best
    if best is None or best.accuracy is None:
        return {"figure": "–", "what": "every trial failed", "interval": ""}
    return {"figure": percent(best.accuracy.value), "what": best.words, "interval": between(best.accuracy)}


def _counts(request: SweepRequest, results: Results) -> str:
    n = len(request.variants)
    parts = [f"{n:,} combination{'' if n == 1 else 's'}"]
    if request.sizes is not None:
        parts.append(f"{len(request.sizes)} sizes")
    parts.append(f"{results.n_seeds} seed{'' if results.n_seeds == 1 else 's'}")
    failed = f", {results.n_failed:,} failed" if results.n_failed else ""
    return f"{' × '.join(parts)}: {results.n_trials:,} trials{failed}"


def _row(one: Combination, cells: Sequence[str]) -> dict[str, Any]:
    assert one.accuracy is not None
    return {
        "cells": cells,
        "accuracy": percent(one.accuracy.value),
        "interval": between(one.accuracy),
        "behind": behind(one.behind),
        "is_rival": one.behind is None or one.behind.includes_zero,
        "macro_f1": format_figure("macro_f1", one.macro_f1),
        "log_loss": format_figure("log_loss", one.log_loss),
        "seconds": "–" if one.seconds is None else f"{one.seconds:.1f}",
        "best_epoch": "–" if one.best_epoch is None else str(one.best_epoch),
        "parameters": "–" if one.parameters is None else f"{one.parameters:,}",
    }


def _shown_command(command: Sequence[str]) -> str:
    import shlex

    return shlex.join(command)
