"""Runs that were stopped while a network was trained: what `tagline train --resume RUN` goes on with.

Beside the place of the run stands ``RUN.unfinished`` while it is trained: what was asked for, and the checkpoints. It
goes when the run is whole. Making the folder is what only one process can do, and a lock on it tells whether it lives.
"""

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tagline.datasets import BUILT_IN
from tagline.errors import InputError, TaglineError
from tagline.recipes import Recipe, make_recipe
from tagline.run.folder import write_json
from tagline.run.machine import versions
from tagline.run.settings import TrainSettings

if os.name == "posix":
    import fcntl

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


def find_begun(parent: Path, suffix: str, asked: str) -> list[tuple[Path, bool]]:
    """Return the places below ``parent`` that can be gone on with, and whether a process has each.

    Beside such a place stands a folder of its name and ``suffix``, with a file ``asked``.
    """
    kept = [path for path in sorted(parent.glob(f"*{suffix}/{asked}")) if can_be_read_again(path)]
    return [(parent / path.parent.name.removesuffix(suffix), is_locked(path.parent)) for path in kept]


def can_be_read_again(asked: Path) -> bool:
    """Say whether the data that a file of what was asked for names is still to be had: standard input is not.

    Of a damaged file it is not known; going on says what is wrong with it.
    """
    try:
        return json.loads(asked.read_text(encoding="utf-8"))["data"] is not None
    except FileNotFoundError:
        return False
    except (OSError, ValueError, KeyError, TypeError):
        return True


def read_unfinished(run: str | Path) -> Unfinished:
    """Read what is to be gone on with; ``run`` is the place of the run, or the folder that keeps it.

    Raises:
        InputError: nothing is kept there, it cannot be read, or it was begun with other versions.

    """
    place = Path(run).resolve()
    target = place.with_name(place.name.removesuffix(SUFFIX)) if place.name else place
    path = unfinished_folder(target) / _ASKED if place.name else place / _ASKED
    again = "train again, without `--resume`"
    try:
        asked = json.loads(path.read_text(encoding="utf-8"))
        if asked["format"] != _FORMAT:
            raise InputError(f"`{path}` was written by another tagline: {again}.")
        settings = asked["settings"]
        settings |= {name: tuple(settings[name]) for name in ("settings", "text", "track")}
        begun = asked["versions"]
        found = Unfinished(
            target,
            asked["data"],
            make_recipe(asked["recipe"], str(path)),
            TrainSettings(**settings),
            tuple(asked["command"]),
            asked["fingerprint"],
        )
    except FileNotFoundError:
        what = "is finished" if (target / "run.json").exists() else "is not a run that was begun"
        raise InputError(f"`{run}` {what}: there is nothing to go on with. `tagline runs` lists the runs.") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"`{path}` cannot be read ({type(error).__name__}: {error}): {again}.") from None
    other = [name for name, version in versions().items() if begun.get(name) != version]
    if other:
        name = other[0]
        raise InputError(
            f"`{target}` was begun with {name} {begun.get(name)}, and here is {versions()[name]}: it would not end as "
            f"it would have. Install what it was begun with, or remove `{unfinished_folder(target)}` and train again."
        )
    return found


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
    held = lock(folder)
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
    finally:
        if held is not None:
            os.close(held)


def _write(unfinished: Unfinished) -> None:
    asked = {
        "format": _FORMAT,
        "data": unfinished.data,
        "recipe": unfinished.recipe.model_dump(mode="json"),
        "settings": asdict(unfinished.settings),
        "command": list(unfinished.command),
        "fingerprint": unfinished.fingerprint,
        "versions": versions(),
    }
    write_json(unfinished.folder / _ASKED, asked)


def absolute(data: Any) -> Any:
    """Return the path of a file or a glob from the root, so that a run can be gone on with from another folder."""
    if isinstance(data, str | Path) and str(data) not in BUILT_IN:
        return str(Path(data).absolute())
    return data


def can_be_kept(data: Any, others: Sequence[Any]) -> bool:
    """Say whether the data can be read again: files and built-in sets can, standard input and objects cannot."""
    return isinstance(data, str | Path) and data != "-" and all(isinstance(o, str | Path | None) for o in others)


def lock(folder: Path, what: str = "trains this run") -> int | None:
    """Lock a folder for this process; return what to close in the end, None where there are no locks.

    ``what`` says what another process that has it does.

    Raises:
        InputError: another process has it.

    """
    if os.name != "posix":
        return None
    busy = f"`{folder}` is in use: another process {what}."
    try:
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        raise InputError(busy) from None
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        raise InputError(busy) from None
    except OSError:  # a file system without locks
        pass
    if not folder.exists() or os.fstat(held).st_ino != folder.stat().st_ino:  # it was removed before it was locked
        os.close(held)
        raise InputError(busy)
    return held


def is_locked(folder: Path) -> bool:
    """Say whether a process has locked a folder."""
    try:
        held = lock(folder)
    except InputError:
        return True
    if held is not None:
        os.close(held)
    return False
