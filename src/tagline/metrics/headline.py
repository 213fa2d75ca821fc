"""The metrics that people see: their names, values and intervals as text, in the order of the registry."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tagline.metrics.formatting import display_name, format_figure, format_interval
from tagline.metrics.registry import HEADLINES, METRICS, TILES
from tagline.task import Task


@dataclass(frozen=True)
class Headline:
    """A metric as people read it.

    Attributes:
        key: Its key in the block.
        name: ``"Accuracy"``.
        value: ``"92.4 %"``, or ``"–"`` where the rows do not allow the metric.
        interval: ``"92.1 to 92.7"``, or the empty string.
        meaning: A few words on what it says and which way is better.

    """

    key: str
    name: str
    value: str
    interval: str
    meaning: str


def task_of(block: Mapping[str, Any]) -> Task:
    """Return the task for which a block was measured."""
    if "hamming_loss" in block:
        return Task.MULTILABEL
    return Task.BINARY if "positive" in block else Task.MULTICLASS


def headlines(block: Mapping[str, Any]) -> list[Headline]:
    """Return the metrics of a block that have a label, in the order in which people should read them.

    >>> from tagline.metrics import measure
    >>> block = measure([0, 1, 1, 0], [0, 1, 0, 0], None, ["neg", "pos"], task="binary")
    >>> headlines(block)[0].name, headlines(block)[0].value
    ('Accuracy', '75.0 %')
    """
    task = task_of(block)
    positive = f"“{display_name(block['positive'], 12)}”" if task.has_positive else ""
    lines = []
    for key in dict.fromkeys((*HEADLINES, *METRICS)):
        label = METRICS[key].labels.get(task)
        if label is not None and key in block:
            value, interval = format_figure(key, block[key]), format_interval(key, block.get(f"{key}_ci95"))
            meaning = label.meaning.format(positive=positive)
            if block.get(f"{key}_chance") is not None:
                meaning += f"; a calibrated model shows up to {format_figure(key, block[f'{key}_chance'])} by chance"
            if block.get(f"{key}_most_probable") is not None:
                meaning += f"; the most probable classes cost {format_figure(key, block[f'{key}_most_probable'])}"
            lines.append(Headline(key, label.name, value, interval, meaning))
    return lines


def tiles(block: Mapping[str, Any]) -> list[Headline]:
    """Return the few metrics at the top of a report."""
    lines = {line.key: line for line in headlines(block)}
    return [lines[key] for key in TILES[task_of(block)] if key in lines]
