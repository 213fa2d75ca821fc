"""The built-in sets out of their original files, which `TAGLINE_DATA` names; collected where it is set."""

import os
import time
from pathlib import Path

import pytest

from tagline.datasets import BUILT_IN, load_dataset

pytestmark = pytest.mark.original_data


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAGLINE_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


def test_imdb() -> None:
    load_dataset("imdb")
    begin = time.perf_counter()
    data = load_dataset("imdb")
    assert time.perf_counter() - begin < 2
    assert data.test is not None
    assert data.facts.class_counts == {
        "train": {"neg": 12_500, "pos": 12_500},
        "test": {"neg": 12_500, "pos": 12_500},
    }
    assert data.facts.duplicates["test_in_train"] == 123


def test_reuters_is_kerass_selection() -> None:
    data = load_dataset("reuters")
    assert data.test is not None
    assert (len(data.train), len(data.test), len(data.classes)) == (8_982, 2_246, 46)
    # Keras's own counts: 3,159 train stories of class 3, 1,949 of class 4.
    assert data.facts.class_counts["train"]["earn"] == 3_159
    assert data.facts.class_counts["train"]["acq"] == 1_949
    assert data.facts.duplicates["conflicting"] == 398


def test_reuters_clean_leaves_out_what_has_no_text() -> None:
    data = load_dataset("reuters-clean")
    assert data.test is not None
    assert len(data.train) + len(data.test) == BUILT_IN["reuters-clean"].rows == 11_228 - 975
    assert "975 of the 11,228 stories" in " ".join(data.facts.warnings)


def test_the_folder_of_the_imdb_tables_is_a_dataset_too() -> None:
    folders = [Path(folder) / "imdb" for folder in os.environ["TAGLINE_DATA"].split(os.pathsep)]
    folder = next(folder for folder in folders if folder.is_dir())
    data = load_dataset(folder)
    assert (len(data.train), data.classes) == (25_000, ["neg", "pos"])
