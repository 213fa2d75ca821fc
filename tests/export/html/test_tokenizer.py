"""The page's tokens are Python's: every character there is, texts made to hurt, and any text at all."""

import json
from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py_mini_racer import MiniRacer

from tagline.export.html.characters import character_tables
from tagline.export.html.compose import read_script
from tagline.features.tokenizer import Tokenizer
from tests.characters import alike, distinct

TOKENIZER = Tokenizer()
ODD = [
    *("<br />", "<BR>", "<br\x1c>", "<br\x85\u3000/>", "<b\xadr>", "<br\xad>", "<br", "don't", "'", "’", "İ", "i̇"),
    *(
        "ΑΣ",
        "Σ",
        "ΣΣ",
        "ΑΣ'Α",
        "ΑΣ\u0301",
        "'Σ",
        "\xadΣ",
        "ς",
        "ẞ",
        "ß",
        " ",
        "\n",
        "\x85",
        "\u2028",
        "\u200d",
        "\ufe0f",
    ),
    *("👍🏽", "🏽", "🇩🇪", "🇩", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "1️⃣", "©", "™", "ℹ", "🅰", "Ⓜ", "❤️\u200d🔥", "👩‍👩‍👧", "\u200d🔥", "☕"),
    *("https://a.b/c", "http://", "HTTPS://X", "https:/", "http", "s://", "h", "<", ">", '"', "/", "\u00a0"),
    *(
        "ที่",
        "我",
        "ー",
        "々",
        "〇",
        "x",
        "\x00",
        "\x7f",
        "\ua7cb",
        "हिन्दी",
        "\u0301",
        "ˊ",
        "ʰ",
        "\u0345",
        "ŉ",
        "ǆ",
        "ﬁ",
        "K",
        "Å",
    ),
    *("\U0001e900", "\U00010400", "\u1c89", "\ufffd", "\uffff", "\U0010ffff", "_", "٣", "²", "Ⅷ", "\u203f", "\u2060"),
]
TEXTS = st.lists(
    st.one_of(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), st.sampled_from(ODD)), max_size=10
).map("".join)


class PageTokenizer:
    """tokenizer.js in V8."""

    def __init__(self) -> None:
        self.engine = MiniRacer()
        self.engine.eval(read_script("tokenizer.js"))
        given = f"{json.dumps(character_tables())}, {json.dumps(TOKENIZER.settings())}"
        self.engine.eval(f"const characters = openCharacters({given}); null")

    def joined(self, texts: Sequence[str]) -> list[str]:
        """Return the tokens of each text, joined by spaces, which no token holds."""
        given = json.dumps(json.dumps(list(texts)))
        found = f"JSON.parse({given}).map((text) => tokenize(text, characters).values.join(' '))"
        return json.loads(self.engine.eval(f"JSON.stringify({found})"))

    def __call__(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        given = json.dumps(json.dumps(list(texts)))
        return json.loads(
            self.engine.eval(f"JSON.stringify(JSON.parse({given}).map((text) => tokenize(text, characters)))")
        )


@pytest.fixture(scope="module")
def in_v8() -> PageTokenizer:
    return PageTokenizer()


def in_python(texts: Sequence[str]) -> list[list[str]]:
    tokens = TOKENIZER.tokenize(pl.Series(list(texts), dtype=pl.String))
    values, ends = tokens.values.to_list(), tokens.lengths.cumsum().tolist()
    return [values[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def check(in_v8: PageTokenizer, texts: Sequence[str]) -> None:
    found = in_v8(texts)
    assert [one["values"] for one in found] == in_python(texts)
    for text, one in zip(texts, found, strict=True):
        assert list(zip(one["spans"][::2], one["spans"][1::2], strict=True)) == TOKENIZER.spans(text)


AROUND = ["a{}b", "Σ{}Σ", "a{}Σ", "A{}Σ{}A", "我{}我", "👍{}👍", "\u200d{}", "'{}'a", "<br{}>", "http://{}/", "🇩{}"]


@pytest.mark.slow
@pytest.mark.parametrize("around", ["{}", " \n".join(AROUND)])
def test_every_character_alone_and_between_others(in_v8: PageTokenizer, around: str) -> None:
    others = alike()[::100]
    if around == "{}":  # they can share a text
        others = [" ".join(alike()[start : start + 100]) for start in range(0, len(alike()), 100)]
    texts = [around.format(*[char] * around.count("{}")) for char in [*distinct(), *others]]
    assert in_v8.joined(texts) == [" ".join(tokens) for tokens in in_python(texts)]


@pytest.mark.slow
def test_odd_texts_and_all_pairs_of_them(in_v8: PageTokenizer) -> None:
    texts = ["", *ODD, *(a + b for a in ODD for b in ODD)]
    assert in_v8.joined(texts) == [" ".join(tokens) for tokens in in_python(texts)]
    # Python takes as long for the spans of one text as for those of a hundred in a row.
    check(in_v8, ODD)
    check(in_v8, [" \n".join(texts[start : start + 100]) for start in range(0, len(texts), 100)])


@settings(max_examples=100, deadline=None)
@given(st.lists(TEXTS, max_size=6))
def test_any_texts(in_v8: PageTokenizer, texts: list[str]) -> None:
    check(in_v8, texts)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(ODD), max_size=12).map("".join))
def test_odd_texts_in_a_row(in_v8: PageTokenizer, text: str) -> None:
    check(in_v8, [text])


def test_lone_surrogates_count_as_the_replacement_character(in_v8: PageTokenizer) -> None:
    (found,) = json.loads(in_v8.engine.eval(r"JSON.stringify([tokenize('a\ud800b \udc00', characters)])"))
    assert found["values"] == in_python(["a\ufffdb \ufffd"])[0]
    assert found["spans"] == [0, 1, 1, 2, 2, 3, 4, 5]


def test_a_text_of_a_megabyte(in_v8: PageTokenizer) -> None:
    check(in_v8, ["It's a ’joy’, İstanbul 👍🏽<br />我们 https://example.org/a " * 20_000])
