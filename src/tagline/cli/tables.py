"""Tables that are wider than the terminal: printed in blocks, so that no column is dropped and no number cut."""

from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Column, Table

_GAP = 3  # between two columns
_FOLDED = 12  # a column whose cells may be folded is not made narrower, in characters


def in_blocks(part: "RenderableType", console: "Console") -> Iterator["RenderableType"]:
    """Yield what to print: a table that is too wide as several, each with its first column and some of the others."""
    from rich.console import Group
    from rich.table import Table

    if isinstance(part, Group):
        for one in part.renderables:
            yield from in_blocks(one, console)
        return
    if not isinstance(part, Table) or len(part.columns) < 2:
        yield part
        return
    first, *others = part.columns
    widths = [_least_width(column, console) for column in part.columns]
    if widths[0] + _GAP + max(widths[1:]) > console.width:  # a name that is as long as a line
        for column in part.columns:
            column.no_wrap, column.overflow = False, "fold"
    blocks: list[list[Column]] = []
    room = 0
    for column, width in zip(others, widths[1:], strict=True):
        if not blocks or room < _GAP + width:
            blocks.append([first])
            room = console.width - widths[0]
        blocks[-1].append(column)
        room -= _GAP + width
    for number, columns in enumerate(blocks):
        if number:
            yield ""
        yield _with_columns(part, columns, is_first=not number, is_last=number + 1 == len(blocks))


def _with_columns(table: "Table", columns: "list[Column]", *, is_first: bool, is_last: bool) -> "Table":
    if is_first and is_last:
        return table
    block = copy(table)
    block.columns = [replace(column, _index=number) for number, column in enumerate(columns)]
    block.title = table.title if is_first else None
    block.caption = table.caption if is_last else None
    return block


def _least_width(column: "Column", console: "Console") -> int:
    from rich.measure import Measurement

    width = max(
        Measurement.get(console, console.options.update(no_wrap=True), cell).maximum
        for cell in (column.header, *column.cells)
    )
    return width if column.no_wrap else min(width, max(_FOLDED, column.min_width or 0))
