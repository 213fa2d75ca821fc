"""``[features]`` of a recipe, and the registry of what its kinds become.

A new kind is a table and an entry in `Features` and `FEATURIZERS` here, a featurizer in `tagline.features` and a
learner in `tagline.learners`.
"""

from typing import ClassVar, Literal, get_args

from pydantic import Field, model_validator

from tagline.features.base import Featurizer
from tagline.features.encoder import Encoder
from tagline.features.sequences import Side
from tagline.features.vectorizer import Vectorizer
from tagline.features.weighting import Scale, TermFrequency
from tagline.recipes.models import DenseModel, EmbeddingModel, NgramModel
from tagline.recipes.tables import Table

# Each table names in `models` the tables of the models that take its features.


class NgramFeatures(Table):
    """``[features]`` of kind ``ngrams``: counts of word and character n-grams.

    ``words``: the longest word n-grams, 0 for none. ``characters``: the shortest and longest character n-grams inside
    words, ``"none"``, or ``"auto"``: chosen on validation rows unless the data is large.
    ``min_df``: the minimum number of texts with an n-gram; ``"auto"``: 1 below 1,000 texts, else 2. ``tf``: how counts
    become term frequencies. ``scale``: ``"discriminative"``, ``"idf"`` or ``"none"``; ``floor``: the weight of plain
    TF-IDF in a discriminative scale, up to 1,000, so that scales stay within half precision. ``unit``: rows of unit
    length.
    """

    models: ClassVar = NgramModel

    kind: Literal["ngrams"] = "ngrams"
    words: int = Field(default=1, ge=0, le=5)
    characters: Literal["auto", "none"] | tuple[int, int] = "none"
    min_df: Literal["auto"] | int = "auto"
    tf: TermFrequency = "count"
    scale: Scale = "none"
    floor: float = Field(default=0.7, ge=0.0, le=1000.0, allow_inf_nan=False)
    unit: bool = False

    @model_validator(mode="after")
    def _check(self) -> "NgramFeatures":
        if self.words == 0 and self.characters == "none":
            raise ValueError("`features.words` is 0 and `features.characters` is `none`: there are no n-grams to count")
        if isinstance(self.characters, tuple) and not 1 <= self.characters[0] <= self.characters[1] <= 8:
            raise ValueError("`features.characters` takes two lengths from 1 to 8, the shorter first")
        if self.min_df != "auto" and not 1 <= self.min_df < 2**31:
            raise ValueError("`features.min_df` must be from 1 to 2,147,483,647")
        return self


class WordFeatures(Table):
    """Settings of features of word ids.

    ``num_words``: larger ids become 2, the unknown word. ``stop_words``: remove English stop words. ``word_index``:
    ``"data"``, the index of a built-in data set (as Keras has them), otherwise one fitted on the training texts; or
    ``"train"``, always fitted.
    """

    num_words: int = Field(default=10_000, ge=4)
    stop_words: bool = False
    word_index: Literal["data", "train"] = "data"


class MultihotFeatures(WordFeatures):
    """``[features]`` of kind ``multihot``: 1 for each word id that occurs in a text, otherwise 0."""

    models: ClassVar = DenseModel

    kind: Literal["multihot"]


class SequenceFeatures(WordFeatures):
    """``[features]`` of kind ``sequence``: the word ids of a text in order, ``maxlen`` of them.

    ``padding`` and ``truncating`` are the end at which short texts are padded and long ones truncated: ``"pre"``, the
    beginning, or ``"post"``, the end.
    """

    models: ClassVar = EmbeddingModel

    kind: Literal["sequence"]
    maxlen: int = Field(default=256, ge=1)
    padding: Side = "pre"
    truncating: Side = "pre"


Features = NgramFeatures | MultihotFeatures | SequenceFeatures

#: The class of fitted features, by the ``kind`` that recipes and bundles name.
FEATURIZERS: dict[str, type[Featurizer]] = {"ngrams": Vectorizer, "multihot": Encoder, "sequence": Encoder}


def kinds_for(model: Table) -> list[str]:
    """Return the kinds of features that a ``[model]`` takes."""
    tables = [table for table in get_args(Features) if isinstance(model, table.models)]
    return [kind for table in tables for kind in get_args(table.model_fields["kind"].annotation)]
