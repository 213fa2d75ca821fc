"""How two models differ on the same rows: differences with paired intervals, and McNemar's test."""

from collections.abc import Sequence
from typing import Any

from tagline.metrics.comparison.compare import Samples, agreement, difference, holm, right_rows
from tagline.metrics.comparison.mcnemar import paired_test, smallest_difference
from tagline.metrics.intervals.shares import ALPHA
from tagline.runs.predictions import Predicted


def pair_of(i: int, j: int, judged: Sequence[Predicted], samples: Samples, figures: Sequence[str]) -> dict[str, Any]:
    """Return how two of several models differ on the same rows, as `compare_runs` describes ``pairs``."""
    one, other = judged[i], judged[j]
    right, right_too = (right_rows(each.y_true, each.y_pred) for each in (one, other))
    discordant = right != right_too
    same, kappa = agreement(one.y_pred, other.y_pred)
    found: dict[str, Any] = {"first": i, "second": j}
    for name in figures:
        of = difference(samples, name, i, j)
        found[name] = {"difference": of.value, "difference_ci95": of.interval, "p": of.p}
    found["mcnemar"] = {
        "both_right": int((right & right_too).sum()),
        "only_first_right": int((right & discordant).sum()),
        "only_second_right": int((right_too & discordant).sum()),
        "both_wrong": int((~right & ~right_too).sum()),
        "p": paired_test(right, right_too, samples.units),
    }
    if samples.units is not None:
        found["n_effective"] = round(samples.units.effective_rows(discordant), 2)
    return found | {"agreement": same, "kappa": kappa}


def correct_pairs(pairs: Sequence[dict[str, Any]], figures: Sequence[str], samples: Samples, n: int) -> None:
    """Correct p-values and intervals for the number of pairs, and add the smallest significant difference."""
    for name in ("mcnemar", *figures):
        known = [pair[name] for pair in pairs if pair[name]["p"] is not None]
        for block, p in zip(known, holm([block["p"] for block in known]), strict=True):
            block["p_corrected"] = p
    for pair in pairs:
        for name in figures:
            of = pair[name]
            if of["p"] and of["p_corrected"] > of["p"]:
                # At the level at which Holm's method tests this pair, so that it excludes 0 if the test is significant.
                level = ALPHA * of["p"] / of["p_corrected"]
                of["difference_ci95"] = difference(samples, name, pair["first"], pair["second"], level).interval
        n_discordant = pair["mcnemar"]["only_first_right"] + pair["mcnemar"]["only_second_right"]
        pair["smallest_difference"] = smallest_difference(pair.get("n_effective", n), n_discordant / n, len(pairs))
