"""`Model`: what classifiers, bundles, explanations and exports need to know about every model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, Self, TypeAlias

from numpy.typing import NDArray

from tagline.task import Floats, Ints

if TYPE_CHECKING:
    from tagline.models.onnx.builder import Builder, Logits


@dataclass(frozen=True)
class HyperParameters:
    """Hyper-parameters of models of n-grams; each kind reads its own.

    ``C`` is the inverse regularisation of linear models, ``alpha`` the smoothing of naive Bayes; ``max_depth`` (None:
    unlimited) and ``n_trees`` are for trees.
    """

    C: float = 1.0
    alpha: float = 1.0
    max_depth: int | None = None
    n_trees: int = 100


#: What the contributions of a model add up to.
Score: TypeAlias = Literal["logit", "path-score", "probability"]


@dataclass(frozen=True)
class Contributions:
    """Contributions of the features of one text to a score, an output of a model.

    ``columns`` are columns of the text's features, (n,), for a network of padded ids positions in the row;
    ``values`` what each adds, (n,). ``intercept`` plus all values is ``score``, exactly for models of n-grams and
    within the error of the integral for networks.
    """

    intercept: float
    score: float
    columns: Ints
    values: Floats


class Model(Protocol):
    """A fitted model: features to logits, and the way into bundles, explanations and ONNX graphs.

    Attributes:
        kind: the name of the class of models in a bundle's header, and its key in `MODELS`.
        score: what ``contributions`` add up to.
        graph_file: the file in which a bundle also stores the ONNX graph of the model; None if it stores none.
        graph_doc: a sentence that describes the ONNX graph.

    """

    kind: ClassVar[str]
    score: ClassVar[Score] = "logit"
    graph_file: ClassVar[str | None] = None
    graph_doc: ClassVar[str] = ""

    def logits(self, X: Any) -> Floats:
        """Return the logits, (n_texts, n_outputs): one output for two classes, else one for each class."""
        ...

    def probabilities(self, X: Any) -> Floats | None:
        """Return calibrated probabilities, (n_texts, n_classes), or None if they follow from the logits."""
        return None

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return the arrays of a bundle, by name."""
        ...

    def settings(self) -> dict[str, Any]:
        """Return what a bundle's header stores under the key ``kind``, as JSON; empty if there is nothing."""
        return {}

    @classmethod
    def restore(
        cls, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], binaries: Mapping[str, bytes]
    ) -> Self:
        """Return the model with these settings and arrays; ``binaries`` are files of the bundle, by name."""
        ...

    def check(self, n_features: int, n_outputs: int) -> None:
        """Check that the parts fit together, for so many features and outputs.

        Raises:
            ValueError: they do not, so that predictions would fail or be wrong.

        """
        ...

    def contributions(self, X: Any, output: int, factor: float) -> Contributions:
        """Return what each feature adds to ``factor`` times an output, the logit or the probability.

        Args:
            X: the features of one text, with one row.
            output: the number of the output.
            factor: of a logit: -1 for the first of two classes, times the slope of the calibration. Of a
                probability, only the sign counts.

        """
        ...

    def to_graph(self, graph: "Builder", features: Any) -> "Logits":
        """Add the nodes from the inputs of an ONNX graph to the logits, before calibration.

        Args:
            graph: the graph that is built.
            features: how counts of n-grams are weighted (`Weighting`); networks ignore it.

        """
        ...
