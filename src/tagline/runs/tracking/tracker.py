"""What a logger is told, and the loggers of one run told together."""

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
    """A logger of one run. Its methods may raise what they like: it is not asked again then, and the run goes on."""

    def start(self, name: str, parameters: Mapping[str, Parameter]) -> None:
        """Begin, or go on with what a run that was stopped had begun; ``name`` is for people."""

    def epoch(self, number: int, figures: Mapping[str, float]) -> None:
        """Take the figures of epoch ``number``, counted from 1."""

    def finish(self, figures: Mapping[str, float], folder: Path) -> None:
        """Take the final figures; ``folder`` is the whole run folder, in its place."""

    def failed(self, error: BaseException) -> None:
        """Note that the run ended with ``error``."""


def _mlflow(kept: Path | None) -> Tracker:
    from tagline.runs.tracking.mlflow import MLflow

    return MLflow(kept)


def _tensorboard(kept: Path | None) -> Tracker:
    from tagline.runs.tracking.tensorboard import TensorBoard

    return TensorBoard(kept)


#: By the name that `--track` takes: the logger as people write it, which is also the package, and how it is made.
TRACKERS: dict[str, tuple[str, Callable[[Path | None], Tracker]]] = {
    "mlflow": ("MLflow", _mlflow),
    "tensorboard": ("TensorBoard", _tensorboard),
}


def check_trackers(names: Sequence[str]) -> None:
    """Raise `InputError` for a name that is no logger, and for one that is not installed."""
    for name in names:
        if name not in TRACKERS:
            known = ", ".join(f"`{each}`" for each in TRACKERS)
            raise InputError(f"`--track {name}` is no logger; there are {known}.{nearest(name, TRACKERS)}")
        if find_spec(name) is None:
            raise MissingExtraError(f"Tracking with {TRACKERS[name][0]}", "tracking")


class Tracking:
    """The loggers of one run. One that fails is named in a warning and left out; it never stops the run."""

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
        """Tell all loggers that the run begins."""
        self._tell(lambda tracker: tracker.start(name, parameters))

    def epoch(self, number: int, figures: Mapping[str, float]) -> None:
        """Tell them the figures of an epoch."""
        self._tell(lambda tracker: tracker.epoch(number, figures))

    def finish(self, metrics: Mapping[str, Any], folder: Path) -> None:
        """Tell them the figures of ``metrics.json`` and the folder of the run, which is over."""
        figures = flat_figures(metrics)
        self._tell(lambda tracker: tracker.finish(figures, folder))
        self._trackers.clear()

    def failed(self, error: BaseException) -> None:
        """Tell those that have not been told of an end that ``error`` was it."""
        self._tell(lambda tracker: tracker.failed(error))
        self._trackers.clear()

    def _tell(self, what: Callable[[Tracker], None]) -> None:
        for title, tracker in list(self._trackers.items()):
            self._guarded(title, partial(what, tracker))

    def _guarded(self, title: str, call: Callable[[], T]) -> T | None:
        try:
            return call()
        except Exception as error:  # noqa: BLE001  # a store can fail in any way, and none of them is worth a model
            self._trackers.pop(title, None)
            about = next(iter(str(error).strip().splitlines()), "")
            self._warn(f"{title} cannot be written to and is left out ({type(error).__name__}: {about:.200}).")
            return None


@contextmanager
def tracked(names: Sequence[str], *, kept: Path | None, warn: Callable[[str], None]) -> Iterator[Tracking]:
    """Give the loggers of a run, which hear of an error that ends it.

    Args:
        names: keys of `TRACKERS`.
        kept: a folder that outlasts the process if the run can be gone on with, where they note how.
        warn: called with a sentence when a logger fails.

    """
    tracking = Tracking(names, kept, warn)
    try:
        yield tracking
    except BaseException as error:
        tracking.failed(error)
        raise
