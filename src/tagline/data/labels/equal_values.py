"""Labels of other files that write the same number or day in another way, such as ``1e+05`` for ``100000``."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

_LONGEST = 40  # characters of a number
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,3})?", re.IGNORECASE | re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+", re.ASCII)
#: Thousands: with a single comma they may as well be decimals.
_ONE_THOUSAND = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:(?:,\d{3}){2,}|(?:,\d{3})+\.\d+)", re.ASCII)
_GERMAN = re.compile(r"[+-]?[1-9]\d{0,2}(?:(?:\.\d{3}){2,}|(?:\.\d{3})+,\d+)", re.ASCII)
_MIDNIGHT = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ]00:00(?::00(?:\.0+)?)?(?:Z|\+00:00)?)?", re.ASCII)
_MINUS = "\u2212"


def value_of(label: str) -> Decimal | str | None:
    """Return the number, or the day, that a label writes; None for other labels and for those with two readings.

    >>> value_of("1e+05") == value_of("100000"), value_of("007") == value_of("+7"), value_of("1,5") == value_of("1.5")
    (True, True, True)
    >>> value_of("1,000"), value_of("2024-01-01 00:00:00"), value_of("a")
    (None, '2024-01-01', None)
    """
    label = label.strip().replace(_MINUS, "-")
    if day := _MIDNIGHT.fullmatch(label):
        return day[1]
    if len(label) > _LONGEST or _ONE_THOUSAND.fullmatch(label):
        return None
    if _THOUSANDS.fullmatch(label):
        return Decimal(label.replace(",", ""))
    if _GERMAN.fullmatch(label):
        return Decimal(label.replace(".", "").replace(",", "."))
    if _DECIMAL_COMMA.fullmatch(label):
        return Decimal(label.replace(",", "."))
    return Decimal(label) if _NUMBER.fullmatch(label) else None


def names_of_equal_value(labels: Iterable[str], names: Iterable[str]) -> Mapping[str, str]:
    """Return, of labels, those that write the value of exactly one of the names, and that name.

    >>> names_of_equal_value(["7", "1.5", "1,000", "2"], ["007", "1,5", "1000", "2", "2.0"])
    {'7': '007', '1.5': '1,5'}
    """
    by_value: dict[Decimal | str, list[str]] = {}
    for name in names:
        if (value := value_of(name)) is not None:
            by_value.setdefault(value, []).append(name)
    found = {label: by_value.get(value, []) for label in labels if (value := value_of(label)) is not None}
    return {label: alike[0] for label, alike in found.items() if len(alike) == 1 and label not in alike}
