"""Numbers of a calibrator's table in a bundle, which may be damaged or forged."""

import sys
from typing import Any


def finite(table: dict[str, Any], name: str, *, above_0: bool = False) -> float:
    """Return a number of a table.

    Raises:
        ValueError: it is missing, not a finite number, or not above 0 where it must be.

    """
    value: Any = table.get(name)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not -sys.float_info.max <= value <= sys.float_info.max or (above_0 and value <= 0):
        raise ValueError(f"`{name}` must be a finite number{' above 0' if above_0 else ''}, not `{value}`")
    return float(value)


def finite_list(table: dict[str, Any], name: str, *, above_0: bool = False) -> tuple[float, ...]:
    """Return a list of numbers of a table; raises `ValueError` like `finite`."""
    values: Any = table.get(name)
    if not isinstance(values, list) or not values:
        raise ValueError(f"`{name}` must be a list of numbers")
    return tuple(finite({name: value}, name, above_0=above_0) for value in values)
