"""Comparisons in sentences."""

from collections.abc import Mapping, Sequence
from typing import Any

from tagline.metrics.headline import display_name, format_figure, listed
from tagline.metrics.intervals import ALPHA

_ALIKE = 1.1  # costs whose ratio is less are not worth a word
_NAMES = {"macro_f1": "Macro F1", "micro_f1": "Micro F1"}


def looks_sentence(metrics: Mapping[str, Any]) -> str:
    """Say how often the test set of a ``metrics.json`` has been read, and which differences are within chance.

    The empty string where it does not tell, as in runs that were written before there was a ledger.
    """
    times, least = metrics.get("test_looks"), metrics.get("smallest_difference")
    if not times or not isinstance(least, Mapping):
        return ""
    often = {1: "once", 2: "twice"}.get(times, f"{times:,} times")
    what = "exact matches" if metrics.get("task") == "multilabel" else "accuracy"
    other = "another model" if times == 1 else "another of them"
    if least.get("points") is None:
        chance = f"so few rows cannot show that {other} is better or worse"
    else:
        chance = f"a difference in {what} of less than {points(least['points'])} to {other} is within chance"
    return f"This test set has been read {often} by runs in the same folder; {chance}."


def conclusion(document: Mapping[str, Any]) -> list[str]:
    """Return what a comparison comes to, in sentences; the first is the answer.

    Args:
        document: What ``compare_runs`` makes, all but this.

    """
    runs, pairs, n = document["runs"], document["pairs"], document["rows"]
    said = []
    if len(runs) > 2:
        said.append(_best_sentence(runs, pairs, n))
    else:
        said.append(pair_sentence(pairs[0], runs, n))
        said += [figure_sentence(pairs[0], runs, figure) for figure in _NAMES]
        said.append(_agreement_sentence(pairs[0]))
    said += [cost_sentence(runs), _tried_sentence(document)]
    return [sentence for sentence in said if sentence]


def _best_sentence(runs: Sequence[Mapping[str, Any]], pairs: Sequence[Mapping[str, Any]], n: int) -> str:
    """Say which of several runs is the most accurate, which others it leaves behind, and which could be as good."""
    best = max(range(len(runs)), key=lambda k: runs[k]["accuracy"])
    theirs = {pair["first"] + pair["second"] - best: pair for pair in pairs if best in (pair["first"], pair["second"])}
    level = [k for k, pair in theirs.items() if pair["mcnemar"]["p_corrected"] > ALPHA]
    behind = [_name(runs[k]) for k in theirs if k not in level]
    said = f"{_name(runs[best])} has the highest accuracy, {format_figure('accuracy', runs[best]['accuracy'])}"
    if not level:
        return f"{said}, ahead of every other by more than chance."
    ahead = f", ahead of {listed(behind)} by more than chance" if behind else ""
    others = "every other one" if not behind else listed([_name(runs[k]) for k in level])
    least = [theirs[k]["smallest_difference"] for k in level]
    takes = f"it would take about {points(100 * max(least))}" if None not in least else "they are too few"
    return f"{said}{ahead}, but {others} may be as good: on these {n:,} rows {takes}."


def _agreement_sentence(pair: Mapping[str, Any]) -> str:
    kappa = "" if pair["kappa"] is None else f" (Cohen's kappa {pair['kappa']:.2f})"
    same = format_figure("accuracy", pair["agreement"])
    both = pair["mcnemar"]["both_wrong"]
    return f"They give the same answer to {same} of the texts{kappa}, and both are wrong on {both:,}."


def _tried_sentence(document: Mapping[str, Any]) -> str:
    times, n_runs = document["test_looks"], len(document["runs"])
    if times is None or times <= n_runs:
        return ""
    return (
        f"This test set has been read {times:,} times by runs in the same folder: if these were picked among more by "
        "their test figures, the p values are too small."
    )


def _name(run: Mapping[str, Any]) -> str:
    return f"`{display_name(run['name'])}`"


def pair_sentence(pair: Mapping[str, Any], runs: Sequence[Mapping[str, Any]], n: int) -> str:
    """Say whether one of two runs is more accurate than the other on ``n`` rows."""
    first, second = (runs[pair[place]] for place in ("first", "second"))
    gap, interval, cells = pair["accuracy"]["difference"], pair["accuracy"]["difference_ci95"], pair["mcnemar"]
    ahead, behind = (second, first) if gap >= 0 else (first, second)
    shares = [format_figure("accuracy", run["accuracy"]) for run in (ahead, behind)]
    if not cells["only_first_right"] + cells["only_second_right"]:
        return f"{_name(first)} and {_name(second)} are right on the same rows: {shares[0]} of {n:,}."
    between = ""
    if interval is not None:
        low, high = interval if gap >= 0 else (-interval[1], -interval[0])
        between = f" ({_hundredths(low)} to {_hundredths(high)})"
    p = f"McNemar p {probability(cells['p_corrected'])}"
    if cells["p_corrected"] <= ALPHA:
        return (
            f"{_name(ahead)} is more accurate than {_name(behind)}: {shares[0]} against {shares[1]}, a difference of "
            f"{points(100 * abs(gap))}{between}, more than chance ({p})."
        )
    least = pair["smallest_difference"]
    takes = "so few rows could show none" if least is None else f"it would take about {points(100 * least)}"
    seen = f"{_name(ahead)} {shares[0]}, {_name(behind)} {shares[1]}, a difference of {points(100 * abs(gap))}{between}"
    return f"No difference that these {n:,} rows could show: {seen} is within chance ({p}); {takes}."


def figure_sentence(pair: Mapping[str, Any], runs: Sequence[Mapping[str, Any]], figure: str) -> str:
    """Say by how much the averaged F1 of two runs differs, and whether by more than chance."""
    of = pair.get(figure)
    if not of or of["difference_ci95"] is None:
        return ""
    behind, ahead = (runs[pair[place]] for place in ("first", "second"))
    gap, (low, high) = of["difference"], of["difference_ci95"]
    if gap < 0:
        behind, ahead, gap, low, high = ahead, behind, -gap, -high, -low
    values = [f"{format_figure(figure, run[figure])} of {_name(run)}" for run in (ahead, behind)]
    between = f"a difference of {_three(gap)} ({_three(low)} to {_three(high)})"
    told = "more than chance" if of["p_corrected"] <= ALPHA else "within chance"
    p = f"bootstrap p {probability(of['p_corrected'])}"
    return f"{_NAMES[figure]} is {values[0]} against {values[1]}, {between}, {told} ({p})."


def cost_sentence(runs: Sequence[Mapping[str, Any]]) -> str:
    """Say which run is fastest, which is smallest, and which have nothing to be said for them."""
    said = []
    for key, adjective, unit in (("ms_per_text", "fastest", "ms a text"), ("megabytes", "smallest", "MB")):
        known = sorted((run for run in runs if run[key] is not None), key=lambda run: run[key])
        if len(known) > 1 and known[-1][key] > _ALIKE * known[0][key]:
            least, most = f"{quantity(known[0][key])} {unit}", quantity(known[-1][key])
            said.append(f"{_name(known[0])} is the {adjective}: {least} against {most} of {_name(known[-1])}.")
    said += [
        f"{_name(run)} is no better than {_name(runs[run['dominated_by'][0]])} in accuracy, speed or size."
        for run in runs
        if run["dominated_by"]
    ]
    return " ".join(said)


def points(value: float) -> str:
    """Write hundredths, with two digits where one would say little.

    >>> points(0.72), points(0.04), points(12.345)
    ('0.7 points', '0.04 points', '12.3 points')
    """
    return f"{value:.1f} points" if value >= 0.1 or not value else f"{value:.2g} points"


def probability(p: float) -> str:
    """Write what a p value is, with the digits that matter.

    >>> probability(0.00012), probability(0.0318), probability(0.41234)
    ('< 0.001', '= 0.032', '= 0.41')
    """
    return "< 0.001" if p < 0.001 else f"= {p:.3f}" if p < 0.1 else f"= {p:.2f}"


def quantity(value: float | None) -> str:
    """Write a number with three digits.

    >>> quantity(0.2134), quantity(12.34), quantity(1234.5), quantity(None)
    ('0.213', '12.3', '1,234', '–')
    """
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _hundredths(share: float) -> str:
    text = f"{100 * share:.1f}"
    return "0.0" if text == "-0.0" else text


def _three(value: float) -> str:
    text = f"{value:.3f}"
    return "0.000" if text == "-0.000" else text
