"""Read Keras's ``.npz`` files, whose arrays of lists are pickles, without executing their content.

No NumPy code runs while a pickle is read: the names of NumPy's array functions are mapped to the plain classes below,
and every other name is rejected. The result is validated and converted afterwards.
"""

import io
import math
import pickle
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.errors import DataError

_INTEGERS = ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8")


class _ArrayClass:
    """Replaces the class `numpy.ndarray`, which is only allowed as an argument of `_reconstruct`."""

    def __new__(cls, *_: object) -> "_ArrayClass":
        raise pickle.UnpicklingError("it makes an array in a way that is not `_reconstruct`")


class _Type:
    """A dtype: its code and its byte order, from the state."""

    def __init__(self, code: object = "", *_: object) -> None:
        self.code = code
        self.order: object = "<"

    def __setstate__(self, state: Any) -> None:
        self.order = state[1]

    def integers(self) -> np.dtype[Any]:
        """Return the integer dtype; raises `UnpicklingError` for others."""
        if self.code not in _INTEGERS or self.order not in ("<", ">", "|"):
            raise pickle.UnpicklingError(f"it contains an array of `{self.code}`, which is not an integer type")
        return np.dtype(f"{self.order}{self.code}")


class _Array:
    """An array: its shape, its type and its values, a list of anything or the bytes of integers."""

    def __init__(self) -> None:
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def rows(self) -> list[Any]:
        """Return the values along the first of one or two dimensions."""
        _, shape, kind, by_columns, values = self.state
        if not isinstance(kind, _Type) or not isinstance(shape, tuple) or by_columns or len(shape) not in (1, 2):
            raise pickle.UnpicklingError("it contains an array that is not a list of rows")
        if isinstance(values, bytes):
            values = np.frombuffer(values, dtype=kind.integers()).tolist()
        if not isinstance(values, list) or math.prod(shape) != len(values):
            raise pickle.UnpicklingError("it contains an array whose size differs from its shape")
        if len(shape) == 1:
            return values
        # NumPy makes lists of equal length a two-dimensional array.
        return [values[row * shape[1] : (row + 1) * shape[1]] for row in range(shape[0])]


def _reconstruct(*_: object) -> _Array:
    return _Array()


def _scalar(kind: Any, value: Any) -> int:
    if not isinstance(kind, _Type) or not isinstance(value, bytes):
        raise pickle.UnpicklingError("it contains a number that is not an integer")
    return int(np.frombuffer(value, dtype=kind.integers())[0])


_ALLOWED: dict[tuple[str, str], type | Callable[..., object]] = {
    ("numpy", "ndarray"): _ArrayClass,
    ("numpy", "dtype"): _Type,
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _reconstruct for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): _scalar for core in ("core", "_core")},
}


class _ListsOnly(pickle.Unpickler):
    """Accepts lists, integers and NumPy arrays."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it refers to `{module}.{name}`; only lists of integers are allowed")
        return _ALLOWED[module, name]


def read_npz(path: Path, names: Iterable[str]) -> dict[str, list[Any]]:
    """Return the arrays ``names`` of a file, each as a list: of integers, or of lists of integers.

    The caller checks that the innermost values are integers. Raises `DataError` if the file is damaged, lacks an array,
    or contains anything but lists, integers and arrays of them.
    """
    arrays = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for name in names:
                arrays[name] = _read_array(archive.read(f"{name}.npy"))
    except KeyError as error:
        raise DataError(f"`{path}` is not a file of Keras's arrays: {error.args[0]}.") from error
    # A damaged pickle can raise nearly anything.
    except Exception as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise DataError(f"`{path}` cannot be read: {reason}. Remove it, or put Keras's file there.") from error
    return arrays


def _read_array(content: bytes) -> list[Any]:
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    _, _, kind = read_header(stream)
    if not kind.hasobject:
        stream.seek(0)
        values: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
        return list(values.tolist())
    found = _ListsOnly(stream).load()
    if not isinstance(found, _Array):
        raise pickle.UnpicklingError("its pickle is not an array")
    return [row.rows() if isinstance(row, _Array) else row for row in found.rows()]
