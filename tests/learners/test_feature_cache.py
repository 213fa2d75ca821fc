"""Features that several fits share through a folder."""

from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from tagline.features.encoder import Encoder
from tagline.learners.feature_cache import FeatureCache

X = sp.csr_matrix(np.eye(3, dtype=np.float32))


def shared_rows(folder: Path, calls: list[int]) -> sp.csr_matrix:
    def encode() -> tuple[Encoder, sp.csr_matrix]:
        calls.append(1)
        return Encoder(None, "multihot", num_words=3), X

    _, rows = FeatureCache(folder).encoded({"num_words": 3}, encode)
    return rows


def test_features_are_computed_once(tmp_path: Path) -> None:
    calls: list[int] = []
    for _ in range(2):
        assert np.array_equal(shared_rows(tmp_path, calls).toarray(), X.toarray())
    assert len(calls) == 1


@pytest.mark.parametrize("size", [0, 40, 100])
@pytest.mark.parametrize("name", ["X.data.npy", "X.indptr.npy", "about.json"])
def test_damaged_features_are_computed_again(tmp_path: Path, name: str, size: int) -> None:
    """A power cut can leave an empty file, or half of one."""
    calls: list[int] = []
    shared_rows(tmp_path, calls)
    [path] = tmp_path.glob(f"*/{name}")
    path.write_bytes(path.read_bytes()[:size])
    for _ in range(2):
        assert np.array_equal(shared_rows(tmp_path, calls).toarray(), X.toarray())
    assert len(calls) == (1 if path.stat().st_size == size else 2)
