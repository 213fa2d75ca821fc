"""Costs as users give them: a file, or a mapping, matrix or frame."""

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from tagline.decisions.costs import CostMatrix
from tagline.errors import InputError, nearest
from tagline.inputs.labels import label_text
from tagline.many_classes import check_few

LEAST, MOST = 1e-9, 1e9  # costs other than 0; beyond them, expected costs and their intervals may overflow
_MOST_CHARACTERS = 200_000_000  # twenty bytes a cell of 3,000 classes
_SEPARATORS = ",;\t|"
_EXAMPLE = "such as {'ham': {'spam': 10}, 'spam': {'ham': 1}}"


def read_costs(path: str | Path) -> CostMatrix:
    """Read a table: the true class in the first column, the predicted classes in the header.

    Commas, semicolons, tabs or bars separate the cells.

    Raises:
        InputError: it cannot be read, or is not square, or a cell is not a cost; the message names the place.

    """
    source = f"`{path}`"
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            text = file.read(_MOST_CHARACTERS + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise InputError(f"{source}, a table of costs, cannot be read: {reason}.") from None
    if len(text) > _MOST_CHARACTERS:
        raise InputError(f"{source} is too large for a table of costs: it has a row and a column for each class.")
    first = text.lstrip().partition("\n")[0]
    separators = sorted(_SEPARATORS, key=first.count, reverse=True)
    try:
        rows = _cells(text, separators[0])
    except csv.Error as error:
        raise InputError(f"{source} is not a table: {error}.") from None
    for separator in separators[1:]:  # names of classes may contain the most frequent one
        if _is_square(rows):
            break
        with suppress(csv.Error):
            rows = found if _is_square(found := _cells(text, separator)) else rows
    if len(rows) < 2:
        raise InputError(f"{source} needs a header with the predicted classes, and a row for each true class.")
    if all(len(row) == len(rows[0]) + 1 for row in rows[1:]):
        raise InputError(f"{source}: the header has no cell above the true classes: put `true` in front of it.")
    predicted = [label_text(name.strip()) for name in rows[0][1:]]
    return _deciding(_checked(predicted, [(label_text(row[0].strip()), row[1:]) for row in rows[1:]], source), source)


def _cells(text: str, separator: str) -> list[list[str]]:
    return [row for row in csv.reader(io.StringIO(text), delimiter=separator, strict=True) if any(row)]


def _is_square(rows: list[list[str]]) -> bool:
    return len(rows) > 1 and all(len(row) == len(rows) for row in rows)


def as_costs(given: Any, classes: Sequence[str]) -> CostMatrix:
    """Return costs in the order of the classes.

    ``given`` is a `CostMatrix`; a mapping from true classes to the costs of predicted classes, where a wrong prediction
    that is left out costs 1; a pandas frame whose index and columns name the classes, in any order; or a square matrix
    or frame, (n_classes, n_classes), in the order of the classes.

    Raises:
        InputError: a class is missing or unknown, the shape is another, or a cost is not finite and at least 0.

    """
    check_few(len(classes), "Costs")
    if isinstance(given, CostMatrix):
        return given.in_order(classes)
    if isinstance(given, Mapping):
        return _deciding(_of_mapping(given, classes), "`costs`")
    columns, index = _names(given, "columns"), _names(given, "index")
    if {*columns} == {*index} == {*classes}:
        table = list(zip(index, given.to_numpy().tolist(), strict=True))
        return _deciding(_checked(columns, table, "`costs`"), "`costs`").in_order(classes)
    if {*columns} == {*classes} and columns != [*classes]:
        raise InputError(
            "`costs` has its columns in another order than the classes, and no names of rows: give a mapping from each "
            "true class, or a pandas frame whose index names the true classes."
        )
    return _deciding(restored_costs(given, classes), "`costs`")


def restored_costs(given: Any, classes: Sequence[str]) -> CostMatrix:
    """Return the costs in a matrix of a bundle, (n_classes, n_classes), in the order of the classes.

    Unlike those of `as_costs` they may all be equal: classes that no row was learned of have taken theirs along.

    Raises:
        InputError: the shape is another, or a cost is invalid.

    """
    try:
        matrix = np.asarray(given)
    except ValueError:  # of rows of different lengths
        raise InputError(
            f"`costs` is not a square matrix: its rows differ in length. Give a mapping, {_EXAMPLE}."
        ) from None
    if matrix.shape != (len(classes), len(classes)):
        raise InputError(f"`costs` has the shape {matrix.shape}, not ({len(classes):,}, {len(classes):,}).")
    return _checked(classes, list(zip(classes, matrix.tolist(), strict=True)), "`costs`")


def _names(given: Any, attribute: str) -> list[str]:
    """Return the names of the columns or rows of a frame; none of what is no frame, or has none."""
    found = getattr(given, attribute, ())
    return [] if callable(found) else [label_text(name) for name in found]


def _of_mapping(given: Mapping[Any, Any], classes: Sequence[str]) -> CostMatrix:
    known = {*classes}
    table: dict[str, dict[str, Any]] = {}
    for true, row in given.items():
        name = label_text(true)
        if not hasattr(row, "items"):  # a mapping, or a pandas series
            raise InputError(
                f"`costs`: for texts of `{name}` it has `{row!s:.40}`, not a cost for each predicted class, {_EXAMPLE}."
            )
        cells = [(label_text(said), cost) for said, cost in row.items()]
        twice = name if name in table else _repeated(said for said, _ in cells)
        if twice is not None:
            raise InputError(f"`costs` has `{twice}` twice, as a number and as text: leave one.")
        table[name] = dict(cells)
        for said in (name, *table[name]):
            if said not in known:
                raise InputError(f"`costs`: `{said}` is not a class of the model.{nearest(said, classes)}")
    rows = [
        (true, [table.get(true, {}).get(said, 0.0 if said == true else 1.0) for said in classes]) for true in classes
    ]
    return _checked(classes, rows, "`costs`")


def _checked(predicted: Sequence[str], rows: Sequence[tuple[str, Sequence[Any]]], source: str) -> CostMatrix:
    true = [name for name, _ in rows]
    for names, what in ((predicted, "column"), (true, "row")):
        twice = _repeated(names)
        if twice is not None:
            raise InputError(f"{source} has the {what} `{twice}` twice: leave one.")
    for name in true:
        if name not in predicted:
            hint = nearest(name, {*predicted} - {*true})
            raise InputError(f"{source} has a row `{name}` and no such column: add one.{hint}")
    for name in predicted:
        if name not in true:
            hint = nearest(name, {*true} - {*predicted})
            raise InputError(f"{source} has a column `{name}` and no such row: add one.{hint}")
    found: dict[str, dict[str, float]] = {}
    for name, cells in rows:
        if len(cells) != len(predicted):
            raise InputError(f"{source}, row `{name}`: {len(cells)} costs for {len(predicted)} classes.")
        found[name] = {
            column: _cost(cell, f"{source}, row `{name}`, column `{column}`")
            for column, cell in zip(predicted, cells, strict=True)
        }
    for name, row in found.items():
        cheapest = min(row, key=lambda column: row[column])
        if row[cheapest] < row[name]:
            raise InputError(
                f"{source}: for texts of `{name}` the right prediction costs {row[name]:g} and `{cheapest}` only "
                f"{row[cheapest]:g}: a wrong prediction costs at least as much. Are rows and columns exchanged?"
            )
    return CostMatrix(tuple(true), tuple(tuple(found[k][j] for j in true) for k in true))


def _deciding(costs: CostMatrix, source: str) -> CostMatrix:
    if all(cost == row[k] for k, row in enumerate(costs.costs) for cost in row):
        raise InputError(f"{source}: every prediction costs the same: give the wrong ones a cost.")
    return costs


def _cost(cell: Any, place: str) -> float:
    try:
        cost = float(cell)
    except (TypeError, ValueError):
        cost = math.nan
    except OverflowError:  # of an integer
        cost = math.inf
    if math.isnan(cost) or cost < 0:
        raise InputError(f"{place}: `{cell!s:.40}` is not a cost: write a number of at least 0, such as 2.5.")
    if cost != 0 and not LEAST <= cost <= MOST:
        raise InputError(
            f"{place}: `{cell!s:.40}` is not 0 and not between {LEAST:g} and {MOST:g}: scale the costs, whose ratios "
            "alone decide."
        )
    return cost


def _repeated(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
