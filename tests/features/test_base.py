"""The registry of featurizers: each kind is restored by the class that a bundle names."""

import json

import numpy as np
import polars as pl
import pytest

from tagline.errors import InputError
from tagline.features.base import Featurizer
from tagline.features.encoder import Encoder
from tagline.features.ngrams import WordNgrams
from tagline.features.sequences import WordIndex
from tagline.features.tokenizer import Tokenizer
from tagline.features.vectorizer import Vectorizer
from tagline.recipes import FEATURIZERS

TEXTS = pl.Series(["The film: a quiet film.", "Not the sea"])


def fitted(kind: str) -> Featurizer:
    if kind == "ngrams":
        block, _ = WordNgrams.fit(TEXTS, Tokenizer(), 2, 1)
        return Vectorizer(
            (block,), (np.ones(block.table.n_columns, np.float32),), "log", unit=True, tokenizer=Tokenizer()
        )
    return Encoder(WordIndex.fit(TEXTS), kind, 20, 8)


@pytest.mark.parametrize("kind", FEATURIZERS)
def test_every_kind_is_restored_from_what_it_stores(kind: str) -> None:
    features = fitted(kind)
    assert features.kind == features.settings()["kind"] == kind
    settings = json.loads(json.dumps(features.settings()))
    restored = FEATURIZERS[settings["kind"]].restore(settings, features.arrays(), features.texts())
    assert restored.settings() == features.settings()
    assert restored.vocabulary() == features.vocabulary()
    expected, got = features.transform(TEXTS), restored.transform(TEXTS)
    assert expected.shape == got.shape
    assert (expected != got).sum() == 0


@pytest.mark.parametrize("kind", FEATURIZERS)
def test_settings_of_earlier_versions_have_the_tokenizer_of_then(kind: str) -> None:
    features = fitted(kind)
    settings = features.settings()
    expected = settings | {"tokenizer": settings.pop("tokenizer") | {"nfc": False}}
    assert FEATURIZERS[kind].restore(settings, features.arrays(), features.texts()).settings() == expected


@pytest.mark.parametrize("kind", FEATURIZERS)
def test_located_features_have_the_names_of_their_tokens(kind: str) -> None:
    features = fitted(kind)
    text = "A quiet sea; NOT the sea"
    found = features.locate(text)
    assert [text[start:end] for start, end in found.tokens if text[start:end] != ";"] == text.replace(";", "").split()
    for name, (start, end) in zip(features.names(found.features), found.spans, strict=True):
        assert name == text[start:end].lower()


def test_ngrams_take_no_ids() -> None:
    with pytest.raises(InputError, match="takes no word ids"):
        fitted("ngrams").transform_ids([[1, 4]])
