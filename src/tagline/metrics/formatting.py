"""How figures, intervals and names are written for people."""

import re
import unicodedata
from collections.abc import Sequence

from tagline.metrics.registry import METRICS

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]")
_SAME = 1e-5  # ends of an interval that differ by less than this share are one
NO_INTERVAL = "no interval from these rows"


def format_figure(key: str, value: float | None) -> str:
    """Format a figure: per cent with one decimal if its metric is a percentage, else three decimals.

    >>> format_figure("accuracy", 0.9241), format_figure("log_loss", 0.20449), format_figure("roc_auc", None)
    ('92.4 %', '0.204', '–')
    """
    if value is None:
        return "–"
    return f"{100 * value:.1f} %" if METRICS[key].percent else f"{value:.3f}"


def format_interval(key: str, interval: list[float] | None) -> str:
    """Format an interval in the unit of its figure; empty if the interval has no width or excludes nothing.

    >>> format_interval("accuracy", [0.921, 0.927])
    '92.1 to 92.7'
    >>> format_interval("precision", [0.0, 1.0]), format_interval("log_loss", [4.7791, 4.7791])
    ('', '')
    """
    if not interval:
        return ""
    low, high = interval
    excludes_nothing = METRICS[key].bounded and low <= 0 and high >= 1
    if excludes_nothing or high - low <= _SAME * max(abs(low), abs(high)):
        return ""
    return f"{100 * low:.1f} to {100 * high:.1f}" if METRICS[key].percent else f"{low:.3f} to {high:.3f}"


def format_points(points: float) -> str:
    """Format a difference in percentage points, with two digits if it is small.

    >>> format_points(0.72), format_points(0.04), format_points(12.345)
    ('0.7 points', '0.04 points', '12.3 points')
    """
    return f"{points:.1f} points" if points >= 0.1 or not points else f"{points:.2g} points"


def format_p_value(p: float) -> str:
    """Format a p value as what follows ``p``.

    >>> format_p_value(0.00012), format_p_value(0.0318), format_p_value(0.41234)
    ('< 0.001', '= 0.032', '= 0.41')
    """
    return "< 0.001" if p < 0.001 else f"= {p:.3f}" if p < 0.1 else f"= {p:.2f}"


def format_number(value: float | None) -> str:
    """Format a number with three significant digits.

    >>> format_number(0.2134), format_number(12.34), format_number(1234.5), format_number(None)
    ('0.213', '12.3', '1,234', '–')
    """
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def display_name(name: str, longest: int | None = None) -> str:
    """Return a name without control characters and invisible marks, shortened in the middle.

    The middle is cut because many names differ only at their ends.

    >>> display_name("balance_not_updated_after_cheque", longest=16)
    'balance_…_cheque'
    """
    clean = _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", name) or "(empty)"
    if longest is None or len(clean) <= longest:
        return clean
    head = longest // 2
    return clean[:head] + "…" + clean[head + 1 - longest :]


def text_width(text: str) -> float:
    """Return the width of a text in average letters: Chinese, Japanese and Korean characters take 1.9 of them.

    >>> text_width("cars"), text_width("車")
    (4.0, 1.9)
    """
    return sum(1.9 if unicodedata.east_asian_width(character) in "WF" else 1.0 for character in text)


def listed(names: Sequence[str], word: str = "and") -> str:
    """Join names with commas, and with ``word`` before the last.

    >>> listed(["joy", "fear", "rage"]), listed(["joy", "fear"], "or")
    ('joy, fear and rage', 'joy or fear')
    """
    return f" {word} ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
