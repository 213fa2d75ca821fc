"""Which texts a model answers that abstains, in words."""

from collections.abc import Sequence

import numpy as np

from tagline.data.wording import listed
from tagline.decisions.abstention import answered
from tagline.decisions.held_out import HeldOutScores
from tagline.task import Floats

_NAMED = 3  # classes without answers


def answers_in_words(scores: HeldOutScores, least: Floats, classes: Sequence[str]) -> str:
    """Return which texts are answered and what that means for the held-out rows.

    ``least`` is the probability from which on each class is answered, (n_classes,), infinite if it never is.
    """
    rows = f"{len(scores):,} held-out rows"
    found = answered(scores, least)
    if not least.any():
        return f"answers all texts ({_percent(found.accuracy)} of {rows} are right)"
    of_these = "" if found.accuracy is None else f"; {_percent(found.accuracy)} of these are right"
    share = f"{_percent(found.share)} of {rows}{of_these}"
    if (least == least[0]).all():
        return f"answers texts with a probability of at least {_probability(least[0])} ({share})"
    never = [name for name, threshold in zip(classes, least, strict=True) if np.isinf(threshold)]
    unanswered = f"; never answers {listed(never, _NAMED)}" if never else ""
    return f"uses a threshold for each class (answers {share}){unanswered}"


def _percent(share: float | None) -> str:
    return f"{100 * (share or 0.0):.1f} %"


def _probability(value: float) -> str:
    return f"{value:.3f}" if value < 0.9995 else f"{value:.6g}"
