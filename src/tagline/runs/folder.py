"""Where a run is written: built in a hidden folder beside its place, which it takes when it is whole."""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from tagline.bundle import umask
from tagline.errors import InputError

if os.name == "posix":
    import fcntl

RUNS = Path("runs")
MARK = "run.json"
FORMAT = 1
TRAINED_ON = "trained_on.npy"
EVENTS = "tensorboard"
RECIPE = "recipe.toml"  # of a search: what it found, to be trained again, and all that it tried
LEADERBOARD = "leaderboard.csv"
_KEYS = {"format", "name", "created", "recipe", "dataset"}
_FILES = {
    MARK,
    "metrics.json",
    "history.csv",
    "refit_history.csv",
    "predictions.parquet",
    "mistakes.json",
    "rejected.csv",
    "report.html",
    TRAINED_ON,
    RECIPE,
    LEADERBOARD,
}
# Runs under construction alone have this prefix: what bears it and is not locked may be removed.
_PREFIX = ".tagline-run-"
_PREFIX_OLD = ".tagline-old-"


def run_name(recipe: str, dataset: str, when: datetime) -> str:
    """Name a run ``<time>-<recipe>-<dataset>``, with no character that a file system minds.

    >>> run_name("fast", "my reviews", datetime(2025, 1, 31, 9, 5, 7))
    '20250131-090507-fast-my-reviews'
    """
    parts = (re.sub(r"[^\w.-]+", "-", part).strip("-.")[:60] for part in (recipe, dataset))
    return "-".join([f"{when:%Y%m%d-%H%M%S}", *(part for part in parts if part)])


@contextmanager
def reserved(parent: Path, name: str) -> Iterator[Path]:
    """Make and yield the empty folder ``parent/name``, numbered if that is taken; it goes again if all goes wrong.

    Two runs may end in the same second: making a folder is what only one of them can do.
    """
    made = _make_parents(parent)
    number, path = 1, parent / name
    while True:
        try:
            path.mkdir()
            break
        except FileExistsError:
            number += 1
            path = parent / f"{name}-{number}"
    try:
        yield path
    except BaseException:
        _remove_empty([path, *made])
        raise


def check_target(target: Path) -> None:
    """Raise `InputError` if a run cannot be put at ``target``: better before an hour of training than after."""
    here = Path.cwd()
    if target.resolve() in (here, *here.parents):
        raise InputError(f"`--out {target}` is the current folder or one above it: name a folder of its own.")
    if target.exists() and not target.is_dir():
        raise InputError(f"`{target}` is a file: `--out` names the folder of the run.")
    if target.is_dir():
        _check_replaceable(target)
    check_parent(target)


def tell_what_goes(target: Path, log: Callable[[str], None]) -> None:
    """Say that a run stands at ``target``, which a new one will replace."""
    if (target / MARK).is_file():
        log(f"{target} holds a run; the new one replaces it when it is whole")


def check_parent(target: Path) -> None:
    """Raise `InputError` if no folder can be made at ``target``."""
    above = target.absolute().parent
    while not above.exists():
        above = above.parent
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        raise InputError(f"`{target}` cannot be made: `{above}` cannot be written to.")


def _check_replaceable(target: Path) -> None:
    """Raise `InputError` unless a folder is empty, or a run and nothing else: whatever is in it will be deleted."""
    from tagline.bundle import INDEX

    names = {path.name for path in target.iterdir()}
    if not names:
        return
    run = _read_json(target / MARK)
    if run.get("format") != FORMAT or not run.keys() >= _KEYS:
        raise InputError(
            f"`{target}` is not empty and is not a run, which has a whole `{MARK}`: choose another folder with `--out`."
        )
    plots = {f"plots/{path.name}" for path in _children(target / "plots") if path.suffix not in (".svg", ".png")}
    parts = _read_json(target / "model" / INDEX).get("parts", {})
    model = {f"model/{path.name}" for path in _children(target / "model") if path.name not in (INDEX, *parts)}
    events = {f"{EVENTS}/{path.name}" for path in _children(target / EVENTS) if ".tfevents." not in path.name}
    foreign = (names - _FILES - {"plots", "model", EVENTS}) | plots | model | events
    if foreign:
        raise InputError(
            f"`{target / min(foreign)}` is not part of a run and would be lost: choose another folder with `--out`."
        )


def write_json(path: Path, content: Any) -> None:
    """Write JSON to a temporary name beside its place and rename it; a path in it becomes text."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    text = json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False, default=str)
    partial.write_text(f"{text}\n", encoding="utf-8")
    partial.replace(path)


def _read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; anything else is an empty one."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _children(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


@contextmanager
def building(target: Path) -> Iterator[Path]:
    """Yield an empty hidden folder beside ``target`` that becomes ``target`` if all goes well, or is removed.

    A process that is killed leaves its hidden folder behind; the next run beside it removes it (see
    `remove_abandoned`). An older run at ``target`` is replaced, anything else is not: see `check_target`.
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
        _remove_empty(made)
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
        try:
            folder.chmod(0o777 & ~umask())
            if os.name != "posix":
                return folder, None
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:  # another run may remove it before it is locked
            continue
        with suppress(OSError):  # a file system without locks: nobody can take it for abandoned either
            fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
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


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


def _put_in_place(folder: Path, target: Path) -> None:
    if target.is_dir() and any(target.iterdir()):
        # A folder cannot replace a full one: the old run steps aside first, into a place that is cleaned up.
        _check_replaceable(target)
        aside = Path(tempfile.mkdtemp(prefix=_PREFIX_OLD, dir=target.parent))
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
