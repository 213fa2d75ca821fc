"""The folder of an unfinished search, next to that of its run: the request and the study."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from tagline.data.streams.urls import recorded
from tagline.errors import InputError
from tagline.experiments.tune.candidates import Limits
from tagline.run_folder import RUNS
from tagline.runs.resume import (
    absolute,
    as_typed,
    begin,
    find_requests,
    hold,
    is_rereadable,
    read_request,
    resumed_place,
    with_versions,
)
from tagline.runs.settings import TrainSettings
from tagline.storage.atomic import remove_folder, write_json
from tagline.storage.locks import is_locked

SUFFIX = ".tuning"
ROWS = "rows"  # of the evaluated candidates
_REQUEST = "asked.json"
_ENDED = "ended"  # the run of a search that was ended early is written; it may be resumed, and need not be
_KEPT = (ROWS, _ENDED, "journal.log", "material")  # beside the request
_FORMAT = 1


@dataclass(frozen=True)
class TuneSettings:
    """Settings of a search: those of the final run, the time budget in seconds, the metric and the limits."""

    run: TrainSettings
    budget: float
    metric: str = "accuracy"
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class TuneRequest:
    """A search to start or to resume; ``target`` is the folder of its run."""

    target: Path
    data: Any
    settings: TuneSettings
    command: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """The folder that keeps the search until the run is complete."""
        return self.target.with_name(self.target.name + SUFFIX)


def free_place(target: Path) -> Path:
    """Return ``target``, or that with a number, such that neither a run nor a search exists there."""
    number, place = 1, target
    while place.exists() or place.with_name(place.name + SUFFIX).exists():
        number += 1
        place = target.with_name(f"{target.name}-{number}")
    return place


def create_folder(request: TuneRequest, fingerprint: str) -> None:
    """Create the folder of a new search, with the request and the fingerprint of the data.

    Raises:
        InputError: an unfinished search exists there.

    """
    if _ended_mark(request.target).exists() and not is_locked(request.folder):
        remove_folder(request.folder)
    if not begin(request.folder, _KEPT):
        raise InputError(
            f"`{request.target}` is unfinished: resume it with `tagline tune --resume {request.target}`, "
            f"or remove `{request.folder}` to start again."
        )
    _write_request(request, fingerprint)


def find_searches(parent: Path) -> list[tuple[Path, bool]]:
    """Return the run folders of the searches without a result, and whether each is running."""
    found = find_requests(parent, SUFFIX, _REQUEST)
    return [(run, is_running) for run, is_running in found if not _ended_mark(run).exists()]


def mark_ended(request: TuneRequest) -> bool:
    """Keep the folder of a search that was ended early; return whether it can be resumed at all."""
    if _can_be_resumed(request):
        _ended_mark(request.target).touch()
    return _can_be_resumed(request)


def unmark_ended(request: TuneRequest) -> None:
    """Note that a search goes on, if it was ended early."""
    _ended_mark(request.target).unlink(missing_ok=True)


def _ended_mark(target: Path) -> Path:
    return target.with_name(target.name + SUFFIX) / _ENDED


class LastRunError(InputError):
    """The run of the best candidate failed; the search itself is valid."""


@contextmanager
def exclusive(request: TuneRequest) -> Iterator[None]:
    """Hold the lock of a search; when it fails, keep its folder only if it can be resumed."""
    with hold(request.folder, "runs this search"):
        try:
            yield
        except LastRunError as error:
            if _can_be_resumed(request):
                raise InputError(f"{error} The results of the search are kept in `{request.folder}`.") from None
            _discard(request)
            raise
        except InputError:
            _discard(request)
            raise
        except BaseException:
            if not _can_be_resumed(request) or not any((request.folder / ROWS).glob("*.npz")):  # no results yet
                _discard(request)
            raise


def _discard(request: TuneRequest) -> None:
    """Remove the folder of a search, and ``runs/`` if it is empty."""
    remove_folder(request.folder)
    if request.target.parent == RUNS:
        with suppress(OSError):  # not empty
            RUNS.rmdir()


def _can_be_resumed(request: TuneRequest) -> bool:
    return is_rereadable(request.data, (request.settings.run.test, request.settings.run.validation))


def _write_request(request: TuneRequest, fingerprint: str) -> None:
    run = request.settings.run
    paths = {"test": absolute(run.test), "validation": absolute(run.validation)}
    can_be_resumed = _can_be_resumed(request)
    typed = {"data": str(request.data) if can_be_resumed else None, "test": run.test, "validation": run.validation}
    content = {
        "data": absolute(request.data) if can_be_resumed else None,
        "typed": {name: recorded(path) for name, path in typed.items()},
        "settings": asdict(replace(request.settings, run=replace(run, **paths))),
        "command": list(request.command),
        "fingerprint": fingerprint,
    }
    write_json(request.folder / _REQUEST, with_versions(_FORMAT, content))


def load_request(run: str | Path) -> tuple[TuneRequest, str]:
    """Return the request of an unfinished search, and the fingerprint of its data.

    Raises:
        InputError: there is no unfinished search, it cannot be read, or it was started with other versions.

    """
    target = resumed_place(run, SUFFIX)
    path = target.with_name(target.name + SUFFIX) / _REQUEST
    try:
        return read_request(path, _FORMAT, partial(_parse, target), target, f"remove `{path.parent}` and start again")
    except FileNotFoundError:
        what = "is finished" if (target / "run.json").exists() else "is not an unfinished search"
        raise InputError(f"`{run}` {what}: there is nothing to resume.") from None


def _parse(target: Path, content: dict[str, Any]) -> tuple[TuneRequest, str]:
    settings, typed = content["settings"], content.get("typed", {})  # earlier versions did not keep it
    settings["run"] |= {name: as_typed(typed.get(name), settings["run"][name]) for name in ("test", "validation")}
    tune = TuneSettings(
        TrainSettings.from_json(settings["run"]), settings["budget"], settings["metric"], Limits(**settings["limits"])
    )
    return TuneRequest(target, as_typed(typed.get("data"), content["data"]), tune, tuple(content["command"])), content[
        "fingerprint"
    ]
