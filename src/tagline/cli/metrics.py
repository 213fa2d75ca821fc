"""The content of a ``metrics.json`` on the terminal: figures, classification report, confusion matrix.

Each table fits 80 columns. Class names are plain text: what looks like rich's markup in one is printed as it is.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tagline.cli.terminal import show
from tagline.key_findings import shown_first
from tagline.metrics.confusion import confusion_counts, most_confused
from tagline.metrics.formatting import NO_INTERVAL, display_name, format_figure
from tagline.metrics.headline import headlines, task_of
from tagline.metrics.notable_classes import worst_classes
from tagline.report.conclusion import abstention_sentence, reuse_sentence, small_classes_sentence, units_sentence
from tagline.task import Task

if TYPE_CHECKING:
    from tagline.data import Facts

_ALL_CLASSES = 20
_WORST = 10
_WIDTH, _WIDTH_OF_TRUTH, _GAP = 80, 20, 3  # columns of the terminal
_SHORTEST_NAME = 6
_LONGEST_NAME = 30
_TRUTH = "true label"
_SHARE, _MARK = len("100.0%"), len("TP ")


def show_metrics(metrics: Mapping[str, Any], *, facts: "Facts | None" = None, rows_used: str = "") -> None:
    """Print headline figures, the key findings, the classification report and the confusion matrix."""
    rows = metrics["rows"]
    if facts is not None:
        counts = ", ".join(f"{name} {n:,}" for name, n in rows.items() if n)
        show(f"Rows: {counts} ({facts.split}); {facts.chosen}.", "")
    block, split = metrics["test"], "Test"
    if block is None:
        block, split = metrics["validation"], "Validation"
    if block is None:
        show("No rows were left to measure on.", "")
        return
    title = f"{split}, {block['n']:,} rows"
    if metrics.get("folds"):
        folds = metrics["folds"]
        title = f"{folds}-fold cross-validation, {block['n']:,} rows, each predicted by a model trained without it"
    elif rows_used:
        title = f"On {rows_used}"
    show(figures_table(block, title=title), "")
    if findings := shown_first(metrics):
        show("Look at this first:", *(f"  • {sentence}" for sentence in findings), "")
    show(
        classification_table(block, title="Classes"),
        "",
        confusion_table(block, metrics["classes"], title="Confusion matrix"),
        "",
    )
    sentences = (small_classes_sentence(block), units_sentence(block), reuse_sentence(metrics))
    for sentence in (*sentences, abstention_sentence(metrics)):
        if sentence:
            show(sentence, "")


def figures_table(block: Mapping[str, Any], *, title: str | None = None) -> Table:
    """Return the headline figures of a block of ``measure`` with their 95 % intervals.

    Args:
        block: What ``measure`` returned.
        title: For instance ``"Test, 25,000 rows"``.

    """
    table = _table(title)
    table.add_column("", no_wrap=True)
    table.add_column("", justify="right", no_wrap=True, style="bold")
    table.add_column("95 % interval", no_wrap=True)
    table.add_column("", style="dim", overflow="fold")
    lines = headlines(block)
    for line in lines:
        table.add_row(line.name, line.value, line.interval or "–", Text(line.meaning))
    if not all(line.interval for line in lines):
        table.caption = f"–: {NO_INTERVAL}"
        table.caption_justify = "left"
    return table


def classification_table(block: Mapping[str, Any], *, title: str | None = None) -> Table:
    """Return precision, recall, F1 and support of each class, and their averages.

    For more than 20 classes the 10 of lowest F1, and a note that says so.
    """
    per_class = block["per_class"]
    shown = list(per_class)
    caption = None
    if len(shown) > _ALL_CLASSES:
        shown = worst_classes(per_class, _WORST)
        caption = f"The {len(shown)} classes of lowest F1, of {len(per_class):,}."
    table = _table(title)
    table.caption = caption
    table.caption_justify = "left"
    table.add_column("class", no_wrap=True)
    for name in ("precision", "recall", "F1", "rows"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in shown:
        row = per_class[name]
        table.add_row(Text(display_name(name, _LONGEST_NAME)), *_three(row), f"{row['support']:,}")
    table.add_section()
    total = sum(row["support"] for row in per_class.values())
    for average in ("macro", "weighted", *(["micro"] if task_of(block) is Task.MULTILABEL else [])):
        averages = {name: block[f"{average}_{name}"] for name in ("precision", "recall", "f1")}
        table.add_row(f"{average} average", *_three(averages), f"{total:,}", style="dim")
    return table


def confusion_table(
    block: Mapping[str, Any], classes: Sequence[str] | None = None, *, title: str | None = None
) -> RenderableType:
    """Return the confusion matrix with counts and shares of the true label.

    Two classes: the cells are named TP, FP, FN and TN, and so is the positive class. Many classes: the pairs
    most often confused. Multi-label: TP, FP, FN and TN of each label.

    Args:
        block: What ``measure`` returned.
        classes: Names in the order of the matrix; without, those of the block.
        title: Above the table.

    """
    names = list(classes or block["per_class"])
    if task_of(block) is Task.MULTILABEL:
        return _label_table(block, title)
    matrix = block["confusion_matrix"]
    positive = block.get("positive")
    longest = (_WIDTH - _WIDTH_OF_TRUTH) // len(names) - _GAP
    if longest < _SHORTEST_NAME or longest < len(f"{max(map(max, matrix)):,}"):
        return _pairs_table(block, names, title)
    longest = _longest_that_fits(names, len(f"{max(map(max, matrix)):,}") + _MARK * (positive is not None), longest)
    table = _table(title)
    table.add_column(_TRUTH, no_wrap=True)
    for name in names:
        table.add_column(Text(display_name(name, longest)), justify="right", no_wrap=True)
    for i, row in enumerate(matrix):
        total = max(sum(row), 1)
        cells = []
        for j, count in enumerate(row):
            cell = Text(f"{count:,}\n{100 * count / total:.1f}%", style="" if count else "dim")
            if positive is not None:
                outcome = ("T" if i == j else "F") + ("P" if names[j] == positive else "N")
                cell = Text(f"{outcome} ", style="dim") + cell
            cells.append(cell + "\n" if i + 1 < len(matrix) else cell)
        table.add_row(Text(display_name(names[i], _WIDTH_OF_TRUTH - _GAP)), *cells)
    notes = ["Columns: predicted label. Per cent: of the true label."]
    if positive is not None:
        notes.append(f"Positive class: {display_name(positive, _LONGEST_NAME)}.")
    return Group(table, Text(" ".join(notes), style="dim"))


def _longest_that_fits(names: Sequence[str], count: int, least: int) -> int:
    """Return how long the names of the columns may be so that the matrix fits, at least ``least``.

    ``count`` is the width of the widest count, with its mark.
    """
    truth = max(len(_TRUTH), *(cell_len(display_name(name, _WIDTH_OF_TRUTH - _GAP)) for name in names))
    for longest in range(_LONGEST_NAME, least, -1):
        cells = (max(cell_len(display_name(name, longest)), count, _SHARE) for name in names)
        if truth + sum(cell + _GAP for cell in cells) <= _WIDTH:
            return longest
    return least


def _table(title: str | None) -> Table:
    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
    )


def _three(row: Mapping[str, Any]) -> list[str]:
    return [format_figure("f1", row[name]) for name in ("precision", "recall", "f1")]


def _label_table(block: Mapping[str, Any], title: str | None) -> Table:
    per_class = block["per_class"]
    shown = list(per_class)
    table = _table(title)
    if len(shown) > _ALL_CLASSES:
        shown = worst_classes(per_class, _WORST)
        table.caption = f"The {len(shown)} labels of lowest F1, of {len(per_class):,}."
        table.caption_justify = "left"
    table.add_column("label", no_wrap=True)
    for name in ("TP", "FP", "FN", "TN"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in shown:
        counts = (f"{per_class[name][part]:,}" for part in ("tp", "fp", "fn", "tn"))
        table.add_row(Text(display_name(name, _LONGEST_NAME)), *counts)
    return table


def _pairs_table(block: Mapping[str, Any], names: list[str], title: str | None) -> Group:
    table = _table(title)
    table.add_column("true label", no_wrap=True)
    table.add_column("predicted label", no_wrap=True)
    table.add_column("rows", justify="right", no_wrap=True)
    table.add_column("of the true label", justify="right", no_wrap=True)
    for truth, prediction, count, share in most_confused(block, names, _WORST):
        shown = [Text(display_name(name, 24)) for name in (truth, prediction)]
        table.add_row(*shown, f"{count:,}", f"{100 * share:.1f} %")
    right = sum(n for i, j, n in confusion_counts(block) if i == j)
    note = f"The pairs most often confused; {right:,} of {block['n']:,} rows are right."
    return Group(table, Text(note, style="dim"))
