"""The place of a run: its name, and whether a folder may be made or replaced there."""

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from tagline.bundle import EXPORT, INDEX
from tagline.bundle import MODEL as MODEL_LAYOUT
from tagline.errors import InputError, is_disk_full
from tagline.run_folder.files import EVENTS, FILES, FORMAT, KEYS, MODEL, PLOTS, RUN, RUNS, Json
from tagline.storage.atomic import check_folder, make_parents, recover, remove_abandoned, replace_folder

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:[/\\]")  # a path has one of the two slashes; one letter is a drive


def looks_like_url(path: str | Path) -> bool:
    """Say whether a path that the user named is a URL, where only folders of this machine can be named."""
    return _SCHEME.match(str(path)) is not None


def run_name(recipe: str, dataset: str, when: datetime) -> str:
    """Name a run ``<time>-<recipe>-<dataset>``, of characters that every file system allows.

    >>> run_name("fast", "my reviews", datetime(2025, 1, 31, 9, 5, 7))
    '20250131-090507-fast-my-reviews'
    """
    parts = (_shortened(re.sub(r"[^\w.-]+", "-", part).strip("-.")) for part in (recipe, dataset))
    return "-".join([f"{when:%Y%m%d-%H%M%S}", *(part for part in parts if part)])


def _shortened(name: str) -> str:
    return name[:60].encode()[:100].decode(errors="ignore")  # file systems take 255 bytes, with what is added


@contextmanager
def reserved(parent: Path, name: str) -> Iterator[Path]:
    """Make and yield the empty folder ``parent/name``, numbered if the name is taken; an exception removes it.

    Two runs may end in the same second: only one of them can make a folder.
    """
    made = make_parents(parent)
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
        for folder in (path, *made):
            with suppress(OSError):  # not empty
                folder.rmdir()
        raise


def building(target: Path) -> AbstractContextManager[Path]:
    """Yield an empty folder that becomes the run ``target`` at the end; an older run there is replaced."""
    return replace_folder(target, _check_replaceable)


def check_target(target: Path) -> None:
    """Raise `InputError` if a run cannot be written to ``target``: before an hour of training, not after."""
    recover(target)
    here = Path.cwd()
    if target.resolve() in (here, *here.parents):
        raise InputError(f"`--out {target}` is the current folder or one above it: name a folder of its own.")
    check_parent(target)
    if target.exists() and not target.is_dir():
        raise InputError(f"`{target}` is a file: `--out` names the folder of the run.")
    if target.is_dir():
        _check_replaceable(target)


def chosen_target(out: str | Path | None, log: Callable[[str], None]) -> Path | None:
    """Return ``--out`` as the folder to write a run to, or None if a new one in `RUNS` is to be made.

    Log that there is a run, which the new one will replace.

    Raises:
        InputError: a run cannot be written there: see `check_target`.

    """
    if out is None:
        check_parent(RUNS / "run")
        return None
    if looks_like_url(out):
        raise InputError("`--out` is a folder of this machine, not a URL.")
    target = Path(os.path.normpath(out))
    check_target(target)
    if (target / RUN).is_file():
        log(f"{target} holds a run; the new one replaces it when it is complete")
    return target


def check_parent(target: Path) -> None:
    """Raise `InputError` if no folder can be written at ``target``; a full disk is an `OSError`."""
    with refusing(target):
        check_folder(target)


@contextmanager
def refusing(target: Path) -> Iterator[None]:
    """Turn an `OSError` into an `InputError` that says that ``target`` cannot be written; a full disk stays one."""
    try:
        yield
    except OSError as error:
        if is_disk_full(error):
            raise
        raise InputError(f"`{target}` cannot be written: {(error.strerror or str(error)).lower()}.") from None


def check_foreign(target: Path) -> None:
    """Raise `InputError` if a file at ``target`` would be one of a model, or replace one of a run."""
    folder = target.resolve().parent
    if any((folder / layout.index).is_file() for layout in (MODEL_LAYOUT, EXPORT)):
        raise InputError(f"`{target}` is in the folder of a model: write to another folder.")
    if target.name in FILES and (folder / RUN).is_file():
        raise InputError(f"`{target}` is a file of the run in `{folder}`: choose another name.")


def _check_replaceable(target: Path) -> None:
    """Raise `InputError` unless a folder is empty, or a run and nothing else: everything in it will be deleted."""
    remove_abandoned(target)
    names = {path.name for path in target.iterdir()}
    if not names:
        return
    record = _read_object_or_empty(target / RUN)
    if record.get("format") != FORMAT or not record.keys() >= KEYS:
        raise InputError(
            f"`{target}` is not empty and is not a run with a valid `{RUN}`: choose another folder with `--out`."
        )
    plots = {f"{PLOTS}/{path.name}" for path in _children(target / PLOTS) if path.suffix not in (".svg", ".png")}
    parts = _read_object_or_empty(target / MODEL / INDEX).get("parts", {})
    model = {f"{MODEL}/{path.name}" for path in _children(target / MODEL) if path.name not in (INDEX, *parts)}
    events = {f"{EVENTS}/{path.name}" for path in _children(target / EVENTS) if ".tfevents." not in path.name}
    foreign = (names - FILES - {PLOTS, MODEL, EVENTS}) | plots | model | events
    if foreign:
        raise InputError(
            f"`{target / min(foreign)}` is not part of a run and would be lost: choose another folder with `--out`."
        )


def _read_object_or_empty(path: Path) -> Json:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _children(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []
