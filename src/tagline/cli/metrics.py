"""The content of a ``metrics.json`` on the terminal."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tagline.cli.terminal import show

if TYPE_CHECKING:
    from tagline.data import Facts


def show_metrics(metrics: Mapping[str, Any], *, facts: "Facts | None" = None, rows_used: str = "") -> None:
    """Print headline figures, the classification report and the confusion matrix."""
    from tagline.metrics.tables import classification_table, confusion_table, figures_table
    from tagline.metrics.verdicts import looks_sentence

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
        title = (
            f"{metrics['folds']}-fold cross-validation, {block['n']:,} rows, each predicted by a model of the others"
        )
    elif rows_used:
        title = f"On {rows_used}"
    show(
        figures_table(block, title=title),
        "",
        classification_table(block, title="Classes"),
        "",
        confusion_table(block, metrics["classes"], title="Confusion matrix"),
        "",
    )
    looked = looks_sentence(metrics)
    if looked:
        show(looked, "")
