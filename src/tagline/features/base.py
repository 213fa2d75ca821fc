"""`Featurizer`: what every kind of feature extraction implements; classifier and explanations call nothing else.

`tagline.recipes.features.FEATURIZERS` holds the classes by the ``kind`` that recipes and bundles name.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, Self, TypeAlias

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.features.located import Located
from tagline.features.sequences import Ids, Sequences

Matrix: TypeAlias = sp.csr_matrix | Ids


class Featurizer(Protocol):
    """Fitted feature extraction: texts to the rows that a model takes."""

    @property
    def kind(self) -> str:
        """Its key in ``FEATURIZERS``."""

    @property
    def unit_name(self) -> str:
        """Name of its features in the plural: ``"n-grams"`` or ``"word ids"``."""

    @property
    def n_columns(self) -> int:
        """Number of features: n-grams, or word ids including the reserved ones."""

    @property
    def reads_texts(self) -> bool:
        """Whether it can transform texts; one fitted on word ids without a word index cannot."""

    def transform(self, texts: pl.Series) -> Matrix:
        """Return the features of a String series without nulls.

        CSR (n_texts, n_columns), or int32 word ids (n_texts, maxlen). Raises `InputError` unless ``reads_texts``.
        """

    def transform_ids(self, sequences: Iterable[Sequence[int]] | Sequences) -> Matrix:
        """Return the features of sequences of word ids; raises `InputError` if it takes texts only."""

    def locate(self, text: str) -> Located:
        """Return where the features of one text occur in it."""

    def names(self, features: NDArray[np.integer]) -> list[str]:
        """Return the name of each feature, (n,): an n-gram or a word."""

    def vocabulary(self) -> list[str]:
        """Return the words it knows, frequent ones first; without words, the characters. Empty if it has neither."""

    def settings(self) -> dict[str, Any]:
        """Return what a bundle's header stores, JSON values with ``kind`` among them."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that a bundle stores, by name."""

    def texts(self) -> dict[str, str]:
        """Return the text files that a bundle stores, by name."""

    def graph_inputs(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return settings and arrays that restore a featurizer without the steps that an ONNX graph does itself."""

    def check(self) -> None:
        """Check that the parts of a restored featurizer fit together.

        Raises:
            ValueError: they do not, so that texts could not be transformed, or would be wrongly.

        """

    @classmethod
    def restore(cls, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], texts: Mapping[str, str]) -> Self:
        """Return the featurizer that ``settings``, ``arrays`` and ``texts`` came from.

        Raises `KeyError` or `InputError` if they are incomplete or invalid.
        """
