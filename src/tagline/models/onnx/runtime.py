"""`OnnxModel`: a graph that ONNX Runtime runs instead of the original model."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from threading import Timer
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.errors import InputError, MissingExtraError
from tagline.models.base import Model
from tagline.models.onnx.check import check_graph
from tagline.parallel import in_threads

if TYPE_CHECKING:
    from tagline.models.onnx.builder import Builder

EXPORTED_GRAPH = "model.onnx"  # the file of an export that holds the graph

_ROWS = 256  # texts of a batch, fewer if they are long:
_STEPS = 65_536  # ids of all texts of a batch
_ENTRIES = 16_384  # entries of sparse rows of a batch
_ERRORS_ONLY, _FATAL_ONLY = 3, 4
_MOST_BYTES = 4 << 30
_SECONDS = 5.0
_EMPTY_TEXT = {
    "ids": np.zeros((1, 512), np.int64),  # convolutions need as many steps as their windows have
    "rows": np.empty(0, np.int64),
    "columns": np.empty(0, np.int64),
    "counts": np.empty(0, np.float32),
    "n_texts": np.array(1, np.int64),
}

NOT_EXPLAINED = "A model that runs in ONNX Runtime cannot be explained: explain the original model."


@dataclass(frozen=True)
class OnnxModel(Model):
    """The bytes of a graph that ``tagline.models.onnx`` built from another model.

    The graph includes the calibration. For n-grams it takes counts, CSR, (n_texts, n_columns).
    """

    kind: ClassVar[str] = "onnx"

    graph: bytes

    def logits(self, X: sp.csr_matrix | NDArray[np.integer]) -> NDArray[np.float64]:
        """Return calibrated logits, (n_texts, n_outputs)."""
        return self._run("logits", X)

    def probabilities(self, X: sp.csr_matrix | NDArray[np.integer]) -> NDArray[np.float64]:
        """Return the probability of each class, (n_texts, n_classes), as the graph computes it."""
        return self._run("probabilities", X)

    def arrays(self) -> NoReturn:
        """Raise `InputError`: the arrays of a bundle are those of the original model."""
        raise InputError("A model that runs in ONNX Runtime cannot be saved: copy the folder it was loaded from.")

    def contributions(self, X: Any, output: int, factor: float) -> NoReturn:
        """Raise `InputError`: a graph has no attributions."""
        raise InputError(NOT_EXPLAINED)

    def to_graph(self, graph: "Builder", features: Any) -> NoReturn:
        """Raise `InputError`: it is a graph already."""
        raise InputError("The model is an ONNX graph already: export the original model.")

    @classmethod
    def restore(
        cls, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], binaries: Mapping[str, bytes]
    ) -> "OnnxModel":
        """Return the model of an export's graph."""
        graph = binaries[EXPORTED_GRAPH]
        check_graph(graph)
        return cls(graph)

    def check(self, n_features: int, n_outputs: int) -> None:
        """Check the outputs of the graph."""
        widths = {found.name: found.shape[-1] for found in self._session.get_outputs()}
        if widths.get("logits") != n_outputs or "probabilities" not in widths:
            raise ValueError(f"the graph does not give `logits` of {n_outputs:,} outputs, and `probabilities`")
        self._check_time()

    def _check_time(self) -> None:
        """Raise `ValueError` if a text of padding alone takes more than `_SECONDS`."""
        import onnxruntime

        options = onnxruntime.RunOptions()
        options.log_severity_level = _FATAL_ONLY  # the error is raised
        stop = Timer(_SECONDS, setattr, (options, "terminate", True))
        stop.daemon = True
        stop.start()
        given = {each.name: _EMPTY_TEXT.get(each.name) for each in self._session.get_inputs()}
        try:
            self._session.run(["logits"], given, options)
        except Exception as error:  # its exceptions have no other common base class
            raise ValueError(f"the graph fails: {str(error).splitlines()[0]:.400}") from error
        finally:
            stop.cancel()

    def _run(self, output: str, X: Any) -> NDArray[np.float64]:
        width = next(found.shape[1] for found in self._session.get_outputs() if found.name == output)
        names = [found.name for found in self._session.get_inputs()]

        def batch(rows: slice) -> NDArray[np.float64]:
            inputs = _inputs(X[rows], names)
            return np.asarray(self._session.run([output], inputs)[0], dtype=np.float64)

        parts = in_threads(batch, _batches(X))
        return np.vstack([np.empty((0, width)), *parts])

    @cached_property
    def _session(self) -> Any:
        # Its official builds send events with an identifier of the machine to the publisher, from the import on.
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
        try:
            import onnxruntime
        except ImportError:
            raise MissingExtraError("Running an ONNX graph", "onnx") from None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # batches run in parallel: `in_threads`
        options.log_severity_level = _ERRORS_ONLY
        options.add_session_config_entry("session.use_env_allocators", "1")
        _bound_memory()
        try:
            # Constants are folded by running operators here, where nothing limits the time: `_check_time` does.
            return onnxruntime.InferenceSession(
                self.graph, options, providers=["CPUExecutionProvider"], disabled_optimizers=["ConstantFolding"]
            )
        except Exception as error:  # its exceptions have no other common base class
            raise InputError(f"ONNX Runtime cannot read the graph: {error}.") from error

    def __getstate__(self) -> dict[str, Any]:
        """Return the state for pickle: the graph without the session, which cannot be pickled."""
        return {"graph": self.graph}


@cache
def _bound_memory() -> None:
    """Bound what all graphs of this process may take, so that one cannot take all memory of the machine."""
    import onnxruntime

    memory = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    onnxruntime.create_and_register_allocator(memory, onnxruntime.OrtArenaCfg({"max_mem": _MOST_BYTES}))


def _inputs(X: Any, names: list[str]) -> dict[str, NDArray[Any]]:
    """Return the inputs of a graph for some rows."""
    if not sp.issparse(X):
        return {"ids": X.astype(np.int64)}
    rows = np.repeat(np.arange(X.shape[0], dtype=np.int64), np.diff(X.indptr))
    given = {
        "rows": rows,
        "columns": X.indices.astype(np.int64),
        "counts": X.data.astype(np.float32),
        "n_texts": np.array(X.shape[0], dtype=np.int64),
    }
    return {name: given[name] for name in names}


def _batches(X: Any) -> list[slice]:
    """Return the rows of each batch."""
    if not sp.issparse(X):
        size = min(_ROWS, max(1, _STEPS // max(1, X.shape[1])))
        return [slice(start, start + size) for start in range(0, X.shape[0], size)]
    batches, start = [], 0
    while start < X.shape[0]:
        fit = int(np.searchsorted(X.indptr, X.indptr[start] + _ENTRIES, side="right")) - 1
        stop = min(max(fit, start + 1), start + _ROWS, X.shape[0])
        batches.append(slice(start, stop))
        start = stop
    return batches
