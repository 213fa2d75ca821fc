"""Resume stopped runs: the files that a training, a sweep and a search keep until they finish.

A JSON file stores the request. A lock on its folder shows whether a process is working on it.
``RUN.unfinished``, next to the run's final folder, holds the request and the checkpoints while a network is trained.
The folder is removed when the run is complete.
"""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from tagline.data import BUILT_IN
from tagline.data.streams.urls import is_url, recorded
from tagline.errors import InputError
from tagline.out_of_core.spool.writer import is_spooled
from tagline.recipes import Recipe, make_recipe
from tagline.run_folder import RUN
from tagline.runs.environment import versions
from tagline.runs.settings import TrainSettings
from tagline.storage.atomic import remove_abandoned, remove_folder, write_json
from tagline.storage.locks import is_locked, lock

SUFFIX = ".unfinished"
REQUEST = "asked.json"  # the name that version 0.1 gave it
_CHECKPOINTS = "checkpoints"
_KEPT = (_CHECKPOINTS, "mlflow.json", "tensorboard")  # beside the request
_FORMAT = 1
_PATHS = ("test", "validation", "unlabelled")  # settings of `TrainSettings`

_Made = TypeVar("_Made")


def with_versions(form: int, request: dict[str, Any]) -> dict[str, Any]:
    """Return a request with the number of its format and the versions that it was started with."""
    return {"format": form, **request, "versions": versions()}


def read_request(path: Path, form: int, make: Callable[[dict[str, Any]], _Made], place: Path, again: str) -> _Made:
    """Read a request and return what ``make`` makes of it.

    Args:
        path: the file.
        form: the number of the format.
        make: called with the content.
        place: the run, sweep or search as the user names it.
        again: how to start over, for messages.

    Raises:
        FileNotFoundError: there is no request.
        InputError: it cannot be read, its data cannot be read again, or it was started with other versions.

    """

    def damaged(error: Exception) -> InputError:
        return InputError(f"`{path}` cannot be read ({type(error).__name__}: {error}): {again}.")

    try:
        request = json.loads(path.read_text(encoding="utf-8"))
        _check(request, path, form, place, again)
    except (FileNotFoundError, InputError):
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise damaged(error) from None
    try:
        return make(request)
    except (ValueError, KeyError, TypeError) as error:  # an invalid recipe, too
        raise damaged(error) from None


def _check(request: dict[str, Any], path: Path, form: int, place: Path, again: str) -> None:
    if request["format"] != form:
        raise InputError(f"`{path}` was written by another version of tagline: {again}.")
    if request["data"] is None:
        raise InputError(f"The data of `{place}` cannot be read a second time: {again}.")
    started = dict(request["versions"])
    for name, version in versions().items():
        if started.get(name) != version:
            other = started.get(name, "of an unknown version")
            raise InputError(
                f"`{place}` was started with {name} {other}, and this is {version}: the result would differ. "
                f"Install the version it was started with, or {again}."
            )


def resumed_place(run: str | Path, suffix: str) -> Path:
    """Return the place of a run that the user names by it or by the folder, of its name and ``suffix``, that keeps it.

    Raises:
        InputError: ``run`` is the root of the file system.

    """
    place = Path(run).resolve()
    if not place.name:
        raise InputError(f"`{run}` is not a run: there is nothing to resume. `tagline runs` lists the runs.")
    return place.with_name(place.name.removesuffix(suffix))


def find_requests(parent: Path, suffix: str, request: str) -> list[tuple[Path, bool]]:
    """Return the places below ``parent`` that can be resumed, and whether a process works on each.

    Beside such a place is a folder of its name and ``suffix``, with a file ``request``.
    """
    kept = [path for path in sorted(parent.glob(f"*{suffix}/{request}")) if is_resumable(path)]
    return [(parent / path.parent.name.removesuffix(suffix), is_locked(path.parent)) for path in kept]


def is_resumable(request: Path) -> bool:
    """Return whether the data that a request names can be read again: not so for standard input.

    A damaged request counts as resumable: resuming it then says what is wrong.
    """
    try:
        return json.loads(request.read_text(encoding="utf-8"))["data"] is not None
    except FileNotFoundError:
        return False
    except (OSError, ValueError, KeyError, TypeError):
        return True


def absolute(data: Any) -> Any:
    """Return the absolute path of a file or a glob, so that a run can be resumed from another folder."""
    if is_url(data):
        return recorded(data)
    if isinstance(data, str | Path) and str(data) not in BUILT_IN:
        return str(Path(data).absolute())
    return data


def as_typed(typed: Any, stored: Any) -> Any:
    """Return a path as the user typed it if it still leads to the stored one: a resumed run names its files alike."""
    return typed if typed is not None and absolute(typed) == stored else stored


def is_rereadable(data: Any, others: Sequence[Any]) -> bool:
    """Return whether data can be read again: files and built-in sets can, standard input and objects cannot.

    Nor can a URL with a password or a query, as it is not recorded.
    """
    if any(is_url(each) and recorded(each) != each for each in (data, *others)):
        return False
    return isinstance(data, str | Path) and data != "-" and all(isinstance(o, str | Path | None) for o in others)


def begin(folder: Path, kept: Collection[str]) -> bool:
    """Make the folder of a new run or search, empty; return False if there is one that is in use or must be kept.

    Without a request nothing can be resumed: a process was killed as it began, or as it removed a finished search. What
    is left then has no other names than ``kept``, those beside the request. Anything else may be the user's.
    """
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        remove_abandoned(folder)
        if is_locked(folder) or not folder.is_dir() or not {path.name for path in folder.iterdir()} <= {*kept}:
            return False
        remove_folder(folder)  # another process may do so as well
        folder.mkdir(exist_ok=True)
    return True


@contextmanager
def hold(folder: Path, use: str) -> Iterator[None]:
    """Hold the lock on the folder of a run, sweep or search; ``use`` is what another holder is doing.

    Raises:
        InputError: another process holds it.

    """
    with ExitStack() as stack:
        try:
            stack.enter_context(lock(folder, wait=False))
        except (BlockingIOError, FileNotFoundError):
            raise InputError(f"`{folder}` is in use: another process {use}.") from None
        yield


@dataclass(frozen=True)
class UnfinishedRun:
    """A run that can be resumed: where it will be written, and its request, with the whole recipe.

    ``distributed``: its rows are divided among the machines of an engine.
    """

    target: Path
    data: str
    recipe: Recipe
    settings: TrainSettings
    command: tuple[str, ...]
    fingerprint: str
    distributed: bool = False

    @property
    def folder(self) -> Path:
        """Return the folder that keeps it."""
        return unfinished_folder(self.target)

    @property
    def checkpoints(self) -> Path:
        """Return the folder of the checkpoints."""
        return self.folder / _CHECKPOINTS

    @property
    def has_checkpoint(self) -> bool:
        """Whether a stage of the training has ended: an epoch of a network, or the reading of data out of core."""
        return any(self.checkpoints.rglob("*.pt")) or is_spooled(self.checkpoints)


def unfinished_folder(target: Path) -> Path:
    """Return the folder that keeps an unfinished run."""
    return target.with_name(target.name + SUFFIX)


def find_unfinished(parent: Path) -> list[tuple[Path, bool]]:
    """Return the places of the unfinished runs below ``parent``, and whether each is being trained."""
    return find_requests(parent, SUFFIX, REQUEST)


def read_unfinished(run: str | Path) -> UnfinishedRun:
    """Read an unfinished run; ``run`` is the place of the run, or the folder that keeps it.

    Raises:
        InputError: there is none, it cannot be read, or it was started with other versions.

    """
    target = resumed_place(run, SUFFIX)
    path = unfinished_folder(target) / REQUEST
    try:
        return read_request(path, _FORMAT, partial(_restore, target), target, f"remove `{path.parent}` and train again")
    except FileNotFoundError:
        what = "is finished" if (target / RUN).exists() else "is not an unfinished run"
        raise InputError(f"`{run}` {what}: there is nothing to resume. `tagline runs` lists the runs.") from None


def _restore(target: Path, request: dict[str, Any]) -> UnfinishedRun:
    typed, settings = request.get("typed", {}), request["settings"]  # earlier versions did not keep it
    settings |= {name: as_typed(typed.get(name), settings[name]) for name in _PATHS}
    return UnfinishedRun(
        target,
        as_typed(typed.get("data"), request["data"]),
        make_recipe(request["recipe"], str(unfinished_folder(target) / REQUEST)),
        TrainSettings.from_json(settings),
        tuple(request["command"]),
        request["fingerprint"],
        request.get("distributed", False),
    )


def make_unfinished(unfinished: UnfinishedRun) -> None:
    """Make the folder of a new run, which only one process can do.

    Raises:
        InputError: it exists: the run was stopped, or another process trains it.

    """
    folder = unfinished.folder
    if begin(folder, _KEPT):
        return
    if is_locked(folder):
        raise InputError(f"`{folder}` is in use: another process trains this run.")
    raise InputError(
        f"`{unfinished.target}` is unfinished: resume it with `tagline train --resume {unfinished.target}`, "
        f"or remove `{folder}` to start over."
    )


@contextmanager
def kept_until_finished(unfinished: UnfinishedRun) -> Iterator[None]:
    """Keep the request and the checkpoints of a run while it is trained.

    They are removed when the run is complete, when there is no checkpoint, and after an error of the input, which would
    come again.

    Raises:
        InputError: another process trains it.

    """
    folder = unfinished.folder
    with hold(folder, "trains this run"):
        try:
            _write(unfinished)
            yield
        except InputError:
            remove_folder(folder)
            raise
        except BaseException:
            if not unfinished.has_checkpoint:
                remove_folder(folder)
            raise
        else:
            remove_folder(folder)


def _write(unfinished: UnfinishedRun) -> None:
    settings = unfinished.settings
    typed = {name: getattr(settings, name) for name in _PATHS}
    request = {
        "data": absolute(unfinished.data),
        "typed": {name: recorded(path) for name, path in {"data": unfinished.data, **typed}.items()},
        "recipe": unfinished.recipe.model_dump(mode="json"),
        "settings": asdict(replace(settings, **{name: absolute(path) for name, path in typed.items()})),
        "command": list(unfinished.command),
        "fingerprint": unfinished.fingerprint,
        "distributed": unfinished.distributed,
    }
    write_json(unfinished.folder / REQUEST, with_versions(_FORMAT, request))
