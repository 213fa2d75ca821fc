"""``[features]`` of a recipe."""

from typing import Literal

from pydantic import Field, model_validator

from tagline.features.sequences import Side
from tagline.features.vectorizer import Scale
from tagline.features.weighting import TermFrequency
from tagline.recipes.tables import Table


class NgramFeatures(Table):
    """``[features]`` of kind ``ngrams``: how often each word and character n-gram stands in a text.

    ``words``: word n-grams up to this length, 0 for none. ``characters``: the shortest and longest character
    n-grams inside words, ``"none"``, or ``"auto"``: tried, and kept if they help, on all but large data.
    ``min_df``: texts an n-gram must stand in; ``"auto"``: 1 below 1,000 texts, else 2. ``scale``:
    ``"discriminative"``, ``"idf"`` or ``"none"``; ``floor``: what of plain TF-IDF a discriminative scale keeps.
    ``unit``: rows of length 1.
    """

    kind: Literal["ngrams"] = "ngrams"
    words: int = Field(default=1, ge=0, le=5)
    characters: Literal["auto", "none"] | tuple[int, int] = "none"
    min_df: Literal["auto"] | int = "auto"
    tf: TermFrequency = "count"
    scale: Scale = "none"
    floor: float = Field(default=0.7, ge=0.0, allow_inf_nan=False)
    unit: bool = False

    @model_validator(mode="after")
    def _check(self) -> "NgramFeatures":
        if self.words == 0 and self.characters == "none":
            raise ValueError("`features.words` is 0 and `features.characters` is `none`: nothing is left to count")
        if isinstance(self.characters, tuple) and not 1 <= self.characters[0] <= self.characters[1] <= 8:
            raise ValueError("`features.characters` takes two lengths from 1 to 8, the shorter first")
        if self.min_df != "auto" and self.min_df < 1:
            raise ValueError("`features.min_df` must be 1 or more")
        return self


class _WordFeatures(Table):
    """What word ids have in common.

    ``num_words``: ids from this on become 2, the unknown word. ``stop_words``: leave out the commonest English ones.
    ``word_index``: ``"data"``, the one that a built-in data set brings (as Keras's do), else learnt from the training
    texts; or ``"train"``, learnt in any case.
    """

    num_words: int = Field(default=10_000, ge=4)
    stop_words: bool = False
    word_index: Literal["data", "train"] = "data"


class MultihotFeatures(_WordFeatures):
    """``[features]`` of kind ``multihot``: which words stand in a text, 0 or 1 for each id."""

    kind: Literal["multihot"]


class SequenceFeatures(_WordFeatures):
    """``[features]`` of kind ``sequence``: the ids of a text's words in order, ``maxlen`` of them.

    ``padding`` and ``truncating`` say at which end a short text is filled up and a long one cut: ``"pre"``, the
    beginning, or ``"post"``, the end.
    """

    kind: Literal["sequence"]
    maxlen: int = Field(default=256, ge=1)
    padding: Side = "pre"
    truncating: Side = "pre"
