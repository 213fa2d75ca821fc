"""The built-in sets out of their original files, which `TAGLINE_DATA` names; collected where it is set."""

import os
import time
from pathlib import Path

import pytest

from tagline.data import BUILT_IN, load_dataset
from tagline.data.builtin.word_index import count_words

pytestmark = pytest.mark.original_data


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAGLINE_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


def test_imdb() -> None:
    load_dataset("imdb")
    begin = time.process_time()
    data = load_dataset("imdb")
    assert time.process_time() - begin < 2  # of a core: a busy machine is no failure
    assert data.test is not None
    assert data.facts.class_counts == {
        "train": {"neg": 12_500, "pos": 12_500},
        "test": {"neg": 12_500, "pos": 12_500},
    }
    assert data.facts.duplicates["test_in_train"] == 123
    # Keras's order: its first train review, and the labels of its first ten for testing.
    assert data.train.texts[0].startswith("this film was just brilliant,casting,location scenery,story")
    assert data.train.labels[0] == "pos"
    assert [int(label == "pos") for label in data.test.labels[:10]] == [0, 1, 1, 0, 1, 1, 1, 0, 0, 1]


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


def test_the_words_of_kerass_sets() -> None:
    read = BUILT_IN["imdb"].word_index
    assert read is not None
    ranks = read()
    assert sorted(ranks.values()) == list(range(1, 88_585))
    assert [ranks[word] for word in ("the", "and", "film", "assay", "tagline")] == [1, 2, 19, 77765, 14277]
    # The train reviews contain exactly these words: Keras tokenized them in this way.
    data = load_dataset("imdb")
    counted = count_words(data.train.texts)
    assert counted.keys() == ranks.keys()
    assert list(counted)[:20] == sorted(ranks, key=ranks.__getitem__)[:20]
    read = BUILT_IN["reuters"].word_index
    assert read is not None
    assert len(read()) == 30_979
