"""Keys of earlier versions: ``model.strength`` is now ``C`` of linear models and ``alpha`` of naive Bayes."""

from collections.abc import Mapping
from typing import Any

from tagline.models.fit import NGRAM_MODELS, TUNED

_SUFFIXES = {"strength": "", "strengths": "_grid"}


def current_key(key: str, kind: Any) -> str | None:
    """Return today's name of the key ``model.key`` for models of this kind; None if they never read it."""
    if key not in _SUFFIXES or kind not in NGRAM_MODELS:
        return key
    return f"{TUNED[kind]}{_SUFFIXES[key]}" if kind in TUNED else None


def renamed_message(key: str, kind: Any) -> str | None:
    """Return a sentence with the new name of ``model.key``, or None if it has not been renamed."""
    now = current_key(key, kind)
    if now == key:
        return None
    if now is None:
        return f"`model.{key}` is deprecated and `{kind}` does not use it: leave it out."
    return f"`model.{key}` is deprecated: it is called `model.{now}` for `{kind}`."


def rename_keys(tables: Mapping[str, Any], kind: Any = None) -> dict[str, Any]:
    """Return the tables of a recipe with today's keys in place of earlier ones; ``kind``, by default the model's."""
    model = tables.get("model")
    if not isinstance(model, Mapping):
        return dict(tables)
    keys = {key: current_key(key, kind or model.get("kind")) for key in model}
    return {**tables, "model": {keys[key]: value for key, value in model.items() if keys[key] is not None}}
