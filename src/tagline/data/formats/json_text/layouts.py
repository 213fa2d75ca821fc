"""Layouts of JSON documents that services and data sets have: rows inside envelopes, and texts by class."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeGuard

from tagline.data.columns import TEXT_NAMES
from tagline.data.labels.class_labels import named_values
from tagline.data.splits import SPLIT_NAMES

_MIN_CHARS = 8
_MIN_TEXTS = 5
_LAST_WORDS = {"text", "label", "class", "category"}  # of the names of columns


def split_of(key: str) -> str | None:
    """Return the split that a key names, alone or at its end.

    >>> split_of("Train"), split_of("oos_test"), split_of("items")
    ('Train', 'test', None)
    """
    last = key.replace("-", "_").split("_")[-1]
    return key if key.casefold() in SPLIT_NAMES else last if last.casefold() in SPLIT_NAMES else None


def without_envelope(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the document that is inside a hit of Elasticsearch; other rows as they are."""
    inner = row.get("_source")
    return inner if isinstance(inner, dict) and {"_id", "_index"} & set(row) else row


def served_rows(document: Mapping[str, Any], file: str) -> list[Mapping[str, Any]] | None:
    """Return the rows of an answer of Hugging Face's datasets-viewer, or the hits of one of Elasticsearch.

    Raises:
        DataError: a class number has no name; ``file`` is for the message.

    """
    hits = document.get("hits")
    found = hits.get("hits") if isinstance(hits, dict) else None
    if is_list_of_objects(found):
        return list(map(without_envelope, found))
    rows, features = document.get("rows"), document.get("features")
    if not is_list_of_objects(rows) or not all(isinstance(row.get("row"), dict) for row in rows):
        return None
    by_name = (
        {str(feature.get("name")): feature.get("type") for feature in features} if is_list_of_objects(features) else {}
    )
    served: list[Mapping[str, Any]] = [row["row"] for row in rows]
    for column, feature in by_name.items():
        if column in served[0]:
            labels = named_values([row.get(column) for row in served], feature, column, file)
            served = [{**row, column: label} for row, label in zip(served, labels, strict=True)]
    return served


def texts_by_class(document: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return rows of ``{class: [text, …]}``; equally long lists are columns if a name or repeated values show it."""
    lists = list(document.values())
    if len(lists) < 2 or not all(_is_list_of_strings(texts) for texts in lists):
        return None
    if len({len(texts) for texts in lists}) == 1 and (any(map(_names_a_column, document)) or any(map(_repeats, lists))):
        return None
    if not all(_are_texts(texts) for texts in lists if texts) or not any(lists):
        return None
    return [{"text": text, "label": name} for name, texts in document.items() for text in texts]


def labels_by_text(document: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return rows of ``{text: label}``, where a few labels recur."""
    labels = list(document.values())
    if len(labels) < _MIN_TEXTS or not _are_texts(document):
        return None
    if all(_is_list_of_strings(names) for names in labels):
        distinct = {name for names in labels for name in names}
    elif all(isinstance(name, str | int | bool) for name in labels):
        distinct = set(labels)
    else:
        return None
    if 2 * len(distinct) > len(labels):
        return None
    return [{"text": text, "label": label} for text, label in document.items()]


def patterns_of_intents(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]] | None:
    """Return rows of the objects that chatbots learn from, ``{"tag": class, "patterns": [text, …]}``."""
    if not all(isinstance(row.get("tag"), str) and _is_list_of_strings(row.get("patterns")) for row in rows):
        return None
    return [{"text": text, "label": row["tag"]} for row in rows for text in row["patterns"]]


def is_list_of_objects(value: Any) -> TypeGuard[list[dict[str, Any]]]:
    """Say whether a value is a table as JSON usually writes it."""
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _names_a_column(key: str) -> bool:
    words = key.casefold().replace("_", " ").split()
    return key.casefold() in TEXT_NAMES or not _LAST_WORDS.isdisjoint(words[-1:])


def _repeats(values: Sequence[str]) -> bool:
    return len(set(values)) < len(values)


def _is_list_of_strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _are_texts(strings: Iterable[str]) -> bool:
    """Say whether most strings are several words, or in a script without spaces, and long enough on average."""
    found = list(strings)
    n_texts = sum(" " in text.strip() or not text.isascii() for text in found)
    return 2 * n_texts >= len(found) and sum(map(len, found)) >= _MIN_CHARS * len(found)
