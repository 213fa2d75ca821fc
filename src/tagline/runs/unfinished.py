"""Runs that were stopped while a network was trained: what `tagline train --resume RUN` goes on with.

Beside the place of the run stands ``RUN.unfinished`` while it is trained: what was asked for, and the checkpoints. It
goes when the run is whole. Making the folder is what only one process can do, and a lock on it tells whether it lives.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tagline.atomic import is_locked
from tagline.errors import InputError, TaglineError
from tagline.recipes import Recipe, make_recipe
from tagline.runs.folder import write_json
from tagline.runs.resume import begun_place, find_begun, hold, read_begun, stamped
from tagline.runs.settings import TrainSettings

SUFFIX = ".unfinished"
_ASKED = "asked.json"
_CHECKPOINTS = "checkpoints"
_FORMAT = 1


@dataclass(frozen=True)
class Unfinished:
    """A run to go on with: where it will stand, and what was asked for, the recipe in full."""

    target: Path
    data: str
    recipe: Recipe
    settings: TrainSettings
    command: tuple[str, ...]
    fingerprint: str

    @property
    def folder(self) -> Path:
        """Return the folder that keeps it."""
        return unfinished_folder(self.target)

    @property
    def checkpoints(self) -> Path:
        """Return the folder of the checkpoints."""
        return self.folder / _CHECKPOINTS


def unfinished_folder(target: Path) -> Path:
    """Return where an unfinished run is kept."""
    return target.with_name(target.name + SUFFIX)


def find_unfinished(parent: Path) -> list[tuple[Path, bool]]:
    """Return the places of the runs below ``parent`` that were begun, and whether each is being trained."""
    return find_begun(parent, SUFFIX, _ASKED)


def read_unfinished(run: str | Path) -> Unfinished:
    """Read what is to be gone on with; ``run`` is the place of the run, or the folder that keeps it.

    Raises:
        InputError: nothing is kept there, it cannot be read, or it was begun with other versions.

    """
    target = begun_place(run, SUFFIX)
    path = unfinished_folder(target) / _ASKED
    try:
        return read_begun(path, _FORMAT, partial(_made, target), target, f"remove `{path.parent}` and train again")
    except FileNotFoundError:
        what = "is finished" if (target / "run.json").exists() else "is not a run that was begun"
        raise InputError(f"`{run}` {what}: there is nothing to go on with. `tagline runs` lists the runs.") from None


def _made(target: Path, asked: dict[str, Any]) -> Unfinished:
    settings = asked["settings"]
    settings |= {name: tuple(settings[name]) for name in ("settings", "text", "track")}
    return Unfinished(
        target,
        asked["data"],
        make_recipe(asked["recipe"], str(unfinished_folder(target) / _ASKED)),
        TrainSettings(**settings),
        tuple(asked["command"]),
        asked["fingerprint"],
    )


def begin(unfinished: Unfinished) -> None:
    """Make the folder of a run that begins.

    Raises:
        InputError: there is one: a run that was stopped, or that another process trains.

    """
    folder = unfinished.folder
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        if is_locked(folder):
            raise InputError(f"`{folder}` is in use: another process trains this run.") from None
        raise InputError(
            f"`{unfinished.target}` is unfinished: `tagline train --resume {unfinished.target}` goes on with it; "
            f"to begin anew, remove `{folder}`."
        ) from None


@contextmanager
def kept(unfinished: Unfinished) -> Iterator[None]:
    """Keep a run while it is trained.

    What is kept goes when all is well, when there was no epoch to keep, and when the training itself is at fault, which
    going on with would not mend.

    Raises:
        InputError: another process trains it.

    """
    folder = unfinished.folder
    with hold(folder, "trains this run"):
        try:
            _write(unfinished)
            yield
        except TaglineError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        except BaseException:
            if not any(unfinished.checkpoints.rglob("*.pt")):
                shutil.rmtree(folder, ignore_errors=True)
            raise
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _write(unfinished: Unfinished) -> None:
    asked = {
        "data": unfinished.data,
        "recipe": unfinished.recipe.model_dump(mode="json"),
        "settings": asdict(unfinished.settings),
        "command": list(unfinished.command),
        "fingerprint": unfinished.fingerprint,
    }
    write_json(unfinished.folder / _ASKED, stamped(_FORMAT, asked))
