"""Values of cells that are lists or objects."""

import pytest

from tagline.data.labels.structures import NotLabelsError, indicator, labels_in, parsed, positions_set


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("['a' 'b']", ["a", "b"]),
        ("['a'\n 'b']", ["a", "b"]),
        ("[0 1 0]", ["0", "1", "0"]),
        ("[0. 1.]", ["0", "1"]),
        ("{'b', 'a'}", ["a", "b"]),
        ("('a',)", ["a"]),
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


def test_labels_of_objects() -> None:
    assert labels_in({"cats": {"a": 1, "b": 0}}) == ["a"]
    assert labels_in([{"label": "a", "value": 1.0}, {"label": "b", "value": 0.0}]) == ["a"]
    assert labels_in({"label": "a", "score": 0.9}) == ["a"]
    assert labels_in({"label": 1, "other": 0}) == ["label"]
    assert labels_in({"a": None, "b": None}) == []
    assert labels_in({"name": "a", "id": 3, "color": "red"}) == ["a"]
    assert labels_in({"name": "a", "id": 1, "user_id": 0, "confidence": 0.9}) == ["a"]
    assert labels_in([{"displayName": "a"}, {"name": "b", "id": 1}]) == ["a", "b"]
    with pytest.raises(NotLabelsError):
        labels_in({"name": "a", "start": 0, "end": 3})
    for value in ({"name": "Bob", "spam": 1, "ham": 0}, {"name": "Bob", "spam": "0.9", "ham": "0.1"}, {}):
        with pytest.raises(NotLabelsError, match="must have 0, 1 or a probability for each label"):
            labels_in(value)


def test_positions_need_lists_of_one_length() -> None:
    assert positions_set([["1", "0"], None, [], ["0.2", "0.8"]]) == [["0"], None, [], ["1"]]
    assert positions_set([["1"], ["0"]]) is None
    assert positions_set([["a", "b"]]) is None
    assert positions_set([None]) is None
