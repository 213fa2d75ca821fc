"""What an explanation holds."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

Scale = Literal["log-odds", "score", "probability"]
Span = tuple[int, int]

START_OF_TEXT = "(start of the text)"  # the id that networks read before the first word
UNKNOWN_WORDS = "(unknown words)"


@dataclass(frozen=True)
class Contribution:
    """What one n-gram or word adds to the score; ``spans`` are the (start, end) characters at which it stands.

    Two kinds have no span: a word that is not there, which a tree may ask for, and `START_OF_TEXT` of a network.
    """

    name: str
    value: float
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class Attribution:
    """What a model's score is made of: ``intercept``, and what was added to it by n-gram and by token.

    ``words`` are (start, end, value) of each token of the text, in order.
    """

    intercept: float
    score: float
    contributions: tuple[Contribution, ...]
    words: tuple[tuple[int, int, float], ...]


@dataclass(frozen=True)
class Explanation:
    """``score`` of ``class_name`` is ``intercept`` plus the ``value`` of every contribution, strongest first.

    Of a network it is so but for ``remainder``. ``scale`` says what the score is: ``"log-odds"``, of two classes or a
    label; ``"score"``, which softmax weighs against those of the other classes; or ``"probability"``. ``prediction``
    and ``proba`` (of ``class_name``) are what the classifier says of the text.
    """

    text: str
    class_name: str
    prediction: str
    proba: float
    scale: Scale
    intercept: float
    score: float
    contributions: tuple[Contribution, ...]
    _words: tuple[tuple[int, int, float], ...] = field(repr=False)

    def words(self) -> list[tuple[int, int, float]]:
        """Return (start, end, value) for each token of the text, in order.

        An n-gram's contribution is shared out equally among the tokens it covers, wherever it stands, so that the
        values add up to those of all contributions that stand in the text. What a network does not read, such as
        words behind its last step, has the value 0.
        """
        return list(self._words)

    @cached_property
    def absent(self) -> float:
        """What is added by contributions that stand nowhere in the text."""
        return float(sum(c.value for c in self.contributions if not c.spans))

    @cached_property
    def remainder(self) -> float:
        """What the contributions lack of the score: 0, but for networks.

        There it is within 1 % of what they add, unless that is lost in rounding or the path has had all its steps.
        """
        return self.score - self.intercept - float(sum(c.value for c in self.contributions))
