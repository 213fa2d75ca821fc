"""N-grams, compared with scikit-learn's CountVectorizer column by column."""

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from tagline.features.ngrams import CharNgrams, NgramTable, WordNgrams, tokens
from tagline.features.ngrams.tokens import tokens_as_codes
from tagline.features.tokenizer import Tokenizer

TOKENIZER = Tokenizer()
WORDS = ["a", "b", "film", "films", "good", "bad", "the", "aa", "ba"]
TEXTS = st.lists(st.lists(st.sampled_from(WORDS), max_size=7).map(" ".join), min_size=1, max_size=9)
ODD = ["", "  ", "film", "zzz qqq", "the the the the", "I ♥ films! 我喜欢电影 don’t <br /> https://a.b/c"]


def series(texts: list[str]) -> pl.Series:
    return pl.Series(texts, dtype=pl.String)


def plain(text: str) -> list[str]:
    return TOKENIZER.tokenize(series([text])).values.to_list()


def random_texts(n: int, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, rng.integers(0, 12))) for _ in range(n)]


def by_name(names: list[str], matrix: sp.csr_matrix) -> dict[str, list[float]]:
    assert len(set(names)) == len(names) == matrix.shape[1]
    return dict(zip(names, matrix.toarray().T.tolist(), strict=True))


def columns_of(block: WordNgrams | CharNgrams, matrix: sp.csr_matrix) -> dict[str, list[float]]:
    return by_name(block.names(np.arange(matrix.shape[1])), matrix)


def sklearn_columns(texts: list[str], **options: object) -> dict[str, list[float]]:
    vectorizer = CountVectorizer(lowercase=False, **options)
    try:
        counts = vectorizer.fit_transform(texts)
    except ValueError:  # its way to say that no column is left
        return {}
    return by_name(vectorizer.get_feature_names_out().tolist(), counts)


@given(TEXTS, st.integers(1, 3), st.integers(1, 3))
def test_word_ngrams_are_scikit_learns(texts: list[str], max_n: int, min_df: int) -> None:
    if min_df > len(texts):
        return
    block, counts = WordNgrams.fit(series(texts), TOKENIZER, max_n, min_df)
    expected = sklearn_columns(texts, tokenizer=plain, token_pattern=None, ngram_range=(1, max_n), min_df=min_df)
    assert columns_of(block, counts) == expected


@given(TEXTS, st.sampled_from([(1, 1), (1, 3), (2, 5), (3, 3)]), st.integers(1, 3))
def test_character_ngrams_are_scikit_learns(texts: list[str], lengths: tuple[int, int], min_df: int) -> None:
    if min_df > len(texts):
        return
    if lengths[0] == 1:
        min_df = 1  # single characters are kept for the n-grams they begin; their scale is 0 below `min_df`
    block, counts = CharNgrams.fit(series(texts), TOKENIZER, *lengths, min_df)
    expected = sklearn_columns(texts, analyzer="char_wb", ngram_range=lengths, min_df=min_df)
    assert columns_of(block, counts) == expected


def test_word_ngrams_of_odd_texts_are_scikit_learns() -> None:
    texts = ODD * 2 + random_texts(30)
    block, counts = WordNgrams.fit(series(texts), TOKENIZER, 3, 2)
    expected = sklearn_columns(texts, tokenizer=plain, token_pattern=None, ngram_range=(1, 3), min_df=2)
    assert columns_of(block, counts) == expected


@pytest.fixture(params=["words", "characters"])
def fit(request: pytest.FixtureRequest):
    if request.param == "words":
        return lambda texts, min_df=2: WordNgrams.fit(series(texts), TOKENIZER, 3, min_df)
    return lambda texts, min_df=2: CharNgrams.fit(series(texts), TOKENIZER, 2, 5, min_df)


def same(a: sp.csr_matrix, b: sp.csr_matrix) -> bool:
    return (
        a.shape == b.shape
        and np.array_equal(a.indptr, b.indptr)
        and np.array_equal(a.indices, b.indices)
        and np.array_equal(a.data, b.data)
    )


def test_fit_counts_what_transform_counts(fit) -> None:
    texts = random_texts(300) + ODD * 2
    block, counts = fit(texts)
    assert same(block.transform(series(texts), TOKENIZER), counts)


@settings(max_examples=40)
@given(st.lists(st.one_of(st.text(max_size=12), st.sampled_from([*WORDS, *ODD])), max_size=6))
def test_alone_equals_in_a_batch(learned, texts: list[str]) -> None:
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    for block in learned:
        batch = block.transform(series(texts), TOKENIZER)
        assert batch.shape == (len(texts), block.table.n_columns)
        for row, text in enumerate(texts):
            assert same(block.transform(series([text]), TOKENIZER), batch[row])


@pytest.fixture(scope="module")
def learned() -> tuple[WordNgrams, CharNgrams]:
    texts = series(random_texts(60) + ODD)
    return WordNgrams.fit(texts, TOKENIZER, 3, 1)[0], CharNgrams.fit(texts, TOKENIZER, 2, 4, 1)[0]


def test_batches_and_cores_change_nothing(fit, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = random_texts(200) + ODD * 2
    block, counts = fit(texts)
    names = block.names(np.arange(counts.shape[1]))
    for cores, batch in ((1, 4096), (2, 64), (3, 1)):
        monkeypatch.setattr("tagline.parallel._available", lambda cores=cores: cores)
        monkeypatch.setattr(tokens, "_BATCH", batch)
        again, recounted = fit(texts)
        assert same(recounted, counts)
        assert again.names(np.arange(counts.shape[1])) == names
        assert same(block.transform(series(texts), TOKENIZER), counts)


def test_the_order_of_rows_changes_no_vocabulary(fit) -> None:
    texts = random_texts(200) + ODD * 2
    block, counts = fit(texts)
    order = np.random.default_rng(1).permutation(len(texts))
    shuffled, recounted = fit([texts[row] for row in order])
    columns = np.arange(counts.shape[1])
    assert shuffled.names(columns) == block.names(columns)
    assert same(recounted, counts[order])


@pytest.mark.parametrize(("texts", "kept"), [(["ab ab ab", "cd"], []), (["ab", "ab cd"], ["ab"])])
def test_min_df_counts_texts_not_occurrences(texts: list[str], kept: list[str]) -> None:
    block, _ = WordNgrams.fit(series(texts), TOKENIZER, 2, 2)
    assert block.vocabulary.to_list() == kept
    characters, counts = CharNgrams.fit(series(texts), TOKENIZER, 2, 2, 2)
    assert sorted(characters.names(np.arange(counts.shape[1]))) == sorted(
        {" " + k[0] for k in kept} | set(kept) | {k[1] + " " for k in kept}
    )


def test_ngrams_cross_neither_texts_nor_unknown_words() -> None:
    block, _ = WordNgrams.fit(series(["a b c", "c a"]), TOKENIZER, 3, 1)
    counts = block.transform(series(["a b", "c a", "a zzz b c", "b a"]), TOKENIZER)
    rows = columns_of(block, counts)
    assert {name for name, column in rows.items() if column[2]} == {"a", "b", "c", "b c"}
    assert {name for name, column in rows.items() if column[3]} == {"a", "b"}
    assert rows["a b"] == [1, 0, 0, 0]


@pytest.mark.parametrize("texts", [[], [""], ["", " \n"], ["one"], ["x", "y"]])
def test_few_or_no_ngrams(fit, texts: list[str]) -> None:
    for min_df in (1, 2):
        block, counts = fit(texts, min_df)
        assert counts.shape == (len(texts), block.table.n_columns)
        if min_df == 2:
            assert block.table.n_columns == 0
        for requested in ([], [""], ["new words only", "one"]):
            found = block.transform(series(requested), TOKENIZER)
            assert found.shape == (len(requested), block.table.n_columns)
            assert found.sum() == (found.toarray() > 0).sum()


def test_locate_finds_each_occurrence(learned) -> None:
    text = "the good film , the good"
    found = TOKENIZER.tokenize(series([text])).values
    for block in learned:
        counts = np.zeros(block.table.n_columns)
        for columns, first, last in block.locate(found):
            np.add.at(counts, columns, 1)
            for column, start, end in zip(columns, first, last, strict=True):
                (name,) = block.names(np.array([column]))
                assert name in f" {' '.join(found[start : end + 1])} "
        assert counts.tolist() == block.transform(series([text]), TOKENIZER).toarray()[0].tolist()


def test_vocabulary_is_frequent_first_then_by_name() -> None:
    block, _ = WordNgrams.fit(series(["b a c", "c a", "d c"]), TOKENIZER, 1, 1)
    assert block.vocabulary.to_list() == ["c", "a", "b", "d"]


def test_restrict_and_spell() -> None:
    block, _ = WordNgrams.fit(series(["a b c d", "b c"]), TOKENIZER, 3, 1)
    full = block.table
    grams = full.spell(np.arange(full.n_columns))
    wanted = [
        gram for gram in grams if len(gram) == 1 or (gram != grams[full.sizes[0]] and gram[:2] != grams[full.sizes[0]])
    ]
    keep = []
    at = full.sizes[0]
    for size in full.sizes[1:]:
        keep.append(np.array([gram in wanted for gram in grams[at : at + size]]))
        at += size
    less = full.restrict(keep)
    assert 0 < less.n_columns < full.n_columns
    assert less.spell(np.arange(less.n_columns)) == wanted
    assert NgramTable(less.n_symbols, 2, less.keys).spell(np.arange(less.n_columns - less.sizes[0])) == [
        gram for gram in wanted if len(gram) > 1
    ]


def test_codes_map_to_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tagline.features.ngrams.tokens._BATCH", 3)  # many batches, on all cores
    texts = [*(f"b a b {word} c" for word in ["the", "quick", "fox", "over", "the", "dog"]), ""]
    codes, ends, meanings = tokens_as_codes(series(texts), TOKENIZER)
    assert [meanings[int(code)] for code in codes] == " ".join(texts).split()
    assert ends.tolist() == [0, 5, 10, 15, 20, 25, 30, 30]
    assert sorted(set(codes.tolist())) == list(range(len(meanings)))
