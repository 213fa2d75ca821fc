"""Columns of text in and out of compiled code, without copies and without pyarrow."""

import gc

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagline.features._core.arrow import Texts
from tagline.features._core.vocabulary import Interner, Vocabulary

WORDS = st.lists(st.text(st.sampled_from("aé我😀"), min_size=0, max_size=20))


def read(texts: Texts) -> list[str]:
    """Return what compiled code reads: with Keras's rule, these texts are one word each, but for the empty one."""
    interner = Interner("keras", False, ())
    ids, ends = interner.add(texts, 0, len(texts))
    distinct = pl.Series(interner.strings()).to_list()
    return ["".join(distinct[i] for i in part) for part in np.split(ids, ends[:-1])] if len(texts) else []


@given(WORDS, WORDS)
def test_all_layouts_of_a_series(first: list[str], second: list[str]) -> None:
    whole = [*first, *second]
    chunks = pl.concat([pl.Series(first, dtype=pl.String), pl.Series(second, dtype=pl.String)], rechunk=False)
    assert read(Texts(chunks)) == whole
    assert read(Texts(chunks.rechunk())) == whole
    assert read(Texts(chunks[1:-1])) == whole[1:-1]
    assert read(Texts(chunks.gather(range(0, len(whole), 2)))) == whole[::2]
    assert read(Texts(whole)) == whole


def test_texts_outlive_their_series() -> None:
    texts = Texts(pl.Series(["alongtextlongerthanaview"[:n] * 3 for n in range(25)]))
    listed = Texts(["é" * n for n in range(30)])
    gc.collect()
    assert read(listed) == ["é" * n for n in range(30)]
    assert read(texts) == ["alongtextlongerthanaview"[:n] * 3 for n in range(25)]


def test_blocks_cover_all_texts() -> None:
    texts = Texts(["a" * 300_000] * 10 + [""] * 5 + ["b" * 3_000_000])
    blocks = texts.blocks()
    assert [first for first, _ in blocks] == [0, *(last for _, last in blocks[:-1])]
    assert blocks[-1][1] == len(texts)
    assert len(blocks) == 3
    assert Texts([]).blocks() == []


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pl.Series(["a", None]), "nulls"),
        (pl.Series([1, 2]), "no String column"),
        (pl.Series([["a"]]), "no String column"),
        (pl.Series(["a"], dtype=pl.Categorical), "no String column"),
        (pl.Series(["a"]).cast(pl.Binary), "no String column"),
    ],
)
def test_other_columns_are_refused(column: pl.Series, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Texts(column)


@pytest.mark.parametrize(("valid", "nulls"), [(0b11111111, False), (0b11110110, False), (0b11110011, True)])
def test_nulls_that_were_not_counted(valid: int, nulls: bool) -> None:
    views = np.zeros((4, 4), dtype=np.int32)
    views[:, 0] = 1
    views[:, 1] = ord("a")
    buffers = [pa.py_buffer(bytes([valid])), pa.py_buffer(views.tobytes())]
    column = pa.chunked_array([pa.Array.from_buffers(pa.string_view(), 2, buffers, -1, 1)])
    if nulls:
        with pytest.raises(ValueError, match="nulls"):
            Texts(column)
    else:
        assert read(Texts(column)) == ["a", "a"]


def test_none_is_refused() -> None:
    interner = Interner("unicode", True, ())
    with pytest.raises(TypeError):
        interner.add(None, 0, 0)
    with pytest.raises(TypeError):
        interner.merge(None, 0, 0, np.empty(0, dtype=np.int32))
    with pytest.raises(TypeError):
        Vocabulary(None, "unicode", True, ())


@pytest.mark.parametrize(
    ("length", "buffer", "offset"),
    [(13, 0, 20), (33, 0, 0), (13, 1, 0), (13, -1, 0), (13, 0, -1), (-1, 0, 0), (2**31 - 1, 0, 0), (-(2**31), 0, 0)],
)
def test_views_outside_of_their_buffer_are_refused(length: int, buffer: int, offset: int) -> None:
    data = pa.py_buffer(b"x" * 32)
    views = np.array([13, 0, 0, 0, length, 0, buffer, offset], dtype=np.int32)
    forged = pa.Array.from_buffers(pa.string_view(), 2, [None, pa.py_buffer(views.tobytes()), data])
    with pytest.raises(ValueError, match="text 1 is outside of its buffer"):
        Texts(pa.chunked_array([forged]))


def test_only_texts_are_taken_from_lists() -> None:
    with pytest.raises(TypeError):
        Texts(["a", 1])
    with pytest.raises(UnicodeEncodeError):
        Texts(["a", "\ud800"])


def test_strings_are_given_away_once() -> None:
    interner = Interner("unicode", True, ())
    interner.add(Texts(["a b", "我" * 1000, "https://" + "x" * 5000]), 0, 3)
    strings = interner.strings()
    series = pl.Series(strings)
    del interner
    gc.collect()
    assert series.to_list() == ["a", "b", "我", "https://" + "x" * 5000]
    with pytest.raises(ValueError, match="given away"):
        strings.__arrow_c_array__()


def test_strings_that_nobody_takes_are_freed() -> None:
    interner = Interner("unicode", True, ())
    interner.add(Texts(["a b c"]), 0, 1)
    interner.strings()
    interner.strings().__arrow_c_array__()
    gc.collect()
    assert pl.Series(interner.strings()).to_list() == ["a", "b", "c"]
    assert pl.Series(Interner("unicode", True, ()).strings()).to_list() == []
