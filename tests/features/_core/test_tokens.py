"""Compiled tokens are those of polars, whatever the text."""

import itertools
from collections.abc import Iterable

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagline.features.token_ids import split
from tagline.features.tokenizer import RULES, split_in_polars
from tests.characters import POINTS, alike, distinct

MARKS = [chr(p) for p in (0x300, 0x301, 0x327, 0x345, 0x5B0, 0x94D, 0xE48, 0xF71, 0x1161, 0x11A8, 0x3099, 0xFE0F)]
#: What the rules look for beside a character; spaces separate the places, as nothing looks across them.
PLACES = (
    "{}", "a{}b", "A{}Σ", "AΣ{}", "AΣ{}b", "a'{}", "{}'a", "我{}", "{}\u0301", "\u0301{}", "a\u0323{}", "👍{}b",
    "👍\u200d{}", "{}\u200d👍", "🇩{}", "{}🇩🇪", "https://a{}b", "https:{}//a", "<br{}/>", "<b{}r>", "{}<BR", "{}{}",
    "ᄒ{}ᆫ", "한{}",
)  # fmt: skip
SHORT = [
    *"aAbrΣσςİıßſKÅéÉ'’<>/\".,:_- \t\n\r\x00\x1c\x85\xa0\u00ad\u200b\ufeff\u200c\u200d\ufe0f\u2028\u3000",
    *"我々の。ภี่ქ🇩🇪👍🏽❤",
    *MARKS,
    *map(chr, (0x1100, 0xAC00, 0xAC01, 0x11C3, 0xA8E0, 0x344, 0x374, 0x37E, 0x958, 0x9C7, 0x9BE, 0xF73, 0xF900)),
    *map(chr, (0xFB1D, 0x10FFFF, 0xFFFE, 0xE0067, 0x1D15E, 0x1D165, 0x1F170, 0x24C2, 0x1F3FB, 0x10D50, 0xA7CB)),
    *map(chr, (0xA7D2, 0x2C65, 0x16D63, 0x16D67)),
    "<br />", "<BR\u3000>", "https://", "http://a", "don't",
]  # fmt: skip
TEXTS = st.lists(st.one_of(st.sampled_from(SHORT), st.characters(exclude_categories=["Cs"])), max_size=24).map("".join)
SETTINGS = list(itertools.product(RULES, (True, False)))


def check(texts: pl.Series, rule: str, *, nfc: bool) -> None:
    expected = split_in_polars(texts, rule, nfc=nfc)
    values, lengths = split(texts, rule, nfc=nfc)
    wrong = (lengths != expected.lengths).nonzero()[0]
    assert not len(wrong), [texts[int(i)] for i in wrong[:3]]
    different = (values != expected.values).arg_true().head(5)
    assert not len(different), [*zip(values.gather(different), expected.values.gather(different), strict=True)]


@pytest.mark.parametrize(("rule", "nfc"), SETTINGS)
def test_characters_everywhere(rule: str, nfc: bool) -> None:
    points = [*range(0x600), *range(0x1E00, 0x3400), *POINTS[::61]]
    check(_in_all_places(map(chr, points)), rule, nfc=nfc)


@pytest.mark.slow
@pytest.mark.parametrize(("rule", "nfc"), SETTINGS)
def test_every_character_everywhere(rule: str, nfc: bool) -> None:
    """Of those that are alike every 31st."""
    check(_in_all_places([*distinct(), *alike()[::31]]), rule, nfc=nfc)


def _in_all_places(chars: Iterable[str]) -> pl.Series:
    places = " ".join(PLACES)
    return pl.Series([places.replace("{}", char) for char in chars], dtype=pl.String)


@pytest.mark.parametrize(("rule", "nfc"), SETTINGS)
@given(texts=st.lists(TEXTS, max_size=8))
def test_any_texts(rule: str, nfc: bool, texts: list[str]) -> None:
    check(pl.Series(texts, dtype=pl.String), rule, nfc=nfc)


@given(st.text(st.sampled_from([*MARKS, "a", "A", "ᄒ", "Σ", "\u0344", "\u1e9b", "\u0f73"]), max_size=60))
def test_any_order_of_marks(text: str) -> None:
    check(pl.Series([text]), "keras", nfc=True)


def test_every_pair_that_composes() -> None:
    chars = pl.Series([chr(p) for p in POINTS])
    apart = chars.str.normalize("NFD")
    both = pl.concat([apart, apart + "\u0300", "\u0327" + apart, apart.str.slice(0, 1) + "\u0334" + apart.str.slice(1)])
    changed = pl.Series([*both.filter(pl.concat([apart != chars] * 4))])
    check(changed, "keras", nfc=True)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("n", [65_530, 65_536, 65_541, 200_000])
def test_long_texts_are_cut_where_no_rule_looks_across(rule: str, n: int) -> None:
    ends = [
        "",
        " a",
        "<br    />",
        "<br\u3000 \n>",
        "AΣ b",
        "e \u0301",
        "https://a.b/c d",
        "a' b",
        "👍 \u200d👍",
        "ᄒ \u1161",
    ]
    texts = ["x" * (n - 7) + end + " c " + "y'" * 9 for end in ends]
    texts += [("good film, " * n)[:n] + end + " Film" * 20_000 for end in ends]
    unspaced = [
        "我们 々の",
        "ภี่ก",
        "が\uf900か\u3099",
        "我\u0301",
        "😀㊗",
        "x/我",
        "https://我",
        "/\u00ad/我",
        "Σ々々a",
        "我'ſ",
    ]
    texts += [("我们" * n)[: n // 3 - 20] + middle + "我" * 30_000 for middle in unspaced]
    texts += [start + "我们" * n + middle + "我" * 30_000 for start in ("https://", "a/") for middle in unspaced[:2]]
    texts += ["我" * n, "\u0301" * n, "\u0301\u0323" * n, "Σ" * n, "AΣ" + "'" * n + "a", "<br" + " " * n + ">"]
    check(pl.Series(texts), rule, nfc=True)
