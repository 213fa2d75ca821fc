"""Comparisons of runs, repeated use of a test set, abstention and targets of decisions, in sentences."""

from collections.abc import Mapping, Sequence
from typing import Any

from tagline.data.wording import counted, have
from tagline.data.wording import listed as in_backticks
from tagline.many_classes import MOST_DENSE_CLASSES
from tagline.metrics.formatting import (
    display_name,
    format_figure,
    format_number,
    format_p_value,
    format_points,
    listed,
)
from tagline.metrics.intervals.class_shares import FEW_ROWS
from tagline.metrics.intervals.shares import ALPHA
from tagline.models import LabelTree

_SIMILAR = 1.1  # costs with a ratio below it are not compared
_NEARLY_ALL = 0.95
_FEWER_ERRORS = 2 / 3
_NAMED = 5
_NAMES = {"macro_f1": "Macro F1", "micro_f1": "Micro F1"}


def reuse_sentence(metrics: Mapping[str, Any]) -> str:
    """Say how often the test set of a ``metrics.json`` was evaluated, and which differences are significant.

    The empty string where this is unknown, as for runs written before there was a ledger.
    """
    times, least = metrics.get("test_looks"), metrics.get("smallest_difference")
    if not times or not isinstance(least, Mapping):
        return ""
    often = {1: "once", 2: "twice"}.get(times, f"{times:,} times")
    used = f"This test set has been used {often}."
    if least.get("points") is None:
        return f"{used} It has too few rows: any difference to another run may be chance."
    what = "exact match" if metrics.get("task") == "multilabel" else "accuracy"
    return f"{used} Differences in {what} below {format_points(least['points'])} may be chance."


def abstention_sentence(metrics: Mapping[str, Any]) -> str:
    """Say what abstention gains: at the first level at which a third of the errors or more are avoided.

    The empty string without such a level, and of runs of earlier versions.
    """
    block, found = metrics.get("test"), metrics.get("guarantees")
    if not block or not found:
        return ""
    for level in found["abstention"]:
        if level["threshold"] and level["accuracy"] and 1 - level["level"] <= _FEWER_ERRORS * (1 - block["accuracy"]):
            answered, right = (format_figure("accuracy", level[key]) for key in ("answered", "accuracy"))
            option = f"--abstain {level['level']:g}"
            missed = below_guarantee(level)
            but = ", less than guaranteed: these texts may differ from the training texts" if missed else ""
            return (
                f"With `{option}` the model answers {answered} of these texts; {right} of the answers are right{but}."
            )
    return ""


def below_guarantee(level: Mapping[str, Any]) -> bool:
    """Return whether the answers at a level of abstention are surely less accurate than was guaranteed."""
    interval = level.get("accuracy_ci95")
    return interval is not None and interval[1] < level["level"]


def units_sentence(block: Mapping[str, Any]) -> str:
    """Say what the intervals of a block of ``measure``, or of a comparison, are based on if copies or groups matter.

    The empty string where at least 95 % of the rows are units of their own: their intervals are nearly those of rows.
    """
    rows, n_units = block.get("n") or block["rows"], block.get("n_units")
    if n_units is None or n_units > _NEARLY_ALL * rows:
        return ""
    if block["unit"] == "group":
        return f"{rows:,} rows in {counted(n_units, 'group')}: intervals and tests count each group once."
    return f"{rows:,} rows, {counted(n_units, 'distinct text')}: intervals and tests count each distinct text once."


def small_classes_sentence(block: Mapping[str, Any]) -> str:
    """Name the classes that have fewer than 5 rows, for which means over classes have no interval.

    The empty string if there are none, or if only one of two classes is measured.
    """
    supports = {name: one["support"] for name, one in block["per_class"].items()}
    few = [display_name(name) for name, support in supports.items() if 0 < support < FEW_ROWS]
    lacking = [name for name, support in supports.items() if not support]
    none = [display_name(name) for name in lacking]
    if "positive" in block or not few + none:
        return ""
    means = "macro F1" if block.get("roc_auc") is None else "macro F1, ROC AUC and PR AUC"
    sentences = []
    if few:
        sentences.append(
            f"{in_backticks(few, _NAMED)} {have(len(few))} fewer than {FEW_ROWS} rows here, but as much weight as any "
            f"other class in means over classes ({means})."
        )
    if none:
        sentences.append(
            f"{in_backticks(none, _NAMED)} {have(len(none))} no rows here: means over classes ({means}) leave "
            f"{'it' if len(none) == 1 else 'them'} out{_except_predicted(block['per_class'], lacking)}."
        )
    return " ".join([*sentences, "So these means have no interval."])


def _except_predicted(per_class: Mapping[str, Mapping[str, Any]], lacking: Sequence[str]) -> str:
    """Say how many of the classes without rows macro F1 counts, as in scikit-learn, because they are predicted."""
    n = sum(per_class[name]["fp"] > 0 for name in lacking)
    if not n:
        return ""
    if len(lacking) == 1:
        return ", except for macro F1, where it counts as 0 because it is predicted"
    return f", except for macro F1, where {n:,} of them {'counts' if n == 1 else 'count'} as 0 because of predictions"


def conclusion(document: Mapping[str, Any]) -> list[str]:
    """Return the result of a comparison in sentences; the first one answers whether a run is better.

    Args:
        document: What ``compare_runs`` returns, without this.

    """
    runs, pairs, n = document["runs"], document["pairs"], document["rows"]
    sentences = [_best_sentence(runs, pairs, n) if len(runs) > 2 else pair_sentence(pairs[0], runs, n)]
    sentences.append(_left_out_sentence(document))
    if len(runs) == 2:
        sentences += [figure_sentence(pairs[0], runs, figure) for figure in _NAMES]
        sentences.append(_agreement_sentence(pairs[0]))
    sentences += [_foreign_sentence(document), units_sentence(document), cost_sentence(runs), _reuse_sentence(document)]
    return [sentence for sentence in sentences if sentence]


def _best_sentence(runs: Sequence[Mapping[str, Any]], pairs: Sequence[Mapping[str, Any]], n: int) -> str:
    """Say which of several runs is the most accurate, and which of the others are significantly worse."""
    best = max(range(len(runs)), key=lambda k: runs[k]["accuracy"])
    pair_with = {
        pair["first"] + pair["second"] - best: pair for pair in pairs if best in (pair["first"], pair["second"])
    }
    level = [k for k, pair in pair_with.items() if pair["mcnemar"]["p_corrected"] > ALPHA]
    worse = [_name(runs[k]) for k in pair_with if k not in level]
    start = f"{_name(runs[best])} has the highest accuracy, {format_figure('accuracy', runs[best]['accuracy'])}"
    if not level:
        return f"{start}, significantly higher than every other run."
    others = "any other run" if not worse else listed([_name(runs[k]) for k in level])
    higher = f", significantly higher than {listed(worse)}, but not than {others}"
    if not worse:
        higher = f", but not significantly higher than {others}"
    least = [pair_with[k]["smallest_difference"] for k in level]
    needed = (
        f"about {format_points(100 * max(least))} would be" if None not in least else "these rows are too few to be"
    )
    return f"{start}{higher}: on these {n:,} rows {needed} significant."


def _left_out_sentence(document: Mapping[str, Any]) -> str:
    """Say how many test rows of each run are left out because another run did not test them; empty if none are."""
    n, left_out = document["rows"], document.get("rows_left_out")
    if left_out is None:
        return ""
    of_runs = [
        f"{out:,} of the {n + out:,} test rows of {_name(run)}"
        for run, out in zip(document["runs"], left_out, strict=True)
        if out
    ]
    ways = " `--test`, a column `split` or `--folds` gives runs the same test rows." if max(left_out) > n else ""
    return (
        f"All figures are of the {n:,} test rows that the runs have in common, so they differ from those of the "
        f"reports, which are of all test rows. Left out, because another run did not test them: {listed(of_runs)}. "
        "Other text columns or options of reading make other texts empty or copies, which changes a random split as "
        f"another seed does.{ways}"
    )


def _agreement_sentence(pair: Mapping[str, Any]) -> str:
    kappa = "" if pair["kappa"] is None else f" (Cohen's kappa {pair['kappa']:.2f})"
    same = format_figure("accuracy", pair["agreement"])
    both = pair["mcnemar"]["both_wrong"]
    return f"Their predictions agree on {same} of the texts{kappa}; both are wrong on {both:,}."


def _foreign_sentence(document: Mapping[str, Any]) -> str:
    """Name the classes that a run predicts and no row has: with an F1 of 0 they lower the macro F1 of that run."""
    predicted = [
        f"`{display_name(name)}` ({', '.join(found)})"
        for name, rows in document.get("foreign_classes", {}).items()
        if (
            found := [
                f"{_name(run)} in {counted(n, 'row')}" for run, n in zip(document["runs"], rows, strict=True) if n
            ]
        )
    ]
    if not predicted:
        return ""
    more = f" and {len(predicted) - _NAMED:,} more" if len(predicted) > _NAMED else ""
    has = (
        "No row has a class that is predicted" if len(predicted) == 1 else "No row has some classes that are predicted"
    )
    return f"{has}, which lowers the macro F1: {', '.join(predicted[:_NAMED])}{more}."


def _reuse_sentence(document: Mapping[str, Any]) -> str:
    times, n_runs = document["test_looks"], len(document["runs"])
    if times is None or times <= n_runs:
        return ""
    tests = "these test sets" if "rows_left_out" in document else "this test set"
    return (
        f"Runs in the same folder have evaluated {tests} {times:,} times. If these runs were selected by their "
        "test metrics, the p-values are too small."
    )


def _name(run: Mapping[str, Any]) -> str:
    return f"`{display_name(run['name'])}`"


def pair_sentence(pair: Mapping[str, Any], runs: Sequence[Mapping[str, Any]], n: int) -> str:
    """Say whether one of two runs is significantly more accurate than the other on ``n`` rows."""
    first, second = (runs[pair[place]] for place in ("first", "second"))
    gap, interval, cells = pair["accuracy"]["difference"], pair["accuracy"]["difference_ci95"], pair["mcnemar"]
    better, worse = (second, first) if gap >= 0 else (first, second)
    shares = [format_figure("accuracy", run["accuracy"]) for run in (better, worse)]
    if not cells["only_first_right"] + cells["only_second_right"]:
        return f"{_name(first)} and {_name(second)} are correct on the same rows: {shares[0]} of {n:,}."
    points, range_ = format_points(100 * abs(gap)), ""
    if interval is not None:
        low, high = interval if gap >= 0 else (-interval[1], -interval[0])
        range_ = f" ({_hundredths(low)} to {_hundredths(high)})"
    p = f"McNemar p {format_p_value(cells['p_corrected'])}"
    if cells["p_corrected"] <= ALPHA:
        return (
            f"{_name(better)} is significantly more accurate than {_name(worse)}: {shares[0]} against {shares[1]}, "
            f"a difference of {points}{range_}, {p}."
        )
    least = pair["smallest_difference"]
    needed = "These rows are too few for any difference to be significant."
    if least is not None:
        needed = f"A difference of about {format_points(100 * least)} would be significant."
    return (
        f"No significant difference in accuracy on these {n:,} rows: {_name(better)} has {shares[0]} right and "
        f"{_name(worse)} {shares[1]}, {points} apart{range_}, {p}. {needed}"
    )


def difference_row(pair: Mapping[str, Any], figure: str) -> dict[str, str]:
    """Return the difference of two runs in a figure, its interval, and its test, as pages show them."""
    of = pair[figure]
    scale, digits = (100, 1) if figure == "accuracy" else (1, 3)
    ends = of["difference_ci95"]
    test, tested = ("McNemar", pair["mcnemar"]) if figure == "accuracy" else ("bootstrap", of)
    return {
        "value": f"{scale * of['difference']:+.{digits}f}",
        "interval": " to ".join(f"{scale * end:+.{digits}f}" for end in ends) if ends else "–",
        "test": test,
        "p": "" if tested["p"] is None else f"p {format_p_value(tested['p_corrected'])}",
    }


def figure_sentence(pair: Mapping[str, Any], runs: Sequence[Mapping[str, Any]], figure: str) -> str:
    """Say by how much the averaged F1 of two runs differs, and whether significantly."""
    of = pair.get(figure)
    if not of or of["difference_ci95"] is None:
        return ""
    worse, better = (runs[pair[place]] for place in ("first", "second"))
    gap, (low, high) = of["difference"], of["difference_ci95"]
    if gap < 0:
        worse, better, gap, low, high = better, worse, -gap, -high, -low
    values = [f"{format_figure(figure, run[figure])} for {_name(run)}" for run in (better, worse)]
    difference = f"a difference of {_three(gap)} ({_three(low)} to {_three(high)})"
    significance = "significant" if of["p_corrected"] <= ALPHA else "not significant"
    p = f"bootstrap p {format_p_value(of['p_corrected'])}"
    return f"{_NAMES[figure]} is {values[0]} against {values[1]}, {difference}, {significance} ({p})."


def cost_sentence(runs: Sequence[Mapping[str, Any]]) -> str:
    """Say which run is fastest, which is smallest, and which are dominated by another."""
    sentences = []
    for key, adjective, unit in (("ms_per_text", "fastest", "ms per text"), ("megabytes", "smallest", "MB")):
        known = sorted((run for run in runs if run[key] is not None), key=lambda run: run[key])
        if len(known) > 1 and known[-1][key] > _SIMILAR * known[0][key]:
            least, most = f"{format_number(known[0][key])} {unit}", format_number(known[-1][key])
            sentences.append(f"{_name(known[0])} is the {adjective}: {least} against {most} for {_name(known[-1])}.")
    sentences += [
        f"{_name(run)} is no better than {_name(runs[run['dominated_by'][0]])} in accuracy, speed or size."
        for run in runs
        if run["dominated_by"]
    ]
    return " ".join(sentences)


def _hundredths(share: float) -> str:
    text = f"{100 * share:.1f}"
    return "0.0" if text == "-0.0" else text


def _three(value: float) -> str:
    text = f"{value:.3f}"
    return "0.000" if text == "-0.000" else text


def summary_of_recipe(summary: str, chosen: Mapping[str, Any]) -> str:
    """Return the summary of a recipe, or of the label tree learned in its place; ``chosen`` is that of its run."""
    if chosen.get("model") != LabelTree.kind:
        return summary
    return f"TF-IDF of words and their n-grams with a label tree, as there are more than {MOST_DENSE_CLASSES:,} classes"


def model_sentences(chosen: Mapping[str, Any]) -> list[str]:
    """Say which model was learned in place of that of the recipe; ``chosen`` is that of its run."""
    if chosen.get("model") != LabelTree.kind:
        return []
    children = " × ".join(f"{n:,}" for n in chosen.get("children") or ())
    return [
        f"A label tree ({children} children) was learned, as there are more than {MOST_DENSE_CLASSES:,} classes: it "
        "gives the probabilities of the 10 most probable ones."
    ]


def target_sentences(chosen: Mapping[str, Any]) -> list[str]:
    """Say what a model decides by in place of the highest probability; ``chosen`` is that of its run."""
    threshold = chosen.get("threshold")
    above = f", {threshold:.3g}," if isinstance(threshold, float) else ""
    return [
        "The class of the smallest expected cost is predicted, by the cost matrix given."
        if target.get("metric") == "cost"
        else f"The threshold of `{display_name(str(target.get('class')), 40)}`{above} was chosen on held-out rows for "
        f"a {target.get('metric')} of at least {target.get('level')} on unseen texts, which holds for 95 of 100 models."
        for target in chosen.get("targets") or []
    ]
