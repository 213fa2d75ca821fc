"""Class names of Hugging Face `datasets`, whose columns hold the numbers of classes."""

from collections.abc import Iterable, Sequence
from numbers import Real
from typing import Any

from tagline.data.wording import place_text
from tagline.errors import DataError


def class_names(feature: Any) -> list[str] | None:
    """Return the names of a ``ClassLabel`` that is written as JSON, or of a sequence of them."""
    if isinstance(feature, list):
        feature = feature[0] if feature else None
    if not isinstance(feature, dict):
        return None
    if feature.get("_type") == "ClassLabel":
        names = _in_order(feature.get("names"))
        if isinstance(names, list) and all(isinstance(n, str) for n in names):
            return names
    return class_names(feature.get("feature"))


def _in_order(names: Any) -> Any:
    """Return names by number, ``{"0": "a", "1": "b"}``, as a list; others unchanged."""
    if not isinstance(names, dict) or set(names) != {str(i) for i in range(len(names))}:
        return names
    return [names[str(i)] for i in range(len(names))]


def named_values(values: Sequence[Any], feature: Any, column: str, file: str | None = None) -> Sequence[Any]:
    """Return the names of class numbers in a column, also inside objects; other values unchanged.

    ``feature`` describes the column: as JSON, or as an object of `datasets`.

    Raises:
        DataError: as `named_column` does.

    """
    inner = feature[0] if isinstance(feature, list) and feature else getattr(feature, "feature", feature)
    names = getattr(inner, "names", None)
    if names is None:
        names = class_names(feature)
    if names:
        return named_column(values, names, column, file)
    for key, inner in feature.items() if isinstance(feature, dict) else ():
        given = [value.get(key) if isinstance(value, dict) else None for value in values]
        found = named_values(given, inner, f"{column}.{key}", file)
        if found is not given:
            values = [
                {**value, key: name} if isinstance(value, dict) else value
                for value, name in zip(values, found, strict=True)
            ]
    return values


def named_column(values: Iterable[Any], names: Sequence[str], column: str, file: str | None = None) -> list[Any]:
    """Return the names of class numbers, or of each list of them; -1, "no label", has none.

    Raises:
        DataError: a value is not a number, or no class has that number; ``file`` is for the message.

    """
    found = []
    for line, value in enumerate(values, 1):
        try:
            found.append(_named(value, names))
        except _NoClassError as error:
            raise DataError(
                f"Column `{column}` holds `{error}` in {place_text(file, line)}, but its classes have the numbers 0 to "
                f"{len(names) - 1:,}: correct it, or write -1 for a row without a label."
            ) from None
    return found


class _NoClassError(Exception):
    """A value is no class number."""


def _named(value: Any, names: Sequence[str]) -> Any:
    if isinstance(value, list | tuple):
        return [name for number in value if (name := _named(number, names)) is not None]
    if value is None or value != value:  # NaN
        return None
    number = int(float(value)) if isinstance(value, Real) and float(value).is_integer() else len(names)
    if number >= len(names):
        raise _NoClassError(value)
    return names[number] if number >= 0 else None
