"""Keras, imported at its first use: the import takes seconds, and most processes that collect tests use none of it."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras
else:

    class _Keras:
        def __getattr__(self, name: str) -> Any:
            if name.startswith("_"):  # pytest looks for its marks on everything that a module of tests holds
                raise AttributeError(name)
            return getattr(importlib.import_module("keras"), name)

    keras = _Keras()
