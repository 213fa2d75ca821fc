"""Text to tokens: one rule for every language, the same alone and in a batch."""

import doctest
import itertools
import json
import unicodedata
from collections.abc import Iterator

import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tagline.compiled import COMPILED
from tagline.errors import InputError
from tagline.features import tokenizer as module
from tagline.features.tokenizer import _NOT_NFC, KERAS, KERAS_SEPARATORS, Tokenizer
from tests.lazy_keras import keras

TOKENIZER = Tokenizer()
ODD = [
    "<br />",
    "<BR>",
    "<br\x1c>",
    "don't",
    "’",
    "İ",
    "ΑΣ",
    "ẞ",
    " ",
    "\n",
    "\x85",
    "\u200d",
    "\ufe0f",
    "👍🏽",
    "🇩🇪",
    "🇩",
]
ODD += ["🇩🇪", "🇩", "https://a.b/c", "http://", "ที่", "我", "ー", "❤️\u200d🔥", "x", "\x00", "\ua7cb", "हिन्दी"]
# Surrogates are no text; everything else, and what the pattern looks for, often.
TEXTS = st.lists(
    st.one_of(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
        st.sampled_from(ODD),
    ),
    max_size=8,
).map("".join)


@pytest.fixture(
    scope="module", params=[True, False] if COMPILED else [False], ids=lambda on: "compiled" if on else "polars"
)
def _both_paths(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "COMPILED", request.param)
        yield


pytestmark = pytest.mark.usefixtures("_both_paths")


def tokens(text: str) -> list[str]:
    return TOKENIZER.tokenize(pl.Series([text], dtype=pl.String)).values.to_list()


def test_docstring() -> None:
    result = doctest.testmod(module)
    assert result.attempted >= 2
    assert result.failed == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \t\r\n\u3000\u2028", []),
        ("The quick, brown fox.", ["the", "quick", ",", "brown", "fox", "."]),
        ("snake_case 3.14 x2", ["snake_case", "3", ".", "14", "x2"]),
        (
            "Don't don’t rock 'n' roll l’été a''b",
            ["don't", "don't", "rock", "'", "n", "'", "roll", "l'été", "a", "'", "'", "b"],
        ),
        ("我喜欢你。", ["我", "喜", "欢", "你", "。"]),
        ("ペンとラーメン", ["ペ", "ン", "と", "ラ", "ー", "メ", "ン"]),
        ("iPhoneを買う", ["iphone", "を", "買", "う"]),
        ("ภาษาที่", ["ภ", "า", "ษ", "า", "ที่"]),
        ("हिन्दी में लिखा।", ["हिन्दी", "में", "लिखा", "।"]),
        ("مرحبا، بالعالم", ["مرحبا", "،", "بالعالم"]),
        ("می‌خواهم", ["می‌خواهم"]),
        ("Это Ёлка", ["это", "ёлка"]),
        ("한국어 문장", ["한국어", "문장"]),
        ("👩‍👩‍👧👍🏽❤️‍🔥☕", ["👩‍👩‍👧", "👍🏽", "❤️‍🔥", "☕"]),
        ("🇩🇪🇫🇷 🏴󠁧󠁢󠁥󠁮󠁧󠁿", ["🇩🇪", "🇫🇷", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"]),
        ("1️⃣", ["1️⃣"]),
        ("See https://Example.org/a/b?c=1", ["see", "https://example.org", "/", "a", "/", "b", "?", "c", "=", "1"]),
        ("good<br /><br>bad<BR/>x<br", ["good", "bad", "x", "<", "br"]),
        ("İstanbul", ["i̇stanbul"]),
        ("Straße STRASSE ẞ", ["straße", "strasse", "ß"]),
        ("ΟΔΟΣ ΣΑΣ.", ["οδος", "σας", "."]),
        ("\ufeffa\u200bb c", ["ab", "c"]),
        ("ex\u00adample", ["example"]),
        ("a\x00b\x1fc", ["a", "\x00", "b", "\x1f", "c"]),
    ],
)
def test_tokens_and_their_spans(text: str, expected: list[str]) -> None:
    assert tokens(text) == expected
    shown = [text[start:end] for start, end in TOKENIZER.spans(text)]
    # Final sigma is final in its word only; the rest is lower-casing.
    plain = [s.lower().replace("’", "'").replace("ς", "σ").translate(dict.fromkeys([0xAD, 0x200B])) for s in shown]
    assert plain == [e.replace("ς", "σ") for e in expected]


@given(st.lists(TEXTS, max_size=6))
def test_a_text_gives_the_same_tokens_alone_and_in_a_batch(texts: list[str]) -> None:
    batch = TOKENIZER.tokenize(pl.Series(texts, dtype=pl.String))
    alone = [tokens(text) for text in texts]
    assert batch.values.to_list() == [token for one in alone for token in one]
    assert batch.lengths.tolist() == [len(one) for one in alone]
    assert all(token and not token.isspace() for token in batch.values if token not in "\x1c\x1d\x1e\x1f")


@given(TEXTS)
def test_spans_tile_the_text_in_order(text: str) -> None:
    assume(unicodedata.is_normalized("NFC", text))  # what it replaces may become tokens that share a span
    spans = TOKENIZER.spans(text)
    assert len(spans) == len(tokens(text))
    cursor = 0
    for (start, end), token in zip(spans, tokens(text), strict=True):
        assert cursor <= start < end <= len(text)
        # polars knows a newer Unicode than Python: let it lower-case both sides.
        piece = pl.Series([text[start:end]]).str.to_lowercase()[0].replace("’", "'")
        piece = piece.translate(dict.fromkeys([0xAD, 0x200B, 0xFEFF]))  # dropped inside words
        assert piece.replace("ς", "σ") == token.replace("ς", "σ")
        cursor = end


def test_a_character_that_nfc_replaces_has_its_span() -> None:
    assert tokens("a \uf900 b") == ["a", "\u8c48", "b"]
    assert TOKENIZER.spans("a \uf900 b") == [(0, 1), (2, 3), (4, 5)]


def test_a_letter_only_polars_can_lower_case_moves_no_span() -> None:
    text = "\ua7cb good, \ua7cb bad good"
    assert [text[start:end] for start, end in TOKENIZER.spans(text)] == ["\ua7cb", "good", ",", "\ua7cb", "bad", "good"]


def test_no_texts() -> None:
    none = TOKENIZER.tokenize(pl.Series([], dtype=pl.String))
    assert len(none.values) == len(none.lengths) == 0


def words(text: str) -> list[str]:
    return KERAS.tokenize(pl.Series([text], dtype=pl.String)).values.to_list()


# All that Keras cuts at, what it does not, and letters; scripts written without spaces are another test.
KERAS_TEXTS = st.text(
    st.one_of(
        st.sampled_from(KERAS_SEPARATORS + "\r\x0b\x0c\x1c\x85\xa0\u2028\u200b'’–İßΣσ😀"),
        st.characters(max_codepoint=0x24F),
    ),
    max_size=40,
)


@given(KERAS_TEXTS)
def test_words_are_kerass(text: str) -> None:
    assert words(text) == keras.src.legacy.preprocessing.text.text_to_word_sequence(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" ,.\t\n!", []),
        ("Don't 'quote' it", ["don't", "'quote'", "it"]),
        ("good<br /><br />bad 10/10 snake_case", ["good", "br", "br", "bad", "10", "10", "snake", "case"]),
        ("a\x85b\xa0c\rd", ["a\x85b\xa0c\rd"]),
        ("我喜欢iPhone。ที่", ["我", "喜", "欢", "iphone。", "ที่"]),
        ("ラーメン", ["ラ", "ー", "メ", "ン"]),
        ("İstanbul ΟΔΟΣ", ["i̇stanbul", "οδος"]),
    ],
)
def test_words_and_their_spans(text: str, expected: list[str]) -> None:
    assert words(text) == expected
    assert [text[start:end].lower() for start, end in KERAS.spans(text)] == expected


@given(st.lists(TEXTS, max_size=6))
def test_a_text_gives_the_same_words_alone_and_in_a_batch(texts: list[str]) -> None:
    batch = KERAS.tokenize(pl.Series(texts, dtype=pl.String))
    alone = [words(text) for text in texts]
    assert batch.values.to_list() == [word for one in alone for word in one]
    assert batch.lengths.tolist() == [len(one) for one in alone]
    assert not any(char in word for word in batch.values for char in KERAS_SEPARATORS)


@given(TEXTS)
def test_spans_of_words_tile_the_text_in_order(text: str) -> None:
    assume(unicodedata.is_normalized("NFC", text))  # what it replaces is another word
    spans = KERAS.spans(text)
    cursor = 0
    for (start, end), word in zip(spans, words(text), strict=True):
        assert cursor <= start < end <= len(text)
        piece = pl.Series([text[start:end]]).str.to_lowercase()[0]
        assert piece.replace("ς", "σ") == word.replace("ς", "σ")
        cursor = end


@pytest.mark.parametrize("tokenizer", [TOKENIZER, KERAS])
def test_a_tokenizer_is_restored_from_its_settings(tokenizer: Tokenizer) -> None:
    assert Tokenizer.restore(json.loads(json.dumps(tokenizer.settings()))) == tokenizer


def test_settings_of_a_newer_version_are_rejected() -> None:
    with pytest.raises(InputError, match=r"Unknown tokenizer setting `stemmer`: upgrade"):
        Tokenizer.restore({"rule": "unicode", "stemmer": "porter"})
    with pytest.raises(InputError, match=r"Unknown Unicode version `99.0`: upgrade"):
        Tokenizer.restore({"rule": "unicode", "unicode": "99.0"})
    with pytest.raises(InputError, match=r"Unknown tokenizer rule `bpe`: use one of `unicode`, `keras`"):
        Tokenizer("bpe")


def test_texts_are_normalized() -> None:
    composed, decomposed = "Café für naïve Ελλάδα 한국어", unicodedata.normalize("NFD", "Café für naïve Ελλάδα 한국어")
    assert composed != decomposed
    for rule in ("unicode", "keras"):
        tokenizer = Tokenizer(rule)
        expected = tokenizer.tokenize(pl.Series([composed])).values.to_list()
        assert tokenizer.tokenize(pl.Series([decomposed])).values.to_list() == expected
        spans = [decomposed[start:end] for start, end in tokenizer.spans(decomposed)]
        assert [unicodedata.normalize("NFC", span).lower() for span in spans] == expected


def test_tokenizers_saved_before_do_not_normalize() -> None:
    text = unicodedata.normalize("NFD", "Café")
    old = Tokenizer.restore({"rule": "unicode"})
    assert old.tokenize(pl.Series([text])).values.to_list() == [text.lower()]
    assert old.spans(text) == [(0, 5)]


def test_every_character_that_normalization_changes_is_recognised() -> None:
    characters = pl.Series([chr(p) for p in range(0x110000) if not 0xD800 <= p < 0xE000])
    alone = characters.filter(characters != characters.str.normalize("NFC"))
    parts = characters.str.normalize("NFD")
    seconds = parts.filter((parts != characters) & (parts.str.normalize("NFC") == characters)).str.tail(1).unique()
    assert "\u0301" in seconds
    assert "\u11a8" in seconds  # of Hangul
    for char in (*alone, *seconds):
        assert pl.Series([char]).str.contains(_NOT_NFC)[0], hex(ord(char))


@given(st.text(st.sampled_from("aeü\u0301\u0308\u0327\u0323ᄒ\u1161\u11abİ한 Σ'’<br/>क\u093c"), max_size=12))
def test_spans_of_any_text_are_their_tokens(text: str) -> None:
    spans = TOKENIZER.spans(text)
    tokens = TOKENIZER.tokenize(pl.Series([text], dtype=pl.String)).values.to_list()
    assert len(spans) == len(tokens)
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))
