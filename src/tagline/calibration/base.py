"""Interface of calibration methods."""

from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

from tagline.task import Bools, Floats, Task

if TYPE_CHECKING:
    from tagline.models.onnx.builder import Builder, Logits


class Calibrator(Protocol):
    """A map from the logits of a model to calibrated logits, fitted on held-out rows.

    Logits are (n_texts, n_outputs): `Task.n_outputs` says how many outputs there are, and `Task.probabilities` turns
    calibrated logits into calibrated probabilities.
    """

    kind: ClassVar[str]  # its key in `CALIBRATORS`, and `protocol.calibration` in a recipe
    fitted: ClassVar[str]  # what it fits, after "the calibration": `temperature`
    tasks: ClassVar[frozenset[Task]]  # that it is for

    @classmethod
    def fit(
        cls,
        logits: Floats,
        Y: Bools,
        task: Task,
        weights: Floats | None = None,
        absent: Bools | None = None,
        near: Self | None = None,
    ) -> Self:
        """Fit on held-out rows: logits, (n_texts, n_outputs); the class matrix, (n_texts, n_classes); row weights.

        ``absent``, (n_texts, n_classes), are the classes that the model of each row was trained without, whose logits
        are to be ignored; None if there are none. ``near`` was fitted on nearly the same rows: to start from it saves
        steps.
        """

    def apply(self, logits: Floats) -> Floats:
        """Return calibrated logits, (n_texts, n_outputs)."""

    def line(self, n_outputs: int) -> tuple[Floats, Floats]:
        """Return slope and intercept, (n_outputs,) each, of the scores ``slope z + intercept`` that are explained.

        Probabilities rise with them. They are the calibrated logits themselves where these are linear in ``z``.
        """

    def chosen(self) -> dict[str, Any]:
        """Return its entries in ``TextClassifier.chosen_``."""

    def to_json(self) -> dict[str, Any]:
        """Return what a bundle and a page store: a table of which ``kind`` is its kind."""

    @classmethod
    def from_json(cls, table: dict[str, Any]) -> Self:
        """Return the calibrator that `to_json` came from.

        Raises:
            ValueError: the table is not of this kind, or one of its values is invalid.

        """

    def to_graph(self, graph: "Builder", logits: "Logits") -> str:
        """Add `apply` to an ONNX graph, and return the name of the calibrated logits."""
