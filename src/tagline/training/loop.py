"""The training loop of networks: fetch, forward, backward, step, callbacks."""

import math
import sys
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import NDArray

from tagline.errors import InputError
from tagline.models.network.layers import Dense
from tagline.models.network.network import Inputs, Network
from tagline.parallel import one_blas_thread, process_wide
from tagline.sparse import view_rows
from tagline.task import Task
from tagline.training.callbacks import Callback, State
from tagline.training.history import History
from tagline.training.losses import Loss, make_loss, make_metrics, per_row
from tagline.training.optimizers import make_optimizer, make_schedule

if TYPE_CHECKING:
    from tagline.recipes import Training

_RANDOM = ("search", "refit", "weights", "vectors")  # what draws at random, each from generators of its own
_MIXED = 50  # batches whose rows are sorted by length, or picked, together


@dataclass(frozen=True)
class Rows:
    """Texts to learn from or to measure: inputs, targets, (n_texts, n_outputs), and weights, (n_texts,)."""

    X: Inputs
    targets: NDArray[np.float32]
    weights: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.targets)


def generator(what: str, *numbers: int) -> np.random.Generator:
    """Return the generator of a phase, ``"search"`` or ``"refit"``, or of the ``"weights"`` to start from.

    ``"vectors"`` draws the vectors of words that have none among the given ones.
    """
    return np.random.default_rng([1 + _RANDOM.index(what), *numbers])


@dataclass(frozen=True)
class TrainingOptions:
    """Settings of a training besides the ``[training]`` table of its recipe.

    Attributes:
        task: the kind of labels, which decides the loss.
        l2: times the squares of the hidden dense kernels is added to the loss.
        frozen: so many layers, from the first on, keep their weights.
        seed: of the order of the rows and of dropout. Each epoch draws from a generator of its own, so that a
            resumed training continues as if it had never stopped.
        phase: ``"search"`` or ``"refit"``, see `State`.

    """

    task: Task = Task.BINARY
    l2: float = 0.0
    frozen: int = 0
    seed: int = 0
    phase: str = "search"


def train(
    network: Network,
    rows: Rows,
    training: "Training",
    *,
    options: TrainingOptions | None = None,
    validation: Rows | None = None,
    callbacks: Sequence[Callback] = (),
) -> History:
    """Train ``network`` in place and return the figures of each epoch.

    Args:
        network: it starts from the weights it has.
        rows: what to learn from; ``weights`` multiply the loss of each.
        training: optimizer, loss, batches and epochs.
        options: task, penalty, seed and phase; by default of a binary classifier.
        validation: rows to measure after each epoch; ``weights`` multiply the loss of each here too, metrics are
            without, as in Keras.
        callbacks: called before and after the training, each epoch and each batch.

    Raises:
        InputError: the loss, or an output of the network after an epoch, is not finite.
        RecipeError: loss, metrics or optimizer do not fit.

    """
    loop = _Loop(network, rows, training, options or TrainingOptions())
    watched = None if validation is None else replace(validation, X=network.prepare(validation.X))
    state = loop.state
    with _small_steps(), _without_warnings():
        for callback in callbacks:
            callback.stop = False  # of a training before this one
            callback.on_train_begin(state)
        while state.epoch < training.epochs and not any(callback.stop for callback in callbacks):
            for callback in callbacks:
                callback.on_epoch_begin(state)
            started = time.perf_counter()
            figures = loop.epoch(callbacks)
            figures |= loop.check(watched)
            state.epoch += 1
            state.history.add({"epoch": state.epoch, **figures, "seconds": time.perf_counter() - started})
            for callback in callbacks:
                callback.on_epoch_end(state)
        for callback in callbacks:
            callback.on_train_end(state)
    return state.history


class _Loop:
    """One training of a network: its parameters as tensors, which share memory with its arrays."""

    def __init__(self, network: Network, rows: Rows, training: "Training", options: TrainingOptions) -> None:
        self._network, self._rows, self._training, self._options = network, rows, training, options
        learned = {n: array for n, array in network.arrays().items() if int(n.split(".")[0]) >= options.frozen}
        self._parameters = [torch.nn.Parameter(torch.from_numpy(array)) for array in learned.values()]
        optimizer = make_optimizer(training, self._parameters)
        self._penalties = {name: options.l2 if _is_hidden_kernel(network, name) else 0.0 for name in learned}
        self._loss = make_loss(training, options.task, rows.targets.shape[1])
        self._metrics = make_metrics(training, options.task, rows.targets.shape[1])
        self._X = network.prepare(rows.X)
        self._lengths = (self._X != 0).sum(axis=1) if network.masked and not sp.issparse(self._X) else None
        self._last: Inputs | None = None  # the inputs of the last batch
        n_batches = math.ceil(len(rows) / training.batch_size)
        self._rates = [group["lr"] for group in optimizer.param_groups]
        self._schedule = make_schedule(training, n_batches * training.epochs)
        self.state = State(network, optimizer, History(), training.epochs, n_batches, options.phase)

    def epoch(self, callbacks: Sequence[Callback]) -> dict[str, float]:
        """Train on all batches once, and return the mean loss and metrics while the weights moved."""
        state, size = self.state, self._training.batch_size
        noise = generator(self._options.phase, state.epoch, self._options.seed)
        seen, sums = 0, np.zeros(1 + len(self._metrics))
        batches = _batches(len(self._rows), size, self._lengths, noise)
        for number, (batch, inputs) in enumerate(_fetch(self._X, batches), 1):
            state.batch = number
            for callback in callbacks:
                callback.on_batch_begin(state)
            sums += np.multiply(self._step(batch, inputs, noise), len(batch))
            seen += len(batch)
            state.loss, state.accuracy = sums[0] / seen, sums[1] / seen
            if not math.isfinite(state.loss):
                raise _not_finite(state, self._training)
            for callback in callbacks:
                callback.on_batch_end(state)
            self._last = inputs
        return dict(zip(("loss", *self._metrics), (sums / seen).tolist(), strict=True))

    def _step(self, batch: NDArray[np.int64], inputs: Inputs, noise: np.random.Generator) -> list[float]:
        """Forward, backward, step; return the loss with its penalty and the metrics, means over the batch."""
        network, rows, optimizer = self._network, self._rows, self.state.optimizer
        for group, rate in zip(optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * self._schedule(self.state.step)
        outputs, caches = network.forward(inputs, noise)
        logits = torch.from_numpy(outputs).requires_grad_()
        y = torch.from_numpy(rows.targets[batch])
        losses = per_row(self._loss, logits, y)
        loss = (losses if rows.weights is None else losses * torch.from_numpy(rows.weights[batch])).mean()
        loss.backward()  # type: ignore[no-untyped-call]  # to the logits: the layers know the rest of the way
        assert logits.grad is not None
        found = chain.from_iterable(network.backward(logits.grad.numpy(), caches, self._options.frozen))
        for w, gradient, penalty in zip(self._parameters, found, self._penalties.values(), strict=True):
            w.grad = torch.from_numpy(np.ascontiguousarray(gradient))
            if penalty:
                w.grad.add_(w.detach(), alpha=2 * penalty)
        penalised = loss.item() + _penalty(network, self._penalties)
        optimizer.step()
        self.state.step += 1
        with torch.no_grad():
            return [penalised, *(per_row(m, logits, y).mean().item() for m in self._metrics.values())]

    def check(self, validation: Rows | None) -> dict[str, float]:
        """Return the figures of the validation rows, if there are any.

        Raises:
            InputError: weights or outputs are not finite: the last step may have broken the network, and no batch
                came after it that would show.

        """
        network, figures = self._network, dict[str, float]()
        if validation is not None:
            with torch.no_grad():
                penalty = _penalty(network, self._penalties)
                figures = _measure(network, validation, self._loss, self._metrics, penalty)
            sound = math.isfinite(figures["val_loss"])
        else:
            assert self._last is not None
            sound = bool(np.isfinite(network.logits(self._last)).all())
        if not sound or not all(np.isfinite(array).all() for array in network.arrays().values()):
            raise _not_finite(self.state, self._training)
        return figures


def _batches(
    n: int, size: int, lengths: NDArray[np.int64] | None, noise: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    """Yield the rows in a random order, batch by batch.

    Where padding is masked, rows of similar length share a batch, so that there is less padding to skip: the rows of
    every `_MIXED` batches are sorted by ``lengths``, (n,), and these batches are shuffled.
    """
    order = noise.permutation(n)
    if lengths is None:
        yield from (order[start : start + size] for start in range(0, n, size))
        return
    for start in range(0, n, size * _MIXED):
        rows = order[start : start + size * _MIXED]
        rows = rows[np.argsort(lengths[rows], kind="stable")]
        for batch in noise.permutation(math.ceil(len(rows) / size)):
            yield rows[batch * size : (batch + 1) * size]


def _fetch(X: Inputs, batches: Iterator[NDArray[np.int64]]) -> Iterator[tuple[NDArray[np.int64], Inputs]]:
    """Yield each batch of rows with its inputs.

    Picking sparse rows costs about as much as a small network, so many batches are picked at a time and then cut.
    """
    if not sp.issparse(X):
        yield from ((batch, X[batch]) for batch in batches)
        return
    while some := list(islice(batches, _MIXED)):
        picked, stop = X[np.concatenate(some)], 0
        for batch in some:
            start, stop = stop, stop + len(batch)
            yield batch, view_rows(picked, start, stop)


def _measure(network: Network, rows: Rows, loss_of: Loss, metrics: dict[str, Loss], penalty: float) -> dict[str, float]:
    """Return the figures of validation rows."""
    logits = torch.from_numpy(network.logits(rows.X))
    targets = torch.from_numpy(rows.targets).to(logits.dtype)
    losses = per_row(loss_of, logits, targets)
    loss = (losses if rows.weights is None else losses * torch.from_numpy(rows.weights)).mean()
    figures = {f"val_{name}": float(per_row(metric, logits, targets).mean()) for name, metric in metrics.items()}
    return {"val_loss": float(loss) + penalty, **figures}


def _penalty(network: Network, penalties: Mapping[str, float]) -> float:
    """Return what the weights add to the loss: ``penalty sum w²`` of each."""
    arrays = network.arrays()
    return sum(penalty * float(np.square(arrays[name]).sum()) for name, penalty in penalties.items() if penalty)


def _is_hidden_kernel(network: Network, name: str) -> bool:
    """Say whether a weight is the kernel of a hidden dense layer."""
    number, weight = name.split(".")
    hidden = network.layers[:-1]
    return weight == "kernel" and int(number) < len(hidden) and isinstance(hidden[int(number)], Dense)


@process_wide
@contextmanager
def _without_warnings() -> Iterator[None]:
    """Silence NumPy: the loss is checked for NaN instead. NumPy's own switch would not reach our threads."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "(overflow|invalid value) encountered", RuntimeWarning)
        yield


@process_wide
@contextmanager
def _threads_of_torch() -> Iterator[int]:
    """Give the number of threads that PyTorch uses outside of all trainings."""
    yield torch.get_num_threads()


@contextmanager
def _small_steps() -> Iterator[None]:
    """Set threads and arithmetic for many small operations, and restore both afterwards.

    Operations this small lose more by waiting for helper threads than they gain, above all next to other programs.
    Numbers below 1e-38, as gradients through a long text become, are flushed to 0: arithmetic on them is far slower.

    PyTorch sets its number of threads for the calling thread and for threads that have not used PyTorch yet: one that
    first does so during a training keeps 1. Flushing is a property of each thread; PyTorch does not report it, so a
    division shows it.
    """
    flushed = sys.float_info.min / 2 == 0
    with _threads_of_torch() as threads, one_blas_thread():
        torch.set_num_threads(1)
        torch.set_flush_denormal(True)
        try:
            yield
        finally:
            torch.set_flush_denormal(flushed)
            torch.set_num_threads(threads)


def _not_finite(state: State, training: "Training") -> InputError:
    optimizer = training.optimizer if isinstance(training.optimizer, str) else "the optimizer"
    return InputError(
        f"Training stopped: the loss became NaN or infinite in epoch {state.epoch + 1}, batch {state.batch} of "
        f"{state.n_batches}. The learning rate of {optimizer}, `training.learning_rate = {training.learning_rate:g}`, "
        "is most likely too high; try a tenth of it."
    )
