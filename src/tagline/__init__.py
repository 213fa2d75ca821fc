"""Labelled text in, a trustworthy text classifier out.

>>> from tagline import TextClassifier
>>> clf = TextClassifier().fit(["good film", "a joy", "bad film", "a bore"], ["pos", "pos", "neg", "neg"])
>>> clf.predict(["good"]).tolist()
['pos']

Names are imported when they are first used, so that ``import tagline`` takes no time.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tagline.deprecated import install

if TYPE_CHECKING:
    from tagline.classifier import TextClassifier
    from tagline.data import Dataset, Split, load_dataset
    from tagline.errors import (
        BundleError,
        DataError,
        DownloadError,
        InputError,
        MissingExtraError,
        RecipeError,
        TaglineError,
    )
    from tagline.explain import Explanation, explain_text
    from tagline.metrics import measure
    from tagline.recipes import Recipe, load_recipe

_HOMES = {
    "tagline.classifier": ("TextClassifier",),
    "tagline.data": ("Dataset", "Split", "load_dataset"),
    "tagline.errors": (
        "BundleError",
        "DataError",
        "DownloadError",
        "InputError",
        "MissingExtraError",
        "RecipeError",
        "TaglineError",
    ),
    "tagline.metrics": ("measure",),
    "tagline.explain": ("Explanation", "explain_text"),
    "tagline.recipes": ("Recipe", "load_recipe"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "BundleError",
    "DataError",
    "Dataset",
    "DownloadError",
    "Explanation",
    "InputError",
    "MissingExtraError",
    "Recipe",
    "RecipeError",
    "Split",
    "TaglineError",
    "TextClassifier",
    "explain_text",
    "load_dataset",
    "load_recipe",
    "measure",
]


install()


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module `tagline` has no attribute `{name}`")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return __all__
