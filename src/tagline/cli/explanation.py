"""Explanations on the terminal: the contributions of the words of a text, and the top features of a model."""

from typing import TYPE_CHECKING

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from tagline.cli.terminal import one_line
from tagline.explain import START_OF_TEXT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tagline.explain import ClassFeatures, Explanation

_FOR, _AGAINST = ("bold white on blue", "blue"), ("bold black on dark_orange", "dark_orange")
_MOST_NGRAMS = 8  # listed of a word
_STRONG, _WEAK = 0.5, 0.1  # of the strongest word


def explanation_parts(explanation: "Explanation", top: int, *, ngrams: bool) -> list[RenderableType]:
    """Return what to print: the prediction, the highlighted text, and the ``top`` contributions with their sum."""
    name = one_line(str(explanation.class_name))
    prediction = one_line(str(explanation.prediction)) or "no label"
    verdict = f"Prediction: {prediction}. Probability of {name}: {explanation.proba:.3f}."
    legend = Text.assemble(
        "Contribution of each word: ",
        ("for ", _FOR[1]),
        (name, _FOR[1]),
        " (+) or ",
        ("against it", _AGAINST[1]),
        " (-)",
    )
    return [verdict, "", _marked(explanation), "", legend, _sum(explanation, top, ngrams=ngrams)]


def model_parts(found: "Sequence[ClassFeatures]") -> list[RenderableType]:
    """Return what to print of a model: the top features of each class."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("class", overflow="fold")
    table.add_column("top features", overflow="fold")
    for each in found:
        names = " · ".join(one_line(name) for name, _ in each.features) or "nothing"
        table.add_row(Text(one_line(each.class_name)), Text(names))
    return [
        table,
        "",
        "The most important on average first. `--json` has the weights; give a text to explain a prediction.",
    ]


def _marked(explanation: "Explanation") -> Text:
    from tagline.report.markup.excerpts import harmless

    text = Text(harmless(explanation.text))
    words = explanation.words()
    strongest = max((abs(value) for _, _, value in words), default=0.0)
    for start, end, value in words:
        share = abs(value) / strongest if strongest else 0.0
        if share >= _WEAK:
            strong, weak = _FOR if value > 0 else _AGAINST
            text.stylize(strong if share >= _STRONG else weak, start, end)
    return text


def _sum(explanation: "Explanation", top: int, *, ngrams: bool) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, show_header=False)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    parts = explanation.by_word
    for part in parts[:top]:
        style = _FOR[1] if part.value > 0 else _AGAINST[1] if part.value < 0 else ""
        name = one_line(part.name)
        stands = part.spans or part.name == START_OF_TEXT
        table.add_row(Text(f"{part.value:+.4f}", style=style), Text(name if stands else f"no “{name}”"))
        if ngrams and len(part.features) > 1:
            for feature in part.features[:_MOST_NGRAMS]:
                table.add_row("", Text(f"  {feature.value:+.4f}  {one_line(feature.name)}", style="dim"))
            smaller = part.features[_MOST_NGRAMS:]
            if smaller:
                value = sum(feature.value for feature in smaller)
                table.add_row("", Text(f"  {value:+.4f}  {len(smaller):,} smaller n-grams", style="dim"))
    rest = parts[top:]
    if rest:
        table.add_row(f"{sum(part.value for part in rest):+.4f}", f"{len(rest):,} smaller contributions")
    remainder = f"{explanation.remainder:+.4f}"
    exact = float(remainder) == 0
    table.add_row(f"{explanation.intercept:+.4f}", "intercept", end_section=exact)
    if not exact:
        table.add_row(remainder, "approximation error", end_section=True)
    name = one_line(str(explanation.class_name))
    table.add_row(f"{explanation.score:+.4f}", Text(f"{explanation.quantity} of {name}"), style="bold")
    return table
