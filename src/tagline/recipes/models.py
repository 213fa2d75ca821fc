"""``[model]`` of a recipe: one table for all models of n-grams, one for each family of networks."""

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from tagline.models.fit import NGRAM_MODELS, TUNED
from tagline.recipes.tables import Count, Grid, NotNegative, Positive, Share, Table

if TYPE_CHECKING:
    NgramKind = str
else:
    NgramKind = Literal[NGRAM_MODELS]


class NgramModel(Table):
    """``[model]`` of n-grams.

    ``C``: inverse regularisation of linear models; a larger one fits the training rows closer. ``alpha``: additive
    smoothing of naive Bayes. ``"auto"`` chooses among ``C_grid`` or ``alpha_grid`` on validation rows. ``blend``: the
    weight of complement naive Bayes that is added to a linear SVM; ``"auto"`` chooses one on validation rows, 0 for
    label sets. ``max_depth`` (by default unlimited) and ``n_trees`` are for trees.
    """

    kind: NgramKind
    C: Literal["auto"] | Positive = 1.0
    C_grid: Grid = (0.3, 1.0, 3.0)
    alpha: Literal["auto"] | Positive = 1.0
    alpha_grid: Grid = (0.3, 1.0, 3.0)
    blend: Literal["auto"] | NotNegative = 0.0
    max_depth: int | None = Field(default=None, ge=1)
    n_trees: int = Field(default=100, ge=1)

    @property
    def tuned(self) -> Literal["C", "alpha"] | None:
        """Return the hyper-parameter that may be chosen on validation rows; trees have none."""
        return TUNED.get(self.kind)

    @property
    def candidates(self) -> tuple[float, ...]:
        """Return the values of ``tuned`` to choose from: one unless it is ``"auto"``, none for trees."""
        if self.tuned is None:
            return ()
        value = getattr(self, self.tuned)
        return getattr(self, f"{self.tuned}_grid") if value == "auto" else (value,)

    @model_validator(mode="after")
    def _check(self) -> "NgramModel":
        """Refuse a value that would have no effect; ``"auto"`` may stay when a recipe's kind is changed."""
        for name in ("C", "alpha"):
            if name != self.tuned and getattr(self, name) not in ("auto", type(self).model_fields[name].default):
                instead = f": it reads `model.{self.tuned}`" if self.tuned else ""
                raise ValueError(f"a model of kind `{self.kind}` does not read `model.{name}`{instead}")
        if self.kind != "linear-svm" and self.blend not in ("auto", 0.0):
            raise ValueError(f"a model of kind `{self.kind}` does not read `model.blend`: only `linear-svm` does")
        return self


class _NetworkTable(Table):
    """Settings of all networks, which end with dense layers.

    ``layers`` dense layers of ``units`` each, with ``activation``; ``dropout`` before the output; ``l2`` times the sum
    of the squared kernels of the dense layers is added to the loss.
    """

    layers: int = Field(default=1, ge=0, le=8)
    units: Count = 16
    activation: Literal["relu", "tanh"] = "relu"
    dropout: Share = 0.0
    l2: NotNegative = 0.0


class DenseModel(_NetworkTable):
    """``[model]`` of kind ``dense``: dense layers on multi-hot rows."""

    kind: Literal["dense"]


class _EmbeddingTable(_NetworkTable):
    """Settings of networks that begin with an embedding.

    ``embedding``: the size of a word vector. ``masked``: padding is masked. ``vectors``: the initial vectors:
    ``"none"`` for random ones; the name of built-in ones, such as ``"glove-6b-50d"``; or a file. ``embedding`` is then
    ``"vectors"``, their size, unless it is given. ``frozen``: the vectors are not trained.
    """

    embedding: Count | Literal["vectors"]
    masked: bool = False
    vectors: str = Field(default="none", min_length=1)
    frozen: bool = False

    @model_validator(mode="before")
    @classmethod
    def _default_to_size_of_vectors(cls, table: Any) -> Any:
        if isinstance(table, dict) and table.get("vectors", "none") != "none":
            return {"embedding": "vectors", **table}
        return table

    @model_validator(mode="after")
    def _check(self) -> "_EmbeddingTable":
        if self.vectors == "none" and self.embedding == "vectors":
            raise ValueError('`model.embedding` is `"vectors"`, but there are no `model.vectors`')
        return self


class AverageModel(_EmbeddingTable):
    """``[model]`` of kind ``embedding-average``: the mean word vector of a text, then dense layers."""

    kind: Literal["embedding-average"]
    embedding: Count | Literal["vectors"] = 16


class RecurrentModel(_EmbeddingTable):
    """``[model]`` of kind ``lstm`` or ``gru``: a recurrent layer, then dense layers.

    ``embedding_dropout`` on the word vectors; ``memory`` recurrent units, with ``input_dropout`` and
    ``recurrent_dropout``; ``bidirectional``: one layer in each direction; ``pooling``: the ``"last"`` state, or the
    maximum of each unit over all steps, ``"max"``.
    """

    kind: Literal["lstm", "gru"]
    embedding: Count | Literal["vectors"] = 128
    embedding_dropout: Share = 0.0
    memory: Count = 64
    input_dropout: Share = 0.0
    recurrent_dropout: Share = 0.0
    bidirectional: bool = False
    pooling: Literal["last", "max"] = "last"


class ConvolutionalModel(_EmbeddingTable):
    """``[model]`` of kind ``cnn``: a convolution over windows of ``width`` words, then global max pooling."""

    kind: Literal["cnn"]
    embedding: Count | Literal["vectors"] = 128
    embedding_dropout: Share = 0.0
    filters: Count = 128
    width: int = Field(default=3, ge=1, le=16)


EmbeddingModel = AverageModel | RecurrentModel | ConvolutionalModel
NetworkModel = DenseModel | AverageModel | RecurrentModel | ConvolutionalModel
NETWORKS = (DenseModel, AverageModel, RecurrentModel, ConvolutionalModel)
