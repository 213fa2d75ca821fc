"""The output of the tutorials on IMDB and Reuters, from the original files in `TAGLINE_DATA`."""

import time
from pathlib import Path

import numpy as np
import pytest

from tagline.data import load_dataset
from tagline.features.sequences import WordIndex
from tagline.keras_datasets import imdb, reuters

pytestmark = pytest.mark.original_data


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TAGLINE_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))


def test_imdb() -> None:
    begin = time.process_time()
    (train_data, train_labels), (test_data, test_labels) = imdb.load_data(num_words=10000)
    took = time.process_time() - begin
    data = load_dataset("imdb")
    assert data.test is not None
    texts = [*data.train.texts, *data.test.texts]
    begin = time.process_time()
    words = sum(len(text.lower().split()) for text in texts)
    assert words > 10_000_000
    assert took < 15 * (time.process_time() - begin)  # some 8 times as long as only to split the texts
    assert (train_data.shape, test_data.shape) == ((25_000,), (25_000,))
    # Chollet, Deep Learning with Python, listing 4.1 and after.
    assert train_data[0][:12] == [1, 14, 22, 16, 43, 530, 973, 1622, 1385, 65, 458, 4468]
    assert train_data[0][-3:] == [19, 178, 32]
    assert (len(train_data[0]), len(train_data[1]), train_labels[0]) == (218, 189, 1)
    assert max(max(sequence) for sequence in train_data) == 9999
    assert test_labels[:10].tolist() == [0, 1, 1, 0, 1, 1, 1, 0, 0, 1]
    assert imdb.decode_review(train_data[0]).startswith("? this film was just brilliant casting location scenery")
    assert len(imdb.get_word_index()) == 88_584
    # Lengths that tutorials print of the whole: 238.71 on average, the longest 2,494 and 2,315.
    lengths = np.array([len(ids) for ids in train_data])
    assert (round(lengths.mean(), 2), lengths.max(), max(map(len, test_data))) == (238.71, 2494, 2315)


def test_imdb_with_all_words() -> None:
    (train_data, _), (test_data, _) = imdb.load_data()
    assert max(max(ids) for part in (train_data, test_data) for ids in part) == 88_586
    assert train_data[0][26] == 22_665


def test_reuters() -> None:
    (train_data, train_labels), (test_data, test_labels) = reuters.load_data(num_words=10000)
    assert (len(train_data), len(test_data)) == (8_982, 2_246)
    assert set(train_labels.tolist()) == set(range(46))
    assert test_labels[:3].tolist() == [3, 10, 1]
    assert len(reuters.get_word_index()) == 30_979
    # Chollet, listing 4.11 and after; equally frequent words have other ranks when counted again.
    keras = [
        1, 245, 273, 207, 156, 53, 74, 160, 26, 14, 46, 296, 26, 39, 74, 2979, 3554, 14, 46, 4689, 4329, 86, 61, 3499,
        4795, 14, 61, 451, 4329, 17, 12,
    ]  # fmt: skip
    assert train_labels[10] == 3
    assert sum(a == b for a, b in zip(train_data[10], keras, strict=True)) >= 20
    assert reuters.decode_newswire(train_data[0]).startswith("? ? ? said as a result of its december acquisition of")


def test_encoding_the_texts_gives_the_same_ids() -> None:
    (train_data, train_labels), _ = imdb.load_data(num_words=10000)
    data = load_dataset("imdb")
    encoded = WordIndex.of(imdb.get_word_index()).encode(data.train.texts, num_words=10000)
    assert encoded.to_lists() == train_data.tolist()
    assert (data.train.labels == "pos").to_list() == (train_labels == 1).tolist()
