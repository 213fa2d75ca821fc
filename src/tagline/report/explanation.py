"""An explanation as a page of its own: of a text with its words marked, or of a model by its top features."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tagline.metrics.formatting import display_name
from tagline.report.markup.excerpts import Piece, harmless
from tagline.report.rendering import check_page, render_page, write_page

if TYPE_CHECKING:
    from tagline.explain import ClassFeatures, Explanation

_WEAKEST_SHOWN = 0.02  # of the strongest word
_LISTED = 100


def write_explanation(path: str | Path, explanation: "Explanation") -> Path:
    """Write an explanation as a self-contained page, atomically, and return its path.

    Raises:
        InputError: ``path`` is a folder, or its folder does not exist.

    """
    return _write(path, render_explanation(explanation))


def write_top_features(path: str | Path, found: "Sequence[ClassFeatures]") -> Path:
    """Write the top features of the classes of a model as a page: see `write_explanation`."""
    classes = []
    for each in found:
        strongest = max((abs(weight) for _, weight in each.features), default=0.0) or 1.0
        features = [
            {"name": harmless(name), "weight": f"{weight:+.4f}", "bar": f"{100 * abs(weight) / strongest:.1f}"}
            for name, weight in each.features
        ]
        classes.append({"name": display_name(each.class_name), "features": features})
    return _write(path, render_page("top_features.html.j2", classes=classes))


def _write(path: str | Path, page: str) -> Path:
    target = Path(path)
    check_page(target)
    write_page(target, page)
    return target


def render_explanation(explanation: "Explanation") -> str:
    """Return the page of an explanation."""
    parts = explanation.by_word
    strongest = max((abs(part.value) for part in parts), default=0.0) or 1.0
    rest = sum(part.value for part in parts[_LISTED:])
    remainder = f"{explanation.remainder:+.4f}"
    return render_page(
        "explanation.html.j2",
        class_name=display_name(str(explanation.class_name)),
        prediction=display_name(str(explanation.prediction)) if explanation.prediction else "no label",
        probability=f"{100 * explanation.proba:.1f} %",
        scale=explanation.scale,
        quantity=explanation.quantity,
        pieces=marked(explanation.text, explanation.words()),
        parts=[
            {
                "name": harmless(part.name),
                "value": f"{part.value:+.4f}",
                "for": part.value > 0,
                "bar": f"{100 * abs(part.value) / strongest:.1f}",
                "times": len(part.spans),
                "ngrams": [{"name": harmless(ngram.name), "value": f"{ngram.value:+.4f}"} for ngram in part.features]
                if len(part.features) > 1
                else [],
            }
            for part in parts[:_LISTED]
        ],
        n_rest=max(0, len(parts) - _LISTED),
        rest=f"{rest:+.4f}",
        remainder="" if float(remainder) == 0 else remainder,
        intercept=f"{explanation.intercept:+.4f}",
        score=f"{explanation.score:+.4f}",
    )


def marked(text: str, words: list[tuple[int, int, float]]) -> list[Piece]:
    """Split a text at its words, which do not overlap.

    >>> [(piece.text, piece.contribution) for piece in marked("so bad", [(3, 6, -1.0)])]
    [('so ', 0.0), ('bad', -1.0)]
    """
    clean = harmless(text)
    strongest = max((abs(value) for _, _, value in words), default=0.0)
    found, position = [], 0
    for start, end, value in words:
        if abs(value) <= _WEAKEST_SHOWN * strongest:
            continue
        if position < start:
            found.append(Piece(clean[position:start]))
        found.append(Piece(clean[start:end], value, abs(value) / strongest))
        position = end
    if position < len(clean):
        found.append(Piece(clean[position:]))
    return found
