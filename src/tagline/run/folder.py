"""Where a run is written: built in a hidden folder beside its place, which it takes when it is whole."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from tagline.errors import InputError

if os.name == "posix":
    import fcntl

RUNS = Path("runs")
MARK = "run.json"
_PREFIX = ".tagline-"


def run_name(recipe: str, dataset: str, when: datetime) -> str:
    """Name a run ``<time>-<recipe>-<dataset>``, with no character that a file system minds.

    >>> run_name("fast", "my reviews", datetime(2025, 1, 31, 9, 5, 7))
    '20250131-090507-fast-my-reviews'
    """
    parts = (re.sub(r"[^\w.-]+", "-", part).strip("-.")[:60] for part in (recipe, dataset))
    return "-".join([f"{when:%Y%m%d-%H%M%S}", *(part for part in parts if part)])


def free_name(parent: Path, name: str) -> Path:
    """Return ``parent/name``, numbered if that is taken: two runs may start in the same second."""
    number, path = 1, parent / name
    while path.exists():
        number += 1
        path = parent / f"{name}-{number}"
    return path


def check_target(target: Path) -> None:
    """Raise `InputError` if a run cannot be put at ``target``: better before an hour of training than after."""
    if target.exists() and not target.is_dir():
        raise InputError(f"`{target}` is a file: `--out` names the folder of the run.")
    if target.is_dir() and any(target.iterdir()) and not (target / MARK).is_file():
        raise InputError(f"`{target}` is not empty and is not a run: choose another folder with `--out`.")
    above = target.absolute().parent
    while not above.exists():
        above = above.parent
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        raise InputError(f"`{target}` cannot be made: `{above}` cannot be written to.")


@contextmanager
def building(target: Path) -> Iterator[Path]:
    """Yield an empty hidden folder beside ``target`` that becomes ``target`` if all goes well, or is removed.

    A process that is killed leaves its hidden folder behind; the next run beside it removes it (see
    `remove_abandoned`). An older run at ``target`` is replaced.
    """
    made = _make_parents(target.parent)
    try:
        remove_abandoned(target.parent)
        folder, lock = _locked_folder(target.parent)
        try:
            yield folder
            _put_in_place(folder, target)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        finally:
            if lock is not None:
                os.close(lock)
    except BaseException:
        for parent in made:
            with suppress(OSError):
                parent.rmdir()
        raise


def remove_abandoned(parent: Path) -> None:
    """Remove the hidden folders of runs that were killed.

    A living run holds a lock (``flock``) on its folder, which the system lets go of when the process ends, however
    it ends; unlike a process number it is never taken for another's. Where there are no such locks, nothing
    is removed.
    """
    if os.name != "posix":
        return
    for folder in parent.glob(f"{_PREFIX}*"):
        try:
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            pass  # its process lives
        finally:
            os.close(lock)


def _locked_folder(parent: Path) -> tuple[Path, int | None]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        folder.chmod(0o777 & ~_umask())
        if os.name != "posix":
            return folder, None
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        with suppress(OSError):  # a file system without locks: nobody can take it for abandoned either
            fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():  # another run may have removed it before it was locked
            return folder, lock
        os.close(lock)


def _make_parents(parent: Path) -> list[Path]:
    """Make a folder and those above it; return the ones that were missing, the lowest first."""
    missing = []
    at = parent
    while not at.exists():
        missing.append(at)
        at = at.parent
    parent.mkdir(parents=True, exist_ok=True)
    return missing


def _put_in_place(folder: Path, target: Path) -> None:
    if target.is_dir() and any(target.iterdir()):
        # A folder cannot replace a full one: the old run steps aside first, into a place that is cleaned up.
        aside = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=target.parent))
        target.rename(aside / "old")
        try:
            folder.rename(target)
        except OSError:
            (aside / "old").rename(target)
            raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    else:
        if os.name != "posix" and target.exists():
            target.rmdir()
        folder.rename(target)


def _umask() -> int:
    """Return the process's file mode mask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
