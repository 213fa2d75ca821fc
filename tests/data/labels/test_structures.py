"""Values of cells that are lists or objects."""

import pytest

from tagline.data.labels.printed import parsed
from tagline.data.labels.structures import NotLabelsError, applying, indicator, labels_in, numbers_by_position


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("['a' 'b']", ["a", "b"]),
        ("['a'\n 'b']", ["a", "b"]),
        ("[0 1 0]", ["0", "1", "0"]),
        ("[0. 1.]", ["0", "1"]),
        ("{'b', 'a'}", ["a", "b"]),
        ("('a',)", ["a"]),
        ("(1, 0, 1)", [1, 0, 1]),
        ("['a', nan]", ["a", None]),
        ('["nan", NaN]', ["nan", None]),
        ("['a' nan]", ["a"]),
        ("[9.5e-01 0.]", ["9.5e-01", "0"]),
        ('"[\\"a\\"]"', ["a"]),
        ("[&quot;a&quot;]", ["a"]),
        ("set()", []),
        ("{}", []),
        ("[nan", None),
        ("[a]", None),
        ("(a)", None),
        ("['a' 'b'", None),
        ("[" * 5000 + "]" * 5000, None),
        ("[" + "1, " * 10_000 + "1]", None),
        ("__import__('os')", None),
    ],
)
def test_lists_and_objects_are_parsed_without_being_run(text: str, value: object) -> None:
    assert parsed(text) == value


def test_many_numbers_and_a_word_are_no_array() -> None:
    assert parsed(f"[{60 * '2024 '}x]") is None
    assert parsed(f"[{60 * '2024. '}]") == 60 * ["2024"]


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (True, 1),
        (0, 0),
        (0.3, 0.3),
        ("Yes", 1),
        (" x ", 1),
        ("no", 0),
        ("0.7", 0.7),
        ("", None),
        (2, None),
        ("b", None),
    ],
)
def test_indicators(value: object, number: float | None) -> None:
    assert indicator(value) == number


def names(value: object) -> list[str] | None:
    return applying([labels_in(value)], several=True).labels[0]


def test_labels_of_objects() -> None:
    assert names({"cats": {"a": 1, "b": 0}}) == ["a"]
    assert names([{"label": "a", "value": 1.0}, {"label": "b", "value": 0.0}]) == ["a"]
    assert names({"label": "a", "score": 0.9}) == ["a"]
    assert names({"label": "no", "score": 0.9}) == ["no"]
    assert names({"label": 1, "other": 0}) == ["label"]
    assert names({"a": None, "b": None}) == []
    assert names({"name": "a", "id": 3, "color": "red"}) == ["a"]
    assert names({"name": "a", "id": 1, "user_id": 0, "confidence": 0.9}) == ["a"]
    assert names([{"displayName": "a"}, {"name": "b", "id": 1}]) == ["a", "b"]
    assert names({"labels": ["a", "b"], "scores": [0.2, 0.8]}) == ["b"]
    for key, yes, no in (("confidence", 0.9, 0.1), ("selected", True, False), ("value", "true", "false")):
        assert names([{"label": "a", key: no}, {"label": "b", key: yes}]) == ["b"]
    assert names([{"label": "a", "confidence": 93}]) == names([{"label": "a", "confidence": 0.4}]) == ["a"]
    for value in ([{"label": "a", "score": 93}], {"labels": ["a", "b"], "scores": [0.2]}):
        with pytest.raises(NotLabelsError):
            labels_in(value)
    with pytest.raises(NotLabelsError):
        labels_in({"name": "a", "start": 0, "end": 3})
    for value in ({"name": "Bob", "spam": 1, "ham": 0}, {"name": "Bob", "spam": "0.9", "ham": "0.1"}, {}):
        with pytest.raises(NotLabelsError, match="must have 0, 1 or a probability for each label"):
            labels_in(value)


def test_positions_need_lists_of_one_length() -> None:
    numbers = numbers_by_position([["1", "0"], None, [], ["0.2", "0.8"]])
    assert numbers is not None
    assert applying(numbers, several=False).labels == [["0"], None, [], ["1"]]
    assert numbers_by_position([["yes", "no"], ["No", "no"]]) == [{"0": 1, "1": 0}, {"0": 0, "1": 0}]
    for rows in ([["1"], ["0"]], [["a", "b"]], [["x", "y"]], [["1", "-1"], ["2", "0"]], [None]):
        assert numbers_by_position(rows) is None
    for row in (["1", "0", "0", "-1"], ["1", "0", "0", None]):
        with pytest.raises(NotLabelsError, match="missing or -1, not known"):
            numbers_by_position([row])


def test_the_most_probable_class_is_the_label_where_probabilities_add_up_to_one() -> None:
    rows = [{"a": 0.48, "b": 0.26, "c": 0.26}, {"a": 0.1, "b": 0.89, "c": 0.0}, None]
    assert applying(rows, several=False).labels == [["a"], ["b"], None]
    assert applying(rows, several=True).labels == [[], ["b"], None]
    assert applying([*rows, {"a": 0.5, "b": 0.7, "c": 0.1}], several=False).labels == [[], ["b"], None, ["a", "b"]]


def test_no_probability_that_ties_is_cut() -> None:
    rows = [{"toxic": 1.0, "insult": 0.0}, {"toxic": 0.5, "insult": 0.5}]
    assert applying(rows, several=False).labels == [["toxic"], ["toxic", "insult"]]
