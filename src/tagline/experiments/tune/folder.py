"""The folder of a search beside the place of its run: what was asked for, and what it knows, until the run is whole."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from tagline.atomic import write_json
from tagline.errors import InputError
from tagline.experiments.tune.candidates import Limits
from tagline.run_folder import RUNS
from tagline.runs.resume import absolute, find_requests, hold, is_rereadable, read_request, resumed_place, with_versions
from tagline.runs.settings import TrainSettings

SUFFIX = ".tuning"
ROWS = "rows"  # of the candidates that are judged
_ASKED = "asked.json"
_FORMAT = 1


@dataclass(frozen=True)
class TuneSettings:
    """What a search is told beside its data: what a run is told, the seconds it has, what counts, what it may cost."""

    run: TrainSettings
    budget: float
    metric: str = "accuracy"
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Asked:
    """A search to begin or to go on with."""

    target: Path
    data: Any
    settings: TuneSettings
    command: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Return the folder that keeps it until the run is whole."""
        return self.target.with_name(self.target.name + SUFFIX)


def free_place(target: Path) -> Path:
    """Return a place that neither a run nor a search has taken."""
    number, place = 1, target
    while place.exists() or place.with_name(place.name + SUFFIX).exists():
        number += 1
        place = target.with_name(f"{target.name}-{number}")
    return place


def begin(asked: Asked, fingerprint: str) -> None:
    """Make the folder of a search that begins, and write what was asked for.

    Raises:
        InputError: there is one.

    """
    try:
        asked.folder.mkdir(parents=True)
    except FileExistsError:
        raise InputError(
            f"`{asked.target}` is unfinished: `tagline tune --resume {asked.target}` goes on with it; "
            f"to begin anew, remove `{asked.folder}`."
        ) from None
    _write_asked(asked, fingerprint)


def find_searches(parent: Path) -> list[tuple[Path, bool]]:
    """Return the places of the runs that can be searched for further, and whether a process leads the search."""
    return find_requests(parent, SUFFIX, _ASKED)


class LastRunError(InputError):
    """The run of the winner failed; what the search has found is not at fault."""


@contextmanager
def held(asked: Asked) -> Iterator[None]:
    """Keep the folder of a search to this process; it stays where the search can be gone on with."""
    with hold(asked.folder, "leads this search"):
        try:
            yield
        except LastRunError as error:
            if _is_kept(asked):
                raise InputError(f"{error} What was found is kept in `{asked.folder}`.") from None
            _discard(asked)
            raise
        except InputError:
            _discard(asked)
            raise
        except BaseException:
            if not _is_kept(asked) or not any((asked.folder / ROWS).glob("*.npz")):  # nothing is known yet
                _discard(asked)
            raise


def _discard(asked: Asked) -> None:
    """Remove the folder of a search, and the one of all runs if there are none."""
    shutil.rmtree(asked.folder, ignore_errors=True)
    if asked.target.parent == RUNS:
        with suppress(OSError):  # others may have runs there
            RUNS.rmdir()


def _is_kept(asked: Asked) -> bool:
    return is_rereadable(asked.data, (asked.settings.run.test, asked.settings.run.validation))


def _write_asked(asked: Asked, fingerprint: str) -> None:
    run = asked.settings.run
    paths = {"test": absolute(run.test), "validation": absolute(run.validation)}
    content = {
        "data": absolute(asked.data) if _is_kept(asked) else None,
        "settings": asdict(replace(asked.settings, run=replace(run, **paths))),
        "command": list(asked.command),
        "fingerprint": fingerprint,
    }
    write_json(asked.folder / _ASKED, with_versions(_FORMAT, content))


def read_asked(run: str | Path) -> tuple[Asked, str]:
    """Return what is to be gone on with, and the fingerprint of its data.

    Raises:
        InputError: there is nothing to go on with, it cannot be read, or it was begun with other versions.

    """
    target = resumed_place(run, SUFFIX)
    path = target.with_name(target.name + SUFFIX) / _ASKED
    try:
        return read_request(path, _FORMAT, partial(_made, target), target, f"remove `{path.parent}` and begin anew")
    except FileNotFoundError:
        what = "is finished" if (target / "run.json").exists() else "is not a search that was begun"
        raise InputError(f"`{run}` {what}: there is nothing to go on with.") from None


def _made(target: Path, content: dict[str, Any]) -> tuple[Asked, str]:
    settings = content["settings"]
    told: dict[str, Any] = settings["run"]
    told |= {name: tuple(told[name]) for name in ("settings", "text", "track")}
    tune = TuneSettings(TrainSettings(**told), settings["budget"], settings["metric"], Limits(**settings["limits"]))
    return Asked(target, content["data"], tune, tuple(content["command"])), content["fingerprint"]
