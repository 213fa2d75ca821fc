"""The conclusions of a sweep in sentences, for its report and the terminal."""

import shlex
from collections.abc import Sequence
from math import prod

from tagline.data.options import ReadOptions
from tagline.experiments.sweep.effects import Estimate
from tagline.experiments.sweep.folder import SweepRequest
from tagline.experiments.sweep.grid import RECIPE
from tagline.experiments.sweep.results import Combination, Results, Value

AS_IT_IS = "unchanged"  # the value of a setting that a listed combination does not change
_MOST_COLUMNS = 5  # of settings; with more, a combination is one cell
_OPTIONS = (
    *("text", "label", "label_separator", "keep_label_spelling", "multilabel", "group", "weight", "test", "validation"),
    *("encoding", "separator", "quote", "label_prefix", "max_unreadable", "strict"),
)  # of `tagline train`, about the data
_LEAST_SHARE = 0.01  # of the variance; smaller shares are listed together


def conclusion(results: Results) -> list[str]:
    """Return the sentences, the most important first."""
    said = [_curve_sentence(words, curve.sentence, len(results.curves)) for words, curve in results.curves.items()]
    if results.best is not None:
        said += [_best_sentence(results), *([_shares_sentence(results)] if results.effects else [])]
        if results.shares is not None:
            said += [setting_sentence(key, values) for key, values in results.effects.items()]
        if results.effects and not _is_crossed(results):
            said.append(
                "Not every value was combined with every other (because of `--try` or failed trials), so the mean of a "
                "value also reflects the other settings of its trials."
            )
        if results.effects and results.n_seeds == 1:
            said.append(
                "Every combination ran with one seed, so the intervals do not include the variance between seeds: "
                "use `--seeds 3`."
            )
    if results.n_failed:
        said.append(_failures_sentence(results))
    return said


def _is_crossed(results: Results) -> bool:
    """Return whether every combination of the values has figures."""
    n = sum(one.accuracy is not None for one in results.combinations)
    return n == prod(len(values) for values in results.effects.values())


def caution(results: Results) -> str:
    """Return the limits of the figures in a sentence, or the empty string."""
    n = sum(one.accuracy is not None for one in results.combinations)
    if results.curves or n < 2:
        return ""
    by = 100 * results.optimism
    units = ""
    if results.judged_units is not None:
        units = f"The intervals count each of the {results.judged_units:,} distinct texts, or groups, once. "
    much = "by less than 0.1 points here" if by < 0.05 else f"by about {by:.1f} points here"
    return (
        f"{units}The best of {n:,} combinations was selected on the {results.judged:,} rows that also measure it, so "
        f"its accuracy is too high, {much}; the test rows, which no trial uses, give an unbiased figure. The intervals "
        "are not corrected for multiple comparisons: about 1 in 20 comparisons without a real difference looks "
        "significant."
    )


def command_for_best(request: SweepRequest, results: Results) -> str:
    """Return the command that trains the best combination and measures it on the test rows."""
    settings = request.content["settings"]
    best = results.best
    if best is None:
        return ""
    source = next(variant.source for variant in request.variants if variant.words == best.words)
    words = ["tagline", "train", request.content["typed"], "--recipe", source]
    changes = [f"{key}={value}" for key, value in best.settings.items() if key != RECIPE]
    for change in (*settings["settings"], *changes):
        words += ["--set", change]
    given, default = ReadOptions(**{name: settings[name] for name in _OPTIONS if name in settings}), ReadOptions()
    for name in _OPTIONS:
        value, option = getattr(given, name), f"--{name.replace('_', '-')}"
        if value is True:
            words.append(option)
        elif value != getattr(default, name):
            for each in value if isinstance(value, tuple) else (value,):
                words += [option, str(each)]
    if settings["seed"]:
        words += ["--seed", str(settings["seed"])]
    return shlex.join(words)


def setting_columns(combinations: Sequence[Combination]) -> tuple[list[str], list[list[str]]]:
    """Return names and cells of the columns that identify combinations, one row each; for many settings one column."""
    keys = list(dict.fromkeys(key for one in combinations for key in one.settings))
    keys = [key for key in keys if len({one.settings.get(key) for one in combinations}) > 1]
    if not 1 <= len(keys) <= _MOST_COLUMNS:
        return ["combination"], [[one.words] for one in combinations]
    short = [key.partition(".")[2] or key for key in keys]
    names = short if len(set(short)) == len(short) else keys
    return names, [[one.settings.get(key) or AS_IT_IS for key in keys] for one in combinations]


def percent(value: float) -> str:
    """Return an accuracy in per cent."""
    return f"{100 * value:.1f} %"


def between(estimate: Estimate) -> str:
    """Return the ends of an interval of accuracies or their differences, in points."""
    return f"{_points(estimate.low)} to {_points(estimate.high)}"


def behind(estimate: Estimate | None) -> str:
    """Return the difference to the best combination in points, with its interval; None is the best itself."""
    return "best" if estimate is None else f"{_points(estimate.value)} ({between(estimate)})"


def setting_sentence(key: str, values: Sequence[Value]) -> str:
    """Describe the effect of a setting."""
    best = next(value for value in values if value.behind is None)
    worse = [value for value in values if value.behind is not None and not value.behind.includes_zero]
    level = [value for value in values if value.behind is not None and value.behind.includes_zero]
    if not worse:
        figures = ", ".join(f"{named(value.value)} {percent(value.accuracy.value)}" for value in values)
        return f"`{key}` has no effect beyond noise: {figures}."
    lost = [f"{named(v.value)} by {100 * v.behind.value:.1f} points ({between(v.behind)})" for v in worse if v.behind]
    on_average = percent(best.accuracy.value)
    said = f"`{key}`: {named(best.value)} is best, with {on_average} on average; it leads {_and(lost)}"
    if level:
        said += (
            f"; {_and([named(value.value) for value in level])} {'is' if len(level) == 1 else 'are'} within noise of it"
        )
    return f"{said}."


def named(value: str) -> str:
    """Return the value of a setting as code, or `AS_IT_IS`."""
    return f"`{value}`" if value else AS_IT_IS


def _points(value: float) -> str:
    return f"{round(100 * value, 1) + 0.0:.1f}"  # adding 0 makes 0.0 of -0.0


def _curve_sentence(words: str, sentence: str, n_curves: int) -> str:
    return sentence if n_curves == 1 else f"`{words}`: {sentence[0].lower()}{sentence[1:]}"


def _best_sentence(results: Results) -> str:
    best = results.best
    assert best is not None
    assert best.accuracy is not None
    of = f", the mean of {results.n_seeds} seeds" if results.n_seeds > 1 else ""
    compared = [one for one in results.combinations if one.behind is not None]
    said = (
        f"`{best.words}` is best: {percent(best.accuracy.value)} of {results.judged:,} rows correct "
        f"({between(best.accuracy)}{of})"
    )
    if not compared:
        low, high = min(best.of_seeds), max(best.of_seeds)
        return (
            f"`{best.words}`: {percent(best.accuracy.value)} of {results.judged:,} rows correct "
            f"({between(best.accuracy)}{of}); the seeds alone range from {percent(low)} to {percent(high)}."
        )
    n = len(results.rivals)
    if not n:
        return f"{said}; every other combination is behind it by more than noise."
    if n == len(compared):
        return f"{said}; {'the other one is' if n == 1 else f'the other {n:,} are'} within noise of it."
    return f"{said}; {n:,} of the other {len(compared):,} combinations are within noise of it."


def _shares_sentence(results: Results) -> str:
    explained = results.shares
    if explained is None:
        return "All trials have the same accuracy: no setting has an effect."
    told = [(f"`{key}`", share) for key, share in explained.by_setting.items()]
    told.sort(key=lambda pair: -pair[1])
    (first, most), *others = told
    parts = [f"{name} {100 * share:.0f} %" for name, share in others if share >= _LEAST_SHARE]
    little = [name for name, share in others if share < _LEAST_SHARE]
    if little:
        parts.append(f"{_and(little)} less than 1 %{' each' if len(little) > 1 else ''}")
    if explained.together >= _LEAST_SHARE:
        parts.append(f"interactions {100 * explained.together:.0f} %")
    if results.n_seeds > 1:
        parts.append(f"seeds {100 * explained.seeds:.0f} %")
    return (
        f"Of the variance between trials {first} explains {100 * most:.0f} %" + "".join(f", {p}" for p in parts) + "."
    )


def _failures_sentence(results: Results) -> str:
    first = next(one for one in results.combinations if one.errors)
    one = results.n_failed == 1
    said = "trial failed, with" if one else "trials failed, the first with"
    return f"{results.n_failed:,} of {results.n_trials:,} {said} `{first.words}`: {first.errors[0]}"


def _and(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
