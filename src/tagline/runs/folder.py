"""Where a run is written: built in a hidden folder beside its place, which it takes when it is whole."""

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from tagline.atomic import recover, replace_folder, write_file
from tagline.errors import InputError

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
    recover(target)
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
    """Write JSON, whole or not at all; a path in it becomes text."""
    text = json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False, default=str)
    write_file(path, f"{text}\n")


def _read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; anything else is an empty one."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _children(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def building(target: Path) -> AbstractContextManager[Path]:
    """Yield an empty folder that becomes the run ``target`` if all goes well; an older run there is replaced."""
    return replace_folder(target, _check_replaceable)


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
