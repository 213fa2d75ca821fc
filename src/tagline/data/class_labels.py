"""Class names of Hugging Face `datasets`, whose columns hold the numbers of classes."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any


def class_names(feature: Any) -> list[str] | None:
    """Return the names of a ``ClassLabel`` that is written as JSON, or of a sequence of them."""
    if isinstance(feature, list):
        feature = feature[0] if feature else None
    if not isinstance(feature, dict):
        return None
    names = feature.get("names")
    if feature.get("_type") == "ClassLabel" and isinstance(names, list) and all(isinstance(n, str) for n in names):
        return names
    return class_names(feature.get("feature"))


def named(value: Any, names: Sequence[str]) -> Any:
    """Return the name of a class number, or those of a list; a number without one, as -1, "no label", has none."""
    if isinstance(value, list | tuple):
        return [name for number in value if (name := named(number, names)) is not None]
    number = int(value) if isinstance(value, Integral) else -1
    return names[number] if 0 <= number < len(names) else None
