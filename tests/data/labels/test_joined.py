"""Which cells hold several names."""

import pytest

from tagline.data.labels.joined import find_separator, split_names


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
        [f"a; {'long ' * 20}", "a", "long"],
    ],
)
def test_separators_within_names_join_nothing(cells: list[str]) -> None:
    assert find_separator(cells) is None


def test_names_are_split_without_spaces_and_empty_ones() -> None:
    assert split_names(" a |b||c| ", "|") == ["a", "b", "c"]
