"""`CostMatrix`: what a wrong prediction costs, and the prediction of the smallest expected cost."""

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tagline.errors import InputError, nearest
from tagline.task import Floats, Ints


@dataclass(frozen=True)
class CostMatrix:
    """Costs of predictions: ``costs[k][j]`` where the class is ``classes[k]`` and ``classes[j]`` is predicted.

    >>> import numpy as np
    >>> spam = CostMatrix(("ham", "spam"), ((0.0, 10.0), (1.0, 0.0)))  # ham called spam costs ten
    >>> spam.decide(np.array([[0.2, 0.8], [0.05, 0.95]])).tolist()
    [0, 1]
    """

    classes: tuple[str, ...]
    costs: tuple[tuple[float, ...], ...]

    def decide(self, proba: Floats) -> Ints:
        """Return the class of the smallest expected cost, (n_texts,), of probabilities, (n_texts, n_classes).

        The expected cost of a prediction j is the sum over the classes k of p_k times the cost (Elkan 2001, The
        foundations of cost-sensitive learning). Of equal costs the most probable class is taken.
        """
        expected = proba @ self.matrix()  # (n_texts, n_classes)
        least = expected <= expected.min(axis=1, keepdims=True) * (1 + 1e-12)
        return np.asarray(np.where(least, proba, -1.0).argmax(axis=1))

    def threshold(self, positive: int) -> float:
        """Return the probability of one of two classes above which predicting it has the smaller expected cost."""
        false_negative, false_positive = (self.costs[k][1 - k] - self.costs[k][k] for k in (positive, 1 - positive))
        return false_positive / (false_positive + false_negative)

    def matrix(self) -> Floats:
        """Return the costs as an array, (n_classes, n_classes)."""
        return np.array(self.costs)

    def of_classes(self, classes: Sequence[str]) -> "CostMatrix":
        """Return the costs of some classes, in their order."""
        place = [self.classes.index(name) for name in classes]
        return CostMatrix(tuple(classes), tuple(tuple(self.costs[k][j] for j in place) for k in place))

    @classmethod
    def from_json(cls, table: Mapping[str, Any]) -> "CostMatrix":
        """Return the costs of a table with the names of the fields."""
        return cls(tuple(table["classes"]), tuple(tuple(row) for row in table["costs"]))

    def in_order(self, classes: Sequence[str], source: str = "`costs`") -> "CostMatrix":
        """Return the costs in the order of a model's classes.

        Raises:
            InputError: a class is missing, or unknown to the model; ``source`` names the costs in the message.

        """
        for name in self.classes:
            if name not in classes:
                raise InputError(f"{source}: `{name}` is not a class of the model.{nearest(name, classes)}")
        for name in classes:
            if name not in self.classes:
                raise InputError(f"{source}: the class `{name}` of the model is missing: add its row and column.")
        return self.of_classes(classes)


def read_costs(path: str | Path) -> CostMatrix:
    """Read a table, CSV or TSV: the true class in the first column, the predicted classes in the header.

    Raises:
        InputError: it cannot be read, or is not square, or a cell is not a cost; the message names the place.

    """
    source = f"`{path}`"
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise InputError(f"{source}, a table of costs, cannot be read: {reason}.") from None
    separator = "\t" if "\t" in text.partition("\n")[0] else ","
    try:
        rows = [row for row in csv.reader(text.splitlines(), delimiter=separator, strict=True) if any(row)]
    except csv.Error as error:
        raise InputError(f"{source} is not a table: {error}.") from None
    if len(rows) < 2:
        raise InputError(f"{source} needs a header with the predicted classes, and a row for each true class.")
    return _checked(rows[0][1:], [(row[0], row[1:]) for row in rows[1:]], source)


def as_costs(given: Any, classes: Sequence[str]) -> CostMatrix:
    """Return costs in the order of the classes.

    ``given`` is a `CostMatrix`; a mapping from each true class to the costs of predicted classes, where 0 stands for
    those left out; or a square matrix or frame, (n_classes, n_classes), in the order of the classes.

    Raises:
        InputError: a class is missing or unknown, the shape is another, or a cost is not finite and at least 0.

    """
    if isinstance(given, CostMatrix):
        return given.in_order(classes)
    if isinstance(given, Mapping):
        for true, row in given.items():
            if not isinstance(row, Mapping):
                raise InputError(f"`costs`: `{true}` has {row!r:.40}, not the costs of predictions by their class.")
        table = {str(true): {str(name): cost for name, cost in row.items()} for true, row in given.items()}
        for row in table.values():
            for name in row:
                if name not in classes:
                    raise InputError(f"`costs`: `{name}` is not a class of the model.{nearest(name, classes)}")
        header = [*table, *(name for name in classes if name not in table)]
        complete = [(true, [row.get(name, 0.0) for name in header]) for true, row in table.items()]
        complete += [(name, [0.0] * len(header)) for name in header[len(table) :]]
        return _checked(header, complete, "`costs`").in_order(classes)
    matrix = np.asarray(given)
    if matrix.shape != (len(classes), len(classes)):
        raise InputError(f"`costs` has the shape {matrix.shape}, not ({len(classes):,}, {len(classes):,}).")
    return _checked(classes, list(zip(classes, matrix.tolist(), strict=True)), "`costs`")


def _checked(header: Sequence[str], rows: Sequence[tuple[str, Sequence[Any]]], source: str) -> CostMatrix:
    predicted, true = [name.strip() for name in header], [name.strip() for name, _ in rows]
    for names, what in ((predicted, "column"), (true, "row")):
        twice = _repeated(names)
        if twice is not None:
            raise InputError(f"{source} has the {what} `{twice}` twice: leave one.")
    for name in true:
        if name not in predicted:
            raise InputError(f"{source} has a row `{name}` and no such column: add one.{nearest(name, predicted)}")
    for name in predicted:
        if name not in true:
            raise InputError(f"{source} has a column `{name}` and no such row: add one.{nearest(name, true)}")
    found: dict[str, dict[str, float]] = {}
    for number, (name, (_, cells)) in enumerate(zip(true, rows, strict=True), 2):
        if len(cells) != len(predicted):
            raise InputError(f"{source}, row {number} (`{name}`): {len(cells)} costs for {len(predicted)} classes.")
        found[name] = {
            column: _cost(cell, f"{source}, row {number} (`{name}`), column `{column}`")
            for column, cell in zip(predicted, cells, strict=True)
        }
    for name, row in found.items():
        cheapest = min(row, key=lambda column: row[column])
        if row[cheapest] < row[name]:
            raise InputError(
                f"{source}: for texts of `{name}` the right prediction costs {row[name]:g} and `{cheapest}` only "
                f"{row[cheapest]:g}: a wrong prediction costs at least as much. Are rows and columns exchanged?"
            )
    if all(cost == row[name] for name, row in found.items() for cost in row.values()):
        raise InputError(f"{source}: every prediction costs the same: give the wrong ones a cost.")
    return CostMatrix(tuple(true), tuple(tuple(found[k][j] for j in true) for k in true))


def _cost(cell: Any, place: str) -> float:
    try:
        cost = float(cell)
    except (TypeError, ValueError):
        cost = math.nan
    if not math.isfinite(cost) or cost < 0:
        raise InputError(f"{place}: `{cell!s:.40}` is not a cost: write a number of at least 0, such as 2.5.")
    return cost


def _repeated(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
