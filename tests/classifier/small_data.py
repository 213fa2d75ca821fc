"""Data of each task that every recipe of n-grams learns from in a moment, and odd texts to predict."""

from tests.synthetic_texts import made_up, several

TEXTS, LABELS = made_up(120)
ODD = ["", "good film", "GOOD Film", "unseenword", "🇩🇪 我喜欢 don’t", "boring " * 50, "\x00", "x\ny<br />"]


def data(task: str, n: int = 120) -> tuple[list[str], list]:
    return several(n) if task == "multilabel" else made_up(n, 2 if task == "binary" else 3)
