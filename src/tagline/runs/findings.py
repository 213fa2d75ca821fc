"""What the figures of a run show that its user should look at."""

from collections.abc import Mapping, Sequence
from typing import Any

from tagline.data.wording import counted, listed


def never_predicted(figures: Mapping[str, Any], classes: Sequence[str], *, balanced: bool) -> list[str]:
    """Return a sentence on classes that have rows but no prediction, though the accuracy may look good.

    ``figures`` are those of ``metrics.json`` on one split; ``balanced``: whether the classes were balanced in training.
    """
    of_class = {name: figures["per_class"][name] for name in classes if name in figures["per_class"]}
    names = [name for name, one in of_class.items() if one["support"] and not one["tp"] + one["fp"]]
    if not names:
        return []
    n_rows = sum(of_class[name]["support"] for name in names)
    are, these = ("is", "this label") if len(names) == 1 else ("are", "these labels")
    have = "has" if n_rows == 1 else "have"
    advice = "" if balanced else " `--balance` gives every class the same weight in training."
    return [f"{listed(names, 5)} {are} never predicted, though {counted(n_rows, 'row')} {have} {these}.{advice}"]
