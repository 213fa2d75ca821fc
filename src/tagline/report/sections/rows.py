"""Rows that were predicted: the first ones, and the most confident mistakes."""

from collections.abc import Mapping, Sequence
from typing import Any

from tagline.metrics.formatting import display_name
from tagline.report.markup.excerpts import excerpt, harmless, pieces
from tagline.run_folder import RunFolder

_MISTAKES = 20
_FIRST = 10


def first_rows(run: RunFolder) -> dict[str, Any]:
    """Return the first ten rows that were predicted: line, text if the run keeps it, true label and prediction.

    Unless all come from files they have the number in ``predictions.parquet``, and ``numbered`` is ``Row`` instead of
    ``Line``. The file is named if there are several.
    """
    if run.predictions is None:
        return {"numbered": "Row", "rows": []}
    rows, texts = [], run.record.get("first_texts") or []
    found = run.predictions.head(_FIRST).to_dicts()
    files = {row.get("file") for row in found}
    by_line = all(place(row) for row in found)
    for k, row in enumerate(found):
        truth, prediction = row["label"], row["prediction"]
        said = prediction if isinstance(prediction, list) else [prediction]
        right = set(truth) == set(said) if isinstance(truth, list) else truth == prediction
        in_part = not right and isinstance(truth, list) and bool(set(truth) & set(said))
        rows.append(
            {
                "number": f"{row['line' if by_line else 'row']:,}",
                "file": harmless(str(row["file"])) if len(files) > 1 and by_line else "",
                "text": excerpt(str(texts[k])) if k < len(texts) else "",
                "truth": _labels(truth),
                "said": [{"name": display_name(str(name)), "probability": _probability(row, name)} for name in said],
                "verdict": "right" if right else "in part" if in_part else "wrong",
            }
        )
    return {"numbered": "Line" if by_line else "Row", "rows": rows}


def place(row: Mapping[str, Any], line: str = "line") -> str:
    """Return line and file of a row, empty if it comes from no file; ``line`` is "Line" where a sentence begins."""
    return harmless(f"{line} {row['line']:,} of {row['file']}") if row.get("file") and row.get("line") else ""


def _probability(row: Mapping[str, Any], name: Any) -> str:
    probability = row.get(f"proba:{name}")
    return "" if probability is None else f"{100 * probability:.1f} %"


def mistake_cards(mistakes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the most confident errors, cut into pieces at the words that are evidence for or against the prediction.

    Of a multi-label mistake the words and the probability are about the label that is wrong or missing. A duplicate
    text is shown once, with the highest probability.
    """
    cards: list[dict[str, Any]] = []
    seen: set[str] = set()
    for mistake in mistakes:
        text = " ".join(mistake["text"].split())
        if text in seen or len(cards) == _MISTAKES:
            continue
        seen.add(text)
        wrong, probability = _wrong_label(mistake), mistake.get("probability")
        left_out = wrong is not None and wrong["how"] == "missing"
        # The run holds the probability of the decision, and the evidence for it: here they are those of the label.
        sign = -1.0 if left_out else 1.0
        spans = [(start, end, sign * float(value)) for start, end, value in mistake.get("spans", [])]
        shown, goes_on = pieces(mistake["text"], spans)
        if probability is not None and left_out:
            probability = 1 - probability
        cards.append(
            {
                "place": place(mistake),
                "label": _labels(mistake["label"]),
                "prediction": _labels(mistake["prediction"]),
                "probability": "" if probability is None else f"{100 * probability:.1f} %",
                "wrong": wrong,
                "pieces": shown,
                "goes_on": goes_on,
            }
        )
    return cards


def _labels(label: Any) -> list[str]:
    return [display_name(str(name)) for name in (label if isinstance(label, list) else [label])]


def _wrong_label(mistake: Mapping[str, Any]) -> dict[str, str] | None:
    """Say of which label of a multi-label mistake its probability is; ``None`` for single-label data.

    It is that of the label most confidently wrong, given or left out. Of several wrong ones a run of an earlier version
    does not tell which that is: then there is no name.
    """
    truth, prediction = mistake["label"], mistake["prediction"]
    if not isinstance(truth, list) or not isinstance(prediction, list):
        return None
    wrong = set(truth) ^ set(prediction)
    name = mistake.get("about") or (wrong.pop() if len(wrong) == 1 else None)
    if name is None:
        return {"name": "", "how": ""}
    return {"name": display_name(str(name)), "how": "wrong" if name in prediction else "missing"}
