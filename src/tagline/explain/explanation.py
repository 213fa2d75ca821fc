"""The result of an explanation."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from tagline import notebook

Scale = Literal["log-odds", "score", "path-score", "probability"]
Span = tuple[int, int]
Words = tuple[tuple[int, int, float], ...]  # start, end and contribution of each token

_LISTED = 8  # words shown in a notebook
START_OF_TEXT = "(start of the text)"  # the id that networks read before the first word
UNKNOWN_WORDS = "(unknown words)"


@dataclass(frozen=True)
class Contribution:
    """Contribution of one n-gram or word to the score; ``spans`` are its (start, end) in characters of the text.

    Two kinds have no span: an n-gram that a tree tests and the text lacks, and `START_OF_TEXT` of a network.
    """

    name: str
    value: float
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class WordContribution:
    """Contribution of one word: the sum of those of its ``features``, the word itself and character n-grams inside it.

    The contribution of an n-gram that occurs in several words is divided among them by occurrences. N-grams of several
    words, and features without a span, are entries of their own, with one feature. ``features`` come largest first.
    """

    name: str
    value: float
    spans: tuple[Span, ...]
    features: tuple[Contribution, ...]


@dataclass(frozen=True)
class Attribution:
    """The parts of a score: ``intercept``, and the contributions by feature, by word, and by token.

    ``words`` are (start, end, value) of each token of the text, in order.
    """

    intercept: float
    score: float
    contributions: tuple[Contribution, ...]
    by_word: tuple[WordContribution, ...]
    words: Words


@dataclass(frozen=True)
class Explanation:
    """``score`` of ``class_name`` is ``intercept`` plus the ``value`` of every contribution, largest first.

    It is the logit, calibrated (with sigmoid scaling, the argument of the sigmoid), or for decision trees the
    probability. Of a label tree it is the sum of the scores on the path to the class.
    ``contributions`` are those of the features, ``by_word`` those of the words, into which character n-grams are
    folded; both have the same sum. For a network there is a ``remainder`` in addition. ``scale`` is that of the score:
    ``"log-odds"``, of two classes or a label; ``"score"``, of one of several classes; ``"path-score"``; or
    ``"probability"``.
    ``prediction`` and ``proba`` (of ``class_name``) are those of the classifier.
    """

    text: str
    class_name: str
    prediction: str
    proba: float
    scale: Scale
    intercept: float
    score: float
    contributions: tuple[Contribution, ...] = field(repr=False)
    by_word: tuple[WordContribution, ...] = field(repr=False)
    _words: Words = field(repr=False)

    def words(self) -> list[tuple[int, int, float]]:
        """Return (start, end, value) for each token of the text, in order.

        The contribution of an n-gram is divided equally among the tokens of all its occurrences, so that the values add
        up to those of all contributions with a span. Tokens that a network does not read, such as words after its last
        step, have the value 0.
        """
        return list(self._words)

    @property
    def quantity(self) -> str:
        """What the contributions add up to: ``"logit"``, ``"path score"`` of label trees, or ``"probability"``."""
        return {"probability": "probability", "path-score": "path score"}.get(self.scale, "logit")

    @cached_property
    def absent(self) -> float:
        """The sum of the contributions without a span."""
        return float(sum(c.value for c in self.contributions if not c.spans))

    @cached_property
    def remainder(self) -> float:
        """The score minus intercept and contributions: 0, except for networks.

        There it is within 1 % of the sum of the contributions, unless that is below the rounding error or the path
        reached its limit of steps.
        """
        return self.score - self.intercept - float(sum(c.value for c in self.contributions))

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the text with its words marked, and those that contribute most."""
        text, name = notebook.text, notebook.text(self.class_name)
        head = (
            f"Prediction <strong>{text(self.prediction or 'no label')}</strong> "
            f'<span class="quiet">probability of {name}: {100 * self.proba:.1f} %</span>'
        )
        parts = sorted(self.by_word, key=lambda part: -abs(part.value))
        rest = parts[_LISTED:]
        largest = abs(parts[0].value) if parts else 0.0
        rows = [(text(p.name, 60), notebook.number(p.value), notebook.bar(p.value, largest)) for p in parts[:_LISTED]]
        if rest:
            rows.append((f"{len(rest):,} smaller ones", notebook.number(sum(part.value for part in rest)), ""))
        rows.append(("intercept", notebook.number(self.intercept), ""))
        if abs(self.remainder) >= 0.0005:
            rows.append(("approximation error", notebook.number(self.remainder), ""))
        rows.append((f"{self.quantity} of {name}", notebook.number(self.score), ""))
        legend = (
            f"Solid lines mark evidence for {name}, dotted lines evidence against it; a stronger colour is "
            "stronger evidence."
        )
        return notebook.card(
            head,
            notebook.marked(self.text, self.words()),
            notebook.paragraph(legend, quiet=True),
            notebook.table(rows, texts=(0, 2)),
        )
