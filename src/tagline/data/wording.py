"""Numbers, names and places as messages write them."""

from collections.abc import Iterable


def counted(n: int, noun: str) -> str:
    """Write a number with its noun: ``1 row``, ``2,000 rows``."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def listed(names: Iterable[str], limit: int = 20) -> str:
    """Write the first ``limit`` names in backticks."""
    found = list(names)
    more = f" and {len(found) - limit:,} more" if len(found) > limit else ""
    return ", ".join(f"`{name}`" for name in found[:limit]) + more


def row_place(row: int, source: str | None) -> str:
    """Write the place of a row; ``source`` is None if there is only one."""
    return f"row {row:,} of `{source}`" if source else f"row {row:,}"
