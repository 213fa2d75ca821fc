"""The one loop that everything trained by gradients goes through: fetch, forward, backward, step, callbacks."""

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
    """Texts to learn from or to watch: inputs, targets (n_texts, n_outputs) and what each counts, (n_texts,)."""

    X: Inputs
    targets: NDArray[np.float32]
    weights: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.targets)


def generator(what: str, *numbers: int) -> np.random.Generator:
    """Return the generator of a phase, ``"search"`` or ``"refit"``, or of the ``"weights"`` to start from.

    ``"vectors"`` is that of the vectors of words that have none among those handed over.
    """
    return np.random.default_rng([1 + _RANDOM.index(what), *numbers])


def train(
    network: Network,
    rows: Rows,
    training: "Training",
    *,
    validation: Rows | None = None,
    multilabel: bool = False,
    l2: float = 0.0,
    frozen: int = 0,
    seed: int = 0,
    phase: str = "search",
    callbacks: Sequence[Callback] = (),
) -> History:
    """Train ``network`` in place and return what was seen.

    Args:
        network: it starts from the weights it has.
        rows: what to learn from; ``weights`` multiply the loss of each.
        training: optimizer, loss, batches and epochs.
        validation: rows to measure after each epoch; ``weights`` multiply the loss of each here too, metrics are
            without, as in Keras.
        multilabel: whether a text may have several labels.
        l2: times the squares of the dense kernels is added to the loss.
        frozen: so many layers, from the first on, keep their weights.
        seed: of the order of the rows and of dropout. Each epoch draws from a generator of its own, so that a
            training taken up after an epoch goes on as if it had never stopped.
        phase: ``"search"`` or ``"refit"``, see `State`.
        callbacks: called between batches and epochs.

    Raises:
        InputError: the loss, or what the network says in the end, is not a number any more.
        RecipeError: loss, metrics or optimizer do not fit.

    """
    learnt = {name: array for name, array in network.arrays().items() if int(name.split(".")[0]) >= frozen}
    parameters = [torch.nn.Parameter(torch.from_numpy(array)) for array in learnt.values()]  # shared memory
    optimizer = make_optimizer(training, parameters)
    penalties = {name: l2 if _is_hidden_kernel(network, name) else 0.0 for name in learnt}
    loss_of = make_loss(training, multilabel=multilabel, n_outputs=rows.targets.shape[1])
    metrics = make_metrics(training, multilabel=multilabel, n_outputs=rows.targets.shape[1])
    X = network.prepare(rows.X)
    watched = None if validation is None else replace(validation, X=network.prepare(validation.X))
    lengths = (X != 0).sum(axis=1) if network.masked and not sp.issparse(X) else None
    n_batches = math.ceil(len(rows) / training.batch_size)
    rates = [group["lr"] for group in optimizer.param_groups]
    schedule = make_schedule(training, n_batches * training.epochs)
    state = State(network, optimizer, History(), training.epochs, n_batches, phase)

    def step(batch: NDArray[np.int64], inputs: Inputs, noise: np.random.Generator) -> list[float]:
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * schedule(state.step)
        outputs, caches = network.forward(inputs, noise)
        logits = torch.from_numpy(outputs).requires_grad_()
        y = torch.from_numpy(rows.targets[batch])
        losses = per_row(loss_of, logits, y)
        loss = (losses if rows.weights is None else losses * torch.from_numpy(rows.weights[batch])).mean()
        loss.backward()  # type: ignore[no-untyped-call]  # to the logits: the layers know the rest of the way
        assert logits.grad is not None
        found = chain.from_iterable(network.backward(logits.grad.numpy(), caches, frozen))
        for w, gradient, penalty in zip(parameters, found, penalties.values(), strict=True):
            w.grad = torch.from_numpy(np.ascontiguousarray(gradient))
            if penalty:
                w.grad.add_(w.detach(), alpha=2 * penalty)
        penalised = loss.item() + _penalty(network, penalties)
        optimizer.step()
        state.step += 1
        with torch.no_grad():
            return [penalised, *(per_row(m, logits, y).mean().item() for m in metrics.values())]

    with _small_steps(), _without_warnings():
        for callback in callbacks:
            callback.stop = False  # of a training before this one
            callback.on_train_begin(state)
        while state.epoch < training.epochs and not any(callback.stop for callback in callbacks):
            started = time.perf_counter()
            noise = generator(phase, state.epoch, seed)
            seen, sums = 0, np.zeros(1 + len(metrics))
            batches = _batches(len(rows), training.batch_size, lengths, noise)
            for number, (batch, inputs) in enumerate(_fetch(X, batches), 1):
                state.batch = number
                sums += np.multiply(step(batch, inputs, noise), len(batch))
                seen += len(batch)
                state.loss, state.accuracy = sums[0] / seen, sums[1] / seen
                if not math.isfinite(state.loss):
                    raise _not_a_number(state, training)
                for callback in callbacks:
                    callback.on_batch_end(state)
            figures = dict(zip(("loss", *metrics), (sums / seen).tolist(), strict=True))
            # The last step may have broken the network, and no batch came after it that would tell.
            if watched is not None:
                with torch.no_grad():
                    figures |= _watch(network, watched, loss_of, metrics, _penalty(network, penalties))
                sound = math.isfinite(figures["val_loss"])
            else:
                sound = bool(np.isfinite(network.logits(inputs)).all())
            if not sound or not all(np.isfinite(array).all() for array in network.arrays().values()):
                raise _not_a_number(state, training)
            state.epoch += 1
            state.history.add({"epoch": state.epoch, **figures, "seconds": time.perf_counter() - started})
            for callback in callbacks:
                callback.on_epoch_end(state)
        for callback in callbacks:
            callback.on_train_end(state)
    return state.history


def _batches(
    n: int, size: int, lengths: NDArray[np.int64] | None, noise: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    """Go through the rows in a random order.

    Where padding does not count, rows of like length go together, so that there is less of it to pass over:
    each so many batches' worth of rows is sorted by ``lengths``, (n,), and the batches are mixed again.
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
    """Give each batch of rows its inputs.

    To pick sparse rows costs about what a small network costs, so many batches are picked at a time and then cut.
    """
    if not sp.issparse(X):
        yield from ((batch, X[batch]) for batch in batches)
        return
    while some := list(islice(batches, _MIXED)):
        picked, stop = X[np.concatenate(some)], 0
        for batch in some:
            start, stop = stop, stop + len(batch)
            yield batch, view_rows(picked, start, stop)


def _watch(network: Network, rows: Rows, loss_of: Loss, metrics: dict[str, Loss], penalty: float) -> dict[str, float]:
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
    """Leave it to the loss to tell, once, of what is not a number. NumPy's own switch would not reach our threads."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "(overflow|invalid value) encountered", RuntimeWarning)
        yield


@process_wide
@contextmanager
def _threads_of_torch() -> Iterator[int]:
    """Give the number of threads that PyTorch works with outside of all trainings."""
    yield torch.get_num_threads()


@contextmanager
def _small_steps() -> Iterator[None]:
    """Set threads and arithmetic for many small operations; afterwards all is as it was.

    Operations this small lose more by waiting for helper threads than they win, above all beside other programs. And
    numbers below 1e-38, as gradients through a long text become, are taken for 0: on them arithmetic is far slower.

    PyTorch's number of threads is set for the thread that asks and for threads yet to use PyTorch: one that first does
    so in the course of a training keeps 1. Numbers taken for 0 are a matter of each thread; PyTorch does not say
    whether they are, so a division shows it.
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


def _not_a_number(state: State, training: "Training") -> InputError:
    optimizer = training.optimizer if isinstance(training.optimizer, str) else "the optimizer"
    return InputError(
        f"The loss is not a number any more in epoch {state.epoch + 1}, batch {state.batch} of {state.n_batches}: "
        f"the learning rate of {optimizer}, `training.learning_rate = {training.learning_rate:g}`, is most likely too "
        "high; try a tenth of it."
    )
