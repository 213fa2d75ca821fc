"""Values of any container, one at a time: what several kinds of input share."""

import unicodedata
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.data.json_values import replace_surrogates
from tagline.errors import InputError


def as_array(values: Any) -> NDArray[Any]:
    """Return values as an array; masked ones stay masked, which `column_values` returns as None."""
    return values if isinstance(values, np.ma.MaskedArray) else np.asarray(values)


def column_values(array: NDArray[Any], what: str) -> list[Any]:
    """Return the values of an array of one dimension, or of one column."""
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        one = ", for example one column of a frame" if array.ndim == 2 else ""
        if array.ndim == 2 and what == "texts":
            one += ', or join columns, in pandas `frame["a"].fillna("") + "\\n" + frame["b"].fillna("")`'
        raise InputError(f"The {what} have the shape {array.shape}: give an array of one dimension{one}.")
    values: list[Any] = array.tolist()
    return values


def listed(values: Iterable[Any], what: str) -> list[Any]:
    """Return values as a list; ``what`` names them in an error."""
    try:
        return list(values)
    except TypeError:
        raise InputError(f"The {what} are {described(values)}: give a list.") from None


def is_sequence(value: object) -> bool:
    """Say whether a value is a list, tuple or array of one dimension."""
    return isinstance(value, list | tuple | np.ndarray) and np.ndim(value) == 1


def is_missing(value: Any) -> bool:
    """Say whether a value is None, NaN, or the NA of pandas, which is neither equal nor unequal to itself."""
    if value is None or isinstance(value, str):
        return value is None
    try:
        return bool(value != value)
    except TypeError:
        return True
    except ValueError:  # an array has several answers
        return False


def described(value: object) -> str:
    """Return what a value that cannot be used is, as a part of a sentence."""
    return "missing" if is_missing(value) else f"of type `{type(value).__name__}`"


def composed(label: Any) -> Any:
    """Return a label with strings in NFC, in which labels that look the same are the same, without lone surrogates.

    Bytes are text in UTF-8.
    """
    if isinstance(label, bytes):
        label = label.decode(errors="replace")
    return unicodedata.normalize("NFC", replace_surrogates(label)) if isinstance(label, str) else label
