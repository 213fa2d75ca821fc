"""Indicator matrices of labels: 0 and 1 for each text and each label, (n_texts, n_classes), in any container.

A classifier fitted on one predicts one of the same kind, as scikit-learn's metrics and searches expect.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from tagline.errors import InputError
from tagline.inputs.containers import composed
from tagline.task import Bools

Container = Literal["array", "sparse matrix", "sparse array", "pandas", "polars"]
_NUMBERS = (bool, int, float, np.bool_, np.number)


class IndicatorFormat(BaseModel):
    """The container of an indicator, and whether it holds booleans in place of 0 and 1."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    container: Container
    boolean: bool = False

    def write(self, given: Bools, classes: NDArray[Any], texts: Any = None) -> Any:
        """Return an indicator of this format; one of pandas has the index of ``texts``, if they have one.

        Raises:
            InputError: it is a frame of pandas, which is not installed.

        """
        values = given if self.boolean else given.astype(np.int64)
        if self.container == "sparse matrix":
            return sp.csr_matrix(values)
        if self.container == "sparse array":
            return sp.csr_array(values)
        if self.container == "polars":
            import polars as pl

            return pl.DataFrame(values, schema=[str(name) for name in classes])
        if self.container == "pandas":
            try:
                import pandas as pd
            except ModuleNotFoundError:
                raise InputError(
                    "The model was fitted on labels in a pandas DataFrame and predicts one, and pandas is not "
                    "installed. Install it, or call `decide(predict_proba(texts))`, which returns lists."
                ) from None
            return pd.DataFrame(values, columns=classes, index=texts.index if hasattr(texts, "iloc") else None)
        return values


@dataclass(frozen=True, eq=False)
class Indicator:
    """Labels given as an indicator: ``Y``, (n_texts, n_classes), and ``classes``, (n_classes,), in its order."""

    Y: Bools
    classes: NDArray[Any]
    format: IndicatorFormat

    def in_order(self, classes: NDArray[Any]) -> Bools:
        """Return ``Y`` with the columns of a frame in the order of ``classes``; those without names stay in place.

        Raises:
            InputError: the frame has columns of other names.

        """
        own, wanted = ([composed(str(name)) for name in names] for names in (self.classes, classes))
        named = self.format.container in ("pandas", "polars")
        if own == wanted or not named or len(own) != len(wanted):
            return self.Y
        unknown = sorted(set(own) - set(wanted))
        if unknown:
            raise InputError(f"The column `{unknown[0]}` of the labels is not a class of the model.")
        return self.Y[:, [own.index(name) for name in wanted]]


def read_indicator(labels: Any) -> Indicator | None:
    """Return an indicator of two or more labels; None if ``labels`` are something else.

    The classes are the columns of a frame, in NFC, otherwise 0, 1, …. Lists of 0 and 1 of one length are an array.

    Raises:
        InputError: the matrix holds anything but 0 and 1, or two columns have one name.

    """
    if sp.issparse(labels):
        container: Container = "sparse array" if isinstance(labels, sp.sparray) else "sparse matrix"
        array = labels.toarray()
    elif hasattr(labels, "__array__") and len(getattr(labels, "shape", ())) != 1:
        array = np.asarray(labels)
        container = "array"
    elif _are_rows(labels):
        array = np.array(labels)
        container = "array"
    else:
        return None
    if array.ndim != 2 or array.shape[1] < 2:
        return None
    classes: NDArray[Any] = np.arange(array.shape[1])
    if hasattr(labels, "columns"):
        container = "pandas" if hasattr(labels, "iloc") else "polars"
        classes = _column_names(list(labels.columns))
    if array.dtype == object and all(isinstance(value, _NUMBERS) for value in array.flat):
        array = array.astype(np.float64)  # columns of different types
    wrong = np.argwhere(~_are_0_or_1(array))
    if len(wrong):
        row, column = wrong[0]
        name, value = composed(str(classes[column])), array[row, column]
        shown = "NaN" if isinstance(value, float | np.floating) and np.isnan(value) else f"`{value}`"
        raise InputError(f"Labels: row {row}, column `{name}` is {shown}; an indicator matrix holds only 0 and 1.")
    format_ = IndicatorFormat(container=container, boolean=array.dtype == bool)
    return Indicator(array.astype(bool), classes, format_)


def _are_0_or_1(array: NDArray[Any]) -> Bools:
    """Return which values of an array of any type are the numbers 0 and 1."""
    if array.dtype.kind in "biuf":
        return np.isin(array, (0, 1))
    flat = [isinstance(value, _NUMBERS) and value in (0, 1) for value in array.flat]
    return np.array(flat, dtype=bool).reshape(array.shape)


def _are_rows(labels: Any) -> bool:
    """Say whether labels are lists of 0 and 1 of one length: as sets of labels, all of them would be the same."""
    if not isinstance(labels, list | tuple) or not labels or not isinstance(labels[0], list | tuple | np.ndarray):
        return False
    width = len(labels[0])
    return width > 1 and all(
        isinstance(row, list | tuple | np.ndarray)
        and len(row) == width
        and all(isinstance(value, _NUMBERS) and value in (0, 1) for value in row)
        for row in labels
    )


def _column_names(names: list[Any]) -> NDArray[Any]:
    integers = all(isinstance(name, int | np.integer) for name in names)
    written = names if integers else [composed(str(name)) for name in names]
    for name, n in Counter(written).items():
        if n > 1:
            raise InputError(f"Duplicate label column `{name}`: rename one.")
    return np.array(written)
