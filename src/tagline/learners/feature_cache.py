"""`FeatureCache`: features computed once for many fits on the same texts, in a folder that processes share.

Arrays are memory-mapped, so that all processes read one copy. Nothing is pickled.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.features.encoder import Encoder
from tagline.features.tokenizer import Tokenizer
from tagline.features.vectorizer import Block, Vectorizer
from tagline.models.network.network import Inputs
from tagline.storage.atomic import replace_folder
from tagline.storage.locks import lock

_ABOUT = "about.json"
_N_OPEN = 8  # entries kept open, the last used; each holds a vocabulary
_DAMAGED = (OSError, EOFError, KeyError, ValueError)  # of a file that is missing, empty or cut off


class FeatureCache:
    """Counts of n-grams and encoded rows of one list of texts, stored in ``folder``.

    Each entry has a key of JSON values. A missing entry is computed and stored.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._opened: dict[str, Any] = {}

    def counted(
        self, key: Mapping[str, Any], tokenizer: Tokenizer, count: Callable[[], tuple[Block, sp.csr_matrix]]
    ) -> tuple[Block, sp.csr_matrix]:
        """Return n-grams and their counts in all texts, (n_texts, n_columns); ``count`` computes them."""

        def write(folder: Path) -> None:
            block, counts = count()
            scale = np.ones(block.table.n_columns, dtype=np.float32)
            vectorizer = Vectorizer((block,), (scale,), "count", unit=False, tokenizer=tokenizer)
            settings, arrays = vectorizer.graph_inputs()
            of_block = {f"block.{name}": array for name, array in arrays.items()}
            _write(folder, settings, vectorizer.texts(), of_block, counts)

        def read(folder: Path) -> tuple[Block, sp.csr_matrix]:
            settings, texts, arrays, counts = _read(folder)
            of_block = {name.removeprefix("block."): array for name, array in arrays.items()}
            return Vectorizer.restore(settings, of_block, texts).blocks[0], counts

        found: tuple[Block, sp.csr_matrix] = self._get({"counts": key, "tokenizer": tokenizer.settings()}, write, read)
        return found

    def encoded(self, key: Mapping[str, Any], encode: Callable[[], tuple[Encoder, Inputs]]) -> tuple[Encoder, Inputs]:
        """Return an encoder and the encoded texts, (n_texts, n_columns); ``encode`` computes them."""

        def write(folder: Path) -> None:
            encoder, X = encode()
            _write(folder, encoder.settings(), encoder.texts(), {}, X)

        def read(folder: Path) -> tuple[Encoder, Inputs]:
            settings, texts, _, X = _read(folder)
            return Encoder.restore(settings, {}, texts), X

        found: tuple[Encoder, Inputs] = self._get({"rows": key}, write, read)
        return found

    def _get(self, key: Mapping[str, Any], write: Callable[[Path], None], read: Callable[[Path], Any]) -> Any:
        name = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:32]
        if name in self._opened:
            self._opened[name] = self._opened.pop(name)
            return self._opened[name]
        self._opened[name] = self._open(self.folder / name, write, read)
        while len(self._opened) > _N_OPEN:
            del self._opened[next(iter(self._opened))]
        return self._opened[name]

    def _open(self, entry: Path, write: Callable[[Path], None], read: Callable[[Path], Any]) -> Any:
        """Read an entry, or compute it if it is missing or damaged."""
        with suppress(*_DAMAGED):
            return read(entry)
        self.folder.mkdir(parents=True, exist_ok=True)
        with lock(entry.with_name(f"{entry.name}.lock"), create=True):
            with suppress(*_DAMAGED):  # another process may have written it meanwhile
                return read(entry)
            with replace_folder(entry) as folder:
                write(folder)
            return read(entry)


def _write(
    folder: Path, settings: Mapping[str, Any], texts: Mapping[str, str], arrays: Mapping[str, NDArray[Any]], X: Inputs
) -> None:
    parts = {f"X.{name}": getattr(X, name) for name in ("data", "indices", "indptr")} if sp.issparse(X) else {"X": X}
    for name, array in {**arrays, **parts}.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    about = {"settings": settings, "texts": texts, "shape": list(X.shape)}
    (folder / _ABOUT).write_text(json.dumps(about), encoding="utf-8")


def _read(folder: Path) -> tuple[dict[str, Any], dict[str, str], dict[str, NDArray[Any]], Inputs]:
    about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
    arrays = {path.name.removesuffix(".npy"): _mapped(path) for path in sorted(folder.glob("*.npy"))}
    if "X" in arrays:
        return about["settings"], about["texts"], arrays, arrays.pop("X")
    parts = [arrays.pop(f"X.{name}") for name in ("data", "indices", "indptr")]
    return about["settings"], about["texts"], arrays, sp.csr_matrix(tuple(parts), shape=about["shape"])


def _mapped(path: Path) -> NDArray[Any]:
    """Return a memory-mapped array; small ones are read, because an empty one cannot be mapped."""
    array: NDArray[Any] = np.load(path, mmap_mode="r" if path.stat().st_size > 4096 else None, allow_pickle=False)
    return np.asarray(array)
