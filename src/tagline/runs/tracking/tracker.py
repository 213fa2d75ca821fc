"""The interface of a tracker, and the trackers of one run behind one object."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, TypeVar

from tagline.errors import InputError, MissingExtraError, nearest
from tagline.runs.tracking.figures import Parameter, flat_figures

T = TypeVar("T")


class Tracker(Protocol):
    """A tracker of one run. If a method raises, it is dropped and the run continues."""

    def start(self, name: str, parameters: Mapping[str, Parameter]) -> None:
        """Start to log, or resume the log of a run that was stopped; ``name`` is a display name."""

    def epoch(self, number: int, figures: Mapping[str, float]) -> None:
        """Log the figures of epoch ``number``, counted from 1."""

    def finish(self, figures: Mapping[str, float], folder: Path) -> None:
        """Log the final figures; ``folder`` is the complete run folder."""

    def failed(self, error: BaseException) -> None:
        """Log that the run failed with ``error``."""


def _mlflow(kept: Path | None) -> Tracker:
    from tagline.runs.tracking.mlflow import MLflow

    return MLflow(kept)


def _tensorboard(kept: Path | None) -> Tracker:
    from tagline.runs.tracking.tensorboard import TensorBoard

    return TensorBoard(kept)


#: By the name that `--track` takes, which is also that of the package: the display name and the constructor.
TRACKERS: dict[str, tuple[str, Callable[[Path | None], Tracker]]] = {
    "mlflow": ("MLflow", _mlflow),
    "tensorboard": ("TensorBoard", _tensorboard),
}


def check_trackers(names: Sequence[str]) -> None:
    """Raise `InputError` for an unknown tracker, and for one that is not installed."""
    for name in names:
        if name not in TRACKERS:
            known = ", ".join(f"`{each}`" for each in TRACKERS)
            raise InputError(f"`--track {name}`: unknown tracker; available are {known}.{nearest(name, TRACKERS)}")
        if find_spec(name) is None:
            raise MissingExtraError(f"Tracking with {TRACKERS[name][0]}", "tracking")


class Tracking:
    """The trackers of one run. One that fails is dropped with a warning; it never stops the run."""

    def __init__(
        self,
        names: Sequence[str] = (),
        kept: Path | None = None,
        warn: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        self._warn = warn
        self._trackers: dict[str, Tracker] = {}
        for name in dict.fromkeys(names):
            title, make = TRACKERS[name]
            made = self._guarded(title, partial(make, kept))
            if made is not None:
                self._trackers[title] = made

    def start(self, name: str, parameters: Mapping[str, Parameter]) -> None:
        """Start all trackers."""
        self._call(lambda tracker: tracker.start(name, parameters))

    def epoch(self, number: int, figures: Mapping[str, float]) -> None:
        """Log the figures of an epoch."""
        self._call(lambda tracker: tracker.epoch(number, figures))

    def finish(self, metrics: Mapping[str, Any], folder: Path) -> None:
        """Log the figures of ``metrics.json`` and the folder of the finished run."""
        figures = flat_figures(metrics)
        self._call(lambda tracker: tracker.finish(figures, folder))
        self._trackers.clear()

    def failed(self, error: BaseException) -> None:
        """Log that the run failed, in trackers that have not been closed."""
        self._call(lambda tracker: tracker.failed(error))
        self._trackers.clear()

    def _call(self, method: Callable[[Tracker], None]) -> None:
        for title, tracker in list(self._trackers.items()):
            self._guarded(title, partial(method, tracker))

    def _guarded(self, title: str, call: Callable[[], T]) -> T | None:
        try:
            return call()
        except Exception as error:  # noqa: BLE001  # a store can fail in any way, and a model is worth more
            self._trackers.pop(title, None)
            about = next(iter(str(error).strip().splitlines()), "")
            self._warn(f"{title} cannot be written to and is no longer used ({type(error).__name__}: {about:.200}).")
            return None


@contextmanager
def tracked(names: Sequence[str], *, kept: Path | None, warn: Callable[[str], None]) -> Iterator[Tracking]:
    """Yield the trackers of a run; an exception is logged as its failure.

    Args:
        names: keys of `TRACKERS`.
        kept: a folder in which trackers keep their state if the run can be resumed, else None.
        warn: called with a sentence when a tracker fails.

    """
    tracking = Tracking(names, kept, warn)
    try:
        yield tracking
    except BaseException as error:
        tracking.failed(error)
        raise
