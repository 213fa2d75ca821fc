"""The confusion matrix as plain values: a table of up to 50 classes, a heat map of more, the most confused pairs."""

from collections.abc import Mapping
from typing import Any

from tagline.metrics.confusion import confusion_counts, most_confused
from tagline.metrics.counts import MANY_CLASSES
from tagline.metrics.formatting import display_name, text_width
from tagline.metrics.headline import task_of
from tagline.task import Task

Block = Mapping[str, Any]

_LARGE_CELLS, _AS_TABLE = 4, 50  # classes
_LONGEST_NAME = 28
_HEAT_MAP = 960  # CSS pixels that a heat map takes without its names, at most
_LARGEST_CELL, _SMALLEST_NAMED = 10, 9  # CSS pixels
_CHARACTER = 5.3  # CSS pixels
_LEVELS = 8


def matrix_table(block: Block, classes: list[str]) -> dict[str, Any] | None:
    """Return the confusion matrix as a table of cells; None for multi-label data and for more than 50 classes.

    Of few classes the cells are large, with shares and names of the outcome; of more they hold the counts only.
    """
    if task_of(block) is Task.MULTILABEL or len(classes) > _AS_TABLE:
        return None
    positive, rows = block.get("positive"), []
    large = len(classes) <= _LARGE_CELLS
    for i, counts in enumerate(block["confusion_matrix"]):
        total = max(sum(counts), 1)
        cells = []
        for j, count in enumerate(counts):
            outcome = ""
            if positive is not None:
                outcome = ("T" if i == j else "F") + ("P" if classes[j] == positive else "N")
            share = f"{100 * count / total:.1f} %"
            words = f"{display_name(classes[i])} → {display_name(classes[j])}: {count:,} ({share})"
            cells.append({"count": f"{count:,}", "share": share, "shade": count / total, "is": outcome, "words": words})
        rows.append({"name": display_name(classes[i], _LONGEST_NAME), "full": display_name(classes[i]), "cells": cells})
    return {
        "large": large,
        "longest": round(max(text_width(display_name(name, _LONGEST_NAME)) for name in classes)),
        "columns": [{"name": display_name(name, _LONGEST_NAME), "full": display_name(name)} for name in classes],
        "rows": rows,
        "positive": None if positive is None else display_name(positive),
    }


def heat_map(block: Block, classes: list[str]) -> dict[str, Any] | None:
    """Return the confusion matrix of more than 50 and at most 500 classes as squares in levels of their shade.

    Truth in rows, prediction in columns, in CSS pixels. If there is no room for every name, every second or third
    class is named.
    """
    n = len(classes)
    if task_of(block) is Task.MULTILABEL or not _AS_TABLE < n <= MANY_CLASSES:
        return None
    cell = max(2, min(_LARGEST_CELL, _HEAT_MAP // n))
    totals: dict[int, int] = {}
    for i, _, count in confusion_counts(block):
        totals[i] = totals.get(i, 0) + count
    squares: dict[int, list[str]] = {}
    for i, j, count in confusion_counts(block):
        level = max(1, round(_LEVELS * count / totals[i]))
        squares.setdefault(level, []).append(f"M{j * cell} {i * cell}h{cell}v{cell}h-{cell}z")
    every = -(-_SMALLEST_NAMED // cell)
    names = {k: display_name(classes[k], _LONGEST_NAME) for k in range(0, n, every)}
    room = 6 + round(_CHARACTER * max(map(text_width, names.values())))
    return {
        "size": n * cell,
        "room": room,
        "levels": [{"opacity": level / _LEVELS, "path": "".join(squares[level])} for level in sorted(squares)],
        "names": [{"name": name, "at": round((k + 0.5) * cell, 1)} for k, name in names.items()],
        "every": every,
    }


def confused_pairs(block: Block, classes: list[str]) -> list[dict[str, str]]:
    """Return the most confused pairs of classes, of three classes or more."""
    if task_of(block) is not Task.MULTICLASS or len(classes) < 3:
        return []
    return [
        {
            "truth": display_name(truth),
            "prediction": display_name(prediction),
            "count": f"{n:,}",
            "share": f"{100 * share:.1f} %",
        }
        for truth, prediction, n, share in most_confused(block, classes)
    ]
