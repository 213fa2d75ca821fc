"""Which cells hold several names."""

import pytest

from tagline.data.labels.joined import find_possible_separator, find_separator, split_names
from tagline.data.options import ReadOptions


@pytest.mark.parametrize(
    ("cells", "separator"),
    [
        (["a", "b", "a|b"], "|"),
        (["a; b", "b; c", "a", "c"], ";"),
        (["a;", "b;", "a;b;"], ";"),
        (["|a|", "|a|b|", "|b|"], "|"),
        (["billing#urgent", "billing", "technical#urgent"], "#"),
        (["Action, Comedy", "Action", "Comedy", "Drama", "Comedy, Drama"], ","),
        (["a|b", "b|c", "a|c|b"], "|"),
        (["a", "b", "a||b"], "||"),
        (["a", "b", "a\nb"], "\n"),
        (["a", "b", "a\tb"], "\t"),
        (["a；b", "b", "a"], "；"),
        (["動作、喜劇", "動作", "喜劇"], "、"),
        (["a，b", "a", "b"], "，"),
        (["aa/bb", "bb / cc", "aa", "bb", "cc"], "/"),
        (["aa+bb", "bb+cc", "aa", "bb", "cc"], "+"),
        (["aa & bb", "bb & cc", "aa", "bb", "cc"], "&"),
        (["a/b", "b/c", "a/c", "a", "b"], "/"),
        (["a,", "b,", "a,b,"], ","),
        (["a", "b", "a<br>b"], "<br>"),
        (["a", "b", "a&amp;b"], "&amp;"),
        (["a", "b", "a<SEP>b"], "<SEP>"),
        (["a", "b", "a;;b"], ";;"),
        (["a", "b", "a¦b"], "¦"),
        (["aa", "bb", "cc", "aa~bb", "bb~cc"], "~"),
        (["1,5", "2,7", "3,5", "1", "2", "3", "5", "7"], ","),
        # Names that never stand alone, but are few and of different numbers.
        ([f"{a}, {b}{more}" for a in "ABC" for b in "CDE" for more in ("", ", F", ", G", ", H") if a != b], ","),
    ],
)
def test_names_that_recur_are_joined(cells: list[str], separator: str) -> None:
    assert find_separator(cells) == separator


@pytest.mark.parametrize(
    "cells",
    [
        ["a", "b"],
        ["C#", "F#", "C++", "J#"],
        ["Smith, John", "Smith, Ann", "Lee, Bo", "Lee, Jo"],
        ["Gaming, Betting & Lottery", "Sports", "Politics"],
        ["Arts, Culture and Entertainment", "Crime, Law and Justice", "Conflict, War and Peace"],
        ["Portland, Oregon", "Salem, Oregon", "Portland, Maine", "Salem, Maine"],
        ["Yes, definitely", "Yes", "No", "No, never"],
        ["Sports|Football", "Sports|Tennis", "Politics|EU", "Politics|US"],
        ["Hardware|Question", "Hardware|Bug", "Software|Question", "Software|Bug"],
        ["a;", "b;"],
        ["1", "1,5", "2", "2,5", "3"],
        ["I/O", "R+D", "Food & Drink", "CPU"],
        ["positive", "negative", "positive/negative"],
        ["Sports", "Sports/Football", "Sports/Tennis", "Politics/EU", "Politics"],
        ["very good", "good", "very bad", "bad"],
        ["R&D", "D&I", "R", "D", "I"],
        ["a~b", "a", "b"],
        ["x^2", "x", "2"],
        ["2*3", "2", "3"],
        [f"a; {'long ' * 20}", "a", "long"],
    ],
)
def test_separators_within_names_join_nothing(cells: list[str]) -> None:
    assert find_separator(cells) is None


@pytest.mark.parametrize(
    ("cells", "separator"),
    [
        (["positive", "negative", "positive/negative"], "/"),
        (["a/b", "b/c", "a/c/b"], "/"),
        (["a:b", "b:c", "a:c", "a", "b", "c"], ":"),
        (["a and b", "b and c", "a and c", "a", "b", "c"], " and "),
        (["a or b", "b or c", "a or c", "a", "b", "c"], " or "),
        (["a->b", "b->c", "a->c", "a", "b", "c"], "->"),
        (["a b", "b c", "a c", "a", "b", "c"], " "),
        (["R&D", "D&I", "R", "D", "I"], "&"),
        (["Europe·Asia", "Europe", "Asia"], "·"),
        (["x^2", "x", "2"], None),
        (["very good", "good", "very bad", "bad"], None),
        (["I/O", "R+D", "Food & Drink", "CPU"], None),
        (["I/O", "C++", "R&D", "N/A", "TCP/IP", "and/or", "Health & Beauty", "Gaming, Betting & Lottery"], None),
        (["I/O", "I", "O", "C++", "C", "R&D", "R", "D"], None),
        (["TCP/IP", "TCP", "and/or", "or", "Health & Beauty", "Health", "Beauty & Spa"], None),
    ],
)
def test_separators_that_may_join_are_asked_about(cells: list[str], separator: str | None) -> None:
    assert find_separator(cells) is None
    assert find_possible_separator(cells) == separator


def test_names_are_split_without_spaces_and_empty_ones() -> None:
    assert split_names(" a |b||c| ", "|") == ["a", "b", "c"]


@pytest.mark.parametrize(("written", "separator"), [(r"\n", "\n"), (r"\t", "\t"), ("|", "|"), ("", ""), (None, None)])
def test_a_separator_may_be_written_as_an_escape(written: str | None, separator: str | None) -> None:
    assert ReadOptions(label_separator=written).labels.separator == separator
