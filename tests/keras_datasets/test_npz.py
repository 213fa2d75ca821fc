"""Keras's files of pickled lists are read without executing pickles."""

import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tagline.errors import DataError
from tagline.keras_datasets.npz import read_npz


def objects(*values: object) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    for place, value in enumerate(values):
        array[place] = value
    return array


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (objects([1, 2], [3], []), [[1, 2], [3], []]),
        (objects(), []),
        (objects([1, 70_000, 2**40]), [[1, 70_000, 2**40]]),
        (objects([np.int64(5), np.uint8(200), np.int32(-7)]), [[5, 200, -7]]),
        (objects(np.array([1, 2]), np.array([3], ">i2"), np.array([4, 5], "u1")), [[1, 2], [3], [4, 5]]),
        (np.array([[1, 2], [3, 4]], dtype=object), [[1, 2], [3, 4]]),
        (np.array([3, 1, 2]), [3, 1, 2]),
        (np.array([3, 1, 2], dtype=object), [3, 1, 2]),
    ],
)  # fmt: skip
def test_what_numpy_writes_is_read(array: np.ndarray, expected: list[object], tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=array, other=objects("not looked at"))
    assert read_npz(tmp_path / "a.npz", ["x"]) == {"x": expected}
    np.savez_compressed(tmp_path / "b.npz", x=array)
    assert read_npz(tmp_path / "b.npz", ["x"]) == {"x": expected}


@pytest.mark.parametrize("core", ["numpy.core", "numpy._core"])
def test_files_of_old_and_new_numpy_are_read(core: str, tmp_path: Path) -> None:
    content = pickle.dumps(objects([1, 2], [300]), protocol=3)
    write(tmp_path / "a.npz", content.replace(b"numpy._core", core.encode()))
    assert read_npz(tmp_path / "a.npz", ["x"]) == {"x": [[1, 2], [300]]}


def write(path: Path, content: bytes) -> None:
    """Write a file whose array ``x`` is this pickle."""
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    header = header.ljust(117) + b"\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + content)


class Calls:
    """Pickled as a call."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return self.call


@pytest.mark.parametrize("inside", [True, False])
def test_pickles_are_not_executed(inside: bool, tmp_path: Path) -> None:
    sign = tmp_path / "run"
    for evil in (
        Calls(os.system, f"touch {sign}"),
        Calls(eval, f"open({str(sign)!r}, 'w')"),
        Calls(exec, f"open({str(sign)!r}, 'w')"),
        Calls(open, str(sign), "w"),
        Calls(getattr, [], "append"),
        Calls(np.fromfile, "/etc/hostname"),
        Calls(np.lib.format.open_memmap, str(sign), "w+", "i1", (1,)),
        Calls(Path, "x"),
        Calls(bytearray, 10),
    ):
        content = pickle.dumps(objects([1, evil]) if inside else evil)
        write(tmp_path / "a.npz", content)
        with pytest.raises(DataError, match=r"a\.npz` cannot be read: it refers to `.*`; only lists of integers"):
            read_npz(tmp_path / "a.npz", ["x"])
        assert not sign.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (pickle.dumps([1, 2]), "its pickle is not an array"),
        (pickle.dumps(Calls(np.ndarray, (3,))), "in a way that is not `_reconstruct`"),
        (pickle.dumps(objects(np.array([0.5]))), "it contains an array of `f8`, which is not an integer type"),
        (pickle.dumps(objects(np.float64(0.5))), "it contains an array of `f8`"),
        (pickle.dumps(objects(np.zeros((2, 2, 2), int))), "that is not a list of rows"),
        (pickle.dumps(np.asfortranarray(np.array([[1, 2], [3, 4]], dtype=object))), "that is not a list of rows"),
        (pickle.dumps(objects([1]))[:-9], "cannot be read"),
        (b"no pickle", "cannot be read"),
        (b"", "cannot be read"),
        (b"\x80\x04K\x01Q.", "cannot be read"),  # a persistent id
    ],
)
def test_other_pickles_are_rejected(content: bytes, message: str, tmp_path: Path) -> None:
    write(tmp_path / "a.npz", content)
    with pytest.raises(DataError, match=message) as raised:
        read_npz(tmp_path / "a.npz", ["x"])
    assert "\n" not in str(raised.value)


def test_a_wrong_shape_is_rejected(tmp_path: Path) -> None:
    content = pickle.dumps(objects([1], [2])).replace(b"K\x02\x85", b"K\x09\x85")
    write(tmp_path / "a.npz", content)
    with pytest.raises(DataError, match="whose size differs from its shape"):
        read_npz(tmp_path / "a.npz", ["x"])


def test_other_files_are_rejected(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"<html>")
    with pytest.raises(DataError, match=r"a\.npz` cannot be read: File is not a zip file\. Remove it"):
        read_npz(tmp_path / "a.npz", ["x"])
    np.savez(tmp_path / "b.npz", x=np.arange(3))
    with pytest.raises(DataError, match=r"b\.npz` is not a file of Keras's arrays: There is no item named 'y\.npy'"):
        read_npz(tmp_path / "b.npz", ["x", "y"])
