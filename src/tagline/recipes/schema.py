"""The tables of a recipe, checked: what each may say and what it means."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_serializer, field_validator, model_validator

from tagline.models.fit import NGRAM_MODELS, TUNED

if TYPE_CHECKING:
    NgramKind = str
else:
    NgramKind = Literal[NGRAM_MODELS]
Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0.0, lt=1.0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Grid = Annotated[tuple[Positive, ...], Field(min_length=1)]
LossName = Literal["binary_crossentropy", "categorical_crossentropy", "mean_squared_error", "mean_absolute_error"]
# A function of Python, and the name by which a saved model remembers it: it can be read back, not trained with.
Function = Callable[..., Any] | Annotated[str, Field(pattern=r"^python:")]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _no_truth_for_a_number(cls, table: Any) -> Any:
        """Refuse true and false where they would pass for 1 and 0."""
        for key, field in cls.model_fields.items():
            if isinstance(table, dict) and isinstance(table.get(key), bool) and field.annotation is not bool:
                raise ValueError(f"`{key}` takes neither `true` nor `false`")
        return table


class About(_Table):
    """``[recipe]``: what it is, where it comes from and what to expect of it; ``note``: a sentence for its report."""

    name: str
    summary: str
    source: str = ""
    expects: str = ""
    note: str = ""


class NgramFeatures(_Table):
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
    tf: Literal["binary", "log", "count"] = "count"
    scale: Literal["discriminative", "idf", "none"] = "none"
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


class _WordFeatures(_Table):
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
    padding: Literal["pre", "post"] = "pre"
    truncating: Literal["pre", "post"] = "pre"


class NgramModel(_Table):
    """``[model]`` of n-grams.

    ``C``: inverse regularisation of linear models; a larger one fits the training rows closer. ``alpha``: additive
    smoothing of naive Bayes. ``"auto"`` chooses among ``C_grid`` or ``alpha_grid`` on validation rows. ``max_depth``
    (by default unlimited) and ``n_trees`` are for trees.
    """

    kind: NgramKind
    C: Literal["auto"] | Positive = 1.0
    C_grid: Grid = (0.3, 1.0, 3.0)
    alpha: Literal["auto"] | Positive = 1.0
    alpha_grid: Grid = (0.3, 1.0, 3.0)
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
        return self


class _NetworkTable(_Table):
    """What networks have in common: dense layers at the end.

    ``layers`` dense layers of ``units`` each, with ``activation``; ``dropout`` before the output; ``l2`` times the sum
    of the squares of their kernels is added to the loss.
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
    """What networks have in common that begin with a vector for each word.

    ``embedding``: numbers a vector has. ``masked``: padding does not count. ``vectors``: where the vectors start from:
    ``"none"``, at random; the name of built-in ones, such as ``"glove-6b-50d"``; or a file. ``embedding`` is then
    ``"vectors"``, as many numbers as they have, unless it is given. ``frozen``: they stay as they were handed over;
    else they learn on with the network.
    """

    embedding: Count | Literal["vectors"]
    masked: bool = False
    vectors: str = Field(default="none", min_length=1)
    frozen: bool = False

    @model_validator(mode="before")
    @classmethod
    def _as_many_as_they_have(cls, table: Any) -> Any:
        if isinstance(table, dict) and table.get("vectors", "none") != "none":
            return {"embedding": "vectors", **table}
        return table

    @model_validator(mode="after")
    def _check(self) -> "_EmbeddingTable":
        if self.vectors == "none" and self.embedding == "vectors":
            raise ValueError('`model.embedding` is `"vectors"`, but `model.vectors` names none')
        return self


class AverageModel(_EmbeddingTable):
    """``[model]`` of kind ``embedding-average``: the mean of the vectors of a text's words, then dense layers."""

    kind: Literal["embedding-average"]
    embedding: Count | Literal["vectors"] = 16


class RecurrentModel(_EmbeddingTable):
    """``[model]`` of kind ``lstm`` or ``gru``: words one after the other, then dense layers.

    ``embedding_dropout`` on the vectors; ``memory`` units that remember, with
    ``input_dropout`` and ``recurrent_dropout``; ``bidirectional``: from both ends; ``pooling``: go on from the
    ``"last"`` state, or from the greatest value of each unit over all steps, ``"max"``.
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
    """``[model]`` of kind ``cnn``: the strongest answer of each filter over all windows of ``width`` words."""

    kind: Literal["cnn"]
    embedding: Count | Literal["vectors"] = 128
    embedding_dropout: Share = 0.0
    filters: Count = 128
    width: int = Field(default=3, ge=1, le=16)


EmbeddingModel = AverageModel | RecurrentModel | ConvolutionalModel
NetworkModel = DenseModel | AverageModel | RecurrentModel | ConvolutionalModel
NETWORKS = (DenseModel, AverageModel, RecurrentModel, ConvolutionalModel)


class Training(_Table):
    """``[training]``: how a network learns.

    ``optimizer``: ``"adam"``, ``"rmsprop"`` or ``"sgd"``, as Keras defines them; from Python also a function from
    parameters to a ``torch.optim.Optimizer``. ``learning_rate`` / (1 + ``decay`` · step), times the ``schedule``.
    ``loss``: ``"crossentropy"``, of two classes or labels the binary one, else the categorical one, or one by name;
    from Python also a function of logits and targets. ``metrics``: names or functions, beside the loss. Keras's
    short names, such as ``"bce"``, will do.
    ``early_stopping``: stop after so many epochs without a lower validation loss and keep the best; 0: never.
    """

    optimizer: Literal["adam", "rmsprop", "sgd"] | Function = "adam"
    learning_rate: Positive = 1e-3
    decay: NotNegative = 0.0
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    beta_1: Share = 0.9
    beta_2: Share = 0.999
    epsilon: Positive = 1e-7
    amsgrad: bool = False
    rho: Share = 0.9
    momentum: Share = 0.0
    loss: Literal["crossentropy", LossName] | Function = "crossentropy"
    metrics: tuple[Literal["accuracy", LossName] | Function, ...] = ("accuracy",)
    batch_size: Count = 512
    epochs: Count = 10
    early_stopping: int = Field(default=0, ge=0)

    @field_validator("loss", mode="before")
    @classmethod
    def _other_names(cls, loss: Any) -> Any:
        return _in_full(loss)

    @field_validator("metrics", mode="before")
    @classmethod
    def _one_or_several(cls, metrics: Any) -> Any:
        if isinstance(metrics, str) or callable(metrics):
            return (_in_full(metrics),)
        return tuple(_in_full(metric) for metric in metrics) if isinstance(metrics, list | tuple) else metrics

    @field_serializer("optimizer", "loss", "metrics", when_used="json")
    def _name_functions(self, value: Any) -> Any:
        if isinstance(value, tuple):
            return [self._name_functions(each) for each in value]
        if not callable(value):
            return value
        named = value if hasattr(value, "__qualname__") else type(value)  # a partial has the name of its kind
        return f"python:{named.__module__}.{named.__qualname__}"


# Keras's other names: labels may be integers or one-hot rows in any case.
_OTHER_NAMES = {
    "acc": "accuracy",
    "bce": "binary_crossentropy",
    "mae": "mean_absolute_error",
    "mse": "mean_squared_error",
    "sparse_categorical_crossentropy": "categorical_crossentropy",
}


def _in_full(name: Any) -> Any:
    return _OTHER_NAMES.get(name.lower(), name) if isinstance(name, str) else name


class Protocol(_Table):
    """``[protocol]``: which rows decide what.

    ``validation``: the share of the rows, in twentieths, set aside to choose settings and calibrate; a number of first
    rows (networks); ``"auto"``: all rows in turn (cross-validation) while they are few, else a tenth; or ``"none"``.
    ``refit``: learn again from all rows afterwards; a network from scratch, for as many epochs as gave the lowest
    validation loss (``"best-epoch"``, which ``"all"`` means too) or for the number given, at most
    ``training.epochs``.
    ``calibration``: make probabilities honest by a temperature.
    """

    validation: Literal["auto", "none"] | int | float = "auto"
    refit: Literal["no", "all", "best-epoch"] | Count = "all"
    calibration: Literal["none", "temperature"] = "temperature"

    @field_validator("refit", mode="before")
    @classmethod
    def _words_or_epochs(cls, refit: Any) -> Any:
        if refit not in ("no", "all", "best-epoch") and not (isinstance(refit, int) and refit >= 1):
            raise ValueError("it is `no`, `all`, `best-epoch` or, for a network, a number of epochs from 1")
        return refit

    @model_validator(mode="after")
    def _check(self) -> "Protocol":
        first = isinstance(self.validation, int) and self.validation > 0
        if not isinstance(self.validation, str) and not (first or 0 < self.validation < 1):
            raise ValueError("`protocol.validation` must be a share between 0 and 1 or a number of first rows")
        return self


class Recipe(_Table):
    """A whole training programme, named."""

    recipe: About
    features: Annotated[NgramFeatures | MultihotFeatures | SequenceFeatures, Field(discriminator="kind")]
    model: Annotated[NgramModel | NetworkModel, Field(discriminator="kind")]
    training: Training | None = None
    protocol: Protocol = Protocol()

    def to_json(self) -> dict[str, Any]:
        """Return the tables as they may leave this machine: a file of word vectors goes without its folder."""
        tables = self.model_dump(mode="json")
        if "vectors" in tables["model"]:
            tables["model"]["vectors"] = Path(tables["model"]["vectors"]).name
        return tables

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, tables: Any) -> Any:
        """Give a network its ``[training]``, and n-grams their kind, where the file says nothing."""
        if not isinstance(tables, dict):
            return tables
        tables = dict(tables)
        if isinstance(features := tables.get("features"), dict):
            tables["features"] = {"kind": "ngrams", **features}
        if isinstance(model := tables.get("model"), dict) and model.get("kind") in _NETWORK_KINDS:
            tables["training"] = tables.get("training") or {}
        return tables

    @model_validator(mode="after")
    def _check(self) -> "Recipe":
        network = isinstance(self.model, NETWORKS)
        wanted = "multihot" if isinstance(self.model, DenseModel) else "sequence" if network else "ngrams"
        if self.features.kind != wanted:
            raise ValueError(f'a model of kind `{self.model.kind}` takes `features.kind = "{wanted}"`')
        if not network and self.training is not None:
            raise ValueError(f"a model of kind `{self.model.kind}` has no epochs, so there is no table `[training]`")
        if not network and (isinstance(self.protocol.validation, int) or self.protocol.refit not in ("no", "all")):
            raise ValueError("first rows and epochs in `[protocol]` are for networks")
        refits = self.protocol.validation != "none" and self.protocol.refit in ("all", "best-epoch")
        if self.training is not None and self.training.schedule != "constant" and refits:
            raise ValueError(
                f"with `training.schedule` at `{self.training.schedule}`, a training of fewer epochs is another than "
                "that in which the best epoch was found: give `protocol.refit` a number of epochs, or `no`"
            )
        width = getattr(self.model, "width", 1)
        if width > getattr(self.features, "maxlen", width):
            raise ValueError("`model.width` must not be more than `features.maxlen`")
        return self


_NETWORK_KINDS = tuple(kind for model in NETWORKS for kind in get_args(model.model_fields["kind"].annotation))
