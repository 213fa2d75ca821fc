"""The hashes of the texts that are learned from, in a file, as they may be too many for memory."""

from pathlib import Path

import numpy as np

from tagline.data.text_hashes import Hashes
from tagline.task import Bools

_TOGETHER = 1_000_000  # hashes that are compared in one step


class HashFile:
    """A file of hashes, 8 bytes each."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, hashes: Hashes) -> None:
        """Add hashes, (n,)."""
        with self._path.open("ab") as file:
            file.write(hashes.tobytes())

    def has(self, hashes: Hashes) -> Bools:
        """Return which hashes are in the file, (n,)."""
        found = np.zeros(len(hashes), dtype=bool)
        with self._path.open("rb") as file:
            while len(part := np.fromfile(file, np.uint64, _TOGETHER)):
                found |= np.isin(hashes, part)
        return found

    def distinct(self, others: Hashes) -> Hashes:
        """Return the different hashes of the file and of ``others``, (n,), sorted, (n_distinct,)."""
        n = self._path.stat().st_size // others.itemsize
        hashes = np.empty(n + len(others), dtype=np.uint64)
        with self._path.open("rb") as file:
            file.readinto(hashes[:n].data)
        hashes[n:] = others
        hashes.sort()  # in place, as all below: `np.unique` would hold them twice
        n_distinct = 0
        for start in range(0, len(hashes), _TOGETHER):
            part = hashes[start : start + _TOGETHER]
            last = hashes[n_distinct - 1 : n_distinct]  # none at first
            distinct = part[np.append(len(last) == 0 or part[0] != last[0], part[1:] != part[:-1])]
            hashes[n_distinct : n_distinct + len(distinct)] = distinct
            n_distinct += len(distinct)
        return hashes[:n_distinct]
