"""Results of a sweep: combinations best first, effects of settings, learning curves."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, TypeVar

import numpy as np

from tagline.experiments.sweep.effects import (
    Estimate,
    Shares,
    difference,
    mean_accuracy,
    seed_variance,
    selection_optimism,
    shares,
)
from tagline.experiments.sweep.folder import SweepRequest
from tagline.experiments.sweep.grid import Variant, varied
from tagline.experiments.sweep.learning_curve import Curve, learning_curve
from tagline.experiments.sweep.trial import Trial
from tagline.experiments.sweep.trial_store import Outcome
from tagline.metrics.units import Units
from tagline.task import Bools, Ints

_One = TypeVar("_One")
_OfVariants = list[tuple[Variant, list[_One]]]  # what belongs to each variant


@dataclass(frozen=True)
class Combination:
    """One combination of settings over its seeds; figures are means, ``best_epoch`` is a median.

    ``behind``: the paired difference of accuracy to the best combination, None for the best. ``errors``: the messages
    of failed trials; a combination with a failed trial has no figures.
    """

    words: str
    recipe: str
    settings: dict[str, str]
    of_seeds: list[float] = field(default_factory=list)
    accuracy: Estimate | None = None
    behind: Estimate | None = None
    macro_f1: float | None = None
    log_loss: float | None = None
    seconds: float | None = None
    best_epoch: int | None = None
    parameters: int | None = None
    errors: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Value:
    """A value of a setting: the mean over all trials with it, and the difference to the best value."""

    value: str
    accuracy: Estimate
    behind: Estimate | None
    of_trials: list[float]


@dataclass(frozen=True)
class Results:
    """Results of a sweep.

    ``judged``: number of held-out rows. ``judged_units``: their distinct texts, or groups; None if as many.
    ``combinations``: best first, failed ones last. ``effects``: the values of each setting, in the order given, the
    setting with the largest effect first. ``optimism``: see `effects.selection_optimism`. ``curves``: by combination.
    """

    n_trials: int
    n_failed: int
    n_seeds: int
    judged: int
    combinations: list[Combination] = field(default_factory=list)
    effects: dict[str, list[Value]] = field(default_factory=dict)
    shares: Shares | None = None
    optimism: float = 0.0
    curves: dict[str, Curve] = field(default_factory=dict)
    judged_units: int | None = None

    @property
    def best(self) -> Combination | None:
        """The combination with the highest mean accuracy."""
        first = next(iter(self.combinations), None)
        return first if first is not None and first.accuracy is not None else None

    @property
    def rivals(self) -> list[Combination]:
        """The combinations whose difference to the best is within the noise."""
        return [one for one in self.combinations if one.behind is not None and one.behind.includes_zero]

    def to_json(self) -> dict[str, Any]:
        """Return the content of ``results.json``."""
        content = asdict(self)
        # The file keeps the name that its first version gave to the optimism.
        return {"flattery" if name == "optimism" else name: value for name, value in content.items()}


def results_of(
    request: SweepRequest, trials: Sequence[Trial], outcomes: Mapping[int, Outcome], units: Units | None
) -> Results:
    """Compute the results of the outcomes, by number of trial; ``units``: those of the held-out rows, see `measure`."""
    n_variants = len(request.variants)
    by_variant = [
        (variant, [trial for trial in trials if trial.number % n_variants == k])
        for k, variant in enumerate(request.variants)
    ]
    n_failed = sum(outcome.status == "failed" for outcome in outcomes.values())
    n_units = None if units is None else units.n
    n_judged = int(request.content["judged"]["rows"])
    results = Results(len(trials), n_failed, len(request.seeds), n_judged, judged_units=n_units)
    seed = int(request.content["settings"]["seed"])
    if request.sizes is not None:
        return _with_curves(results, by_variant, outcomes, seed, units)
    runs = [(variant, [outcomes[trial.number] for trial in mine]) for variant, mine in by_variant]
    return _with_effects(results, runs, seed, units)


def _with_curves(
    results: Results, by_variant: _OfVariants[Trial], outcomes: Mapping[int, Outcome], seed: int, units: Units | None
) -> Results:
    """Add the learning curve of each variant."""
    curves, combinations = {}, []
    for variant, trials in by_variant:
        combinations.append(_failed(variant, [outcomes[trial.number] for trial in trials]))
        by_size = _by_size(trials, outcomes, results.judged)
        if len(by_size) > 1:
            curves[variant.words] = learning_curve(by_size, seed, units)
    return replace(results, combinations=combinations, curves=curves)


def _with_effects(results: Results, runs: _OfVariants[Outcome], seed: int, units: Units | None) -> Results:
    """Add the combinations, best first, and the effects of their settings."""
    complete = [(variant, found) for variant, found in runs if all(outcome.status == "done" for outcome in found)]
    failed = [
        _failed(variant, found) for variant, found in runs if any(outcome.status == "failed" for outcome in found)
    ]
    if not complete:
        return replace(results, combinations=failed)
    variants = [variant for variant, _ in complete]
    right = np.stack([one.right_rows(results.judged) for _, found in complete for one in found])  # (n_trials, n_rows)
    variant_of = np.repeat(np.arange(len(complete)), results.n_seeds)  # (n_trials,)
    accuracy = right.mean(axis=1)  # (n_trials,)
    of_seeds = seed_variance(accuracy, variant_of)
    combinations = _ranked(
        [_combination(v, found, right[variant_of == k], of_seeds, units) for k, (v, found) in enumerate(complete)]
    )
    rows_of = {variant.words: right[variant_of == k] for k, variant in enumerate(variants)}
    best = combinations[0]
    behind = [
        replace(one, behind=difference(rows_of[best.words], rows_of[one.words], of_seeds, units))
        for one in combinations[1:]
    ]
    settings = varied(variants)
    number = {
        key: np.array([values.index(variants[k].settings.get(key, "")) for k in variant_of])
        for key, values in settings.items()
    }
    explained = shares(accuracy, number, variant_of) if settings else None
    effects = {key: _values(settings[key], number[key], right, of_seeds, units) for key in settings}
    if explained is not None:
        effects = dict(sorted(effects.items(), key=lambda pair: -explained.by_setting[pair[0]]))
    rows = np.stack([right[variant_of == k].mean(axis=0) for k in range(len(complete))])  # (n_variants, n_rows)
    return replace(
        results,
        combinations=[best, *behind, *failed],
        effects=effects,
        shares=explained,
        optimism=selection_optimism(rows, seed, units),
    )


def _failed(variant: Variant, found: Sequence[Outcome]) -> Combination:
    """Return a combination without figures, with the messages of its failed trials."""
    errors = [outcome.error for outcome in found if outcome.error is not None]
    return Combination(variant.words, variant.recipe.recipe.name, variant.settings, errors=errors)


def _by_size(trials: Sequence[Trial], outcomes: Mapping[int, Outcome], n_rows: int) -> dict[int, Bools]:
    found: dict[int, list[Bools]] = {}
    for trial in trials:
        outcome = outcomes[trial.number]
        if outcome.status == "done" and trial.size is not None:
            found.setdefault(trial.size, []).append(outcome.right_rows(n_rows))
    return {size: np.stack(right) for size, right in found.items()}


def _combination(
    variant: Variant, found: Sequence[Outcome], right: Bools, of_seeds: float, units: Units | None
) -> Combination:
    return Combination(
        variant.words,
        variant.recipe.recipe.name,
        variant.settings,
        of_seeds=[float(value) for value in right.mean(axis=1)],
        accuracy=mean_accuracy(right, of_seeds, units),
        macro_f1=_mean([outcome.macro_f1 for outcome in found]),
        log_loss=_mean([outcome.log_loss for outcome in found]),
        seconds=_mean([outcome.seconds for outcome in found]),
        best_epoch=_median([outcome.best_epoch for outcome in found]),
        parameters=found[0].parameters,
    )


def _ranked(combinations: Sequence[Combination]) -> list[Combination]:
    def key(one: Combination) -> tuple[float, float]:
        assert one.accuracy is not None
        return -one.accuracy.value, one.log_loss if one.log_loss is not None else 0.0

    return sorted(combinations, key=key)


def _values(values: Sequence[str], number: Ints, right: Bools, of_seeds: float, units: Units | None) -> list[Value]:
    groups = [right[number == k] for k in range(len(values))]
    best = int(np.argmax([group.mean() for group in groups]))
    return [
        Value(
            value,
            mean_accuracy(group, of_seeds, units),
            None if k == best else difference(groups[best], group, of_seeds, units),
            [float(accuracy) for accuracy in group.mean(axis=1)],
        )
        for k, (value, group) in enumerate(zip(values, groups, strict=True))
    ]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _median(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return int(np.median(known)) if known else None
