"""Runs that were stopped while a network was trained: what `tagline train --resume RUN` goes on with.

Beside the place of the run stands ``RUN.unfinished`` from the first epoch on: what was asked for, and the checkpoints.
It goes when the run is whole.
"""

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tagline.errors import InputError
from tagline.run.settings import TrainSettings

if os.name == "posix":
    import fcntl

SUFFIX = ".unfinished"
_ASKED = "asked.json"
_CHECKPOINTS = "checkpoints"
_FORMAT = 1


@dataclass(frozen=True)
class Unfinished:
    """A run to go on with: where it will stand, and what was asked for."""

    target: Path
    data: str
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


def find_unfinished(parent: Path) -> list[Path]:
    """Return the places of the runs below ``parent`` that were begun and not ended."""
    kept = sorted(parent.glob(f"*{SUFFIX}/{_ASKED}"))
    return [parent / path.parent.name.removesuffix(SUFFIX) for path in kept]


def read_unfinished(run: Path) -> Unfinished:
    """Read what is to be gone on with; ``run`` is the place of the run, or the folder that keeps it.

    Raises:
        InputError: nothing is kept there, or it cannot be read.

    """
    target = run.with_name(run.name.removesuffix(SUFFIX))
    path = unfinished_folder(target) / _ASKED
    try:
        asked = json.loads(path.read_text(encoding="utf-8"))
        settings = asked["settings"]
        settings |= {name: tuple(settings[name]) for name in ("settings", "text")}
        found = Unfinished(
            target, asked["data"], TrainSettings(**settings), tuple(asked["command"]), asked["fingerprint"]
        )
    except FileNotFoundError:
        what = "is finished" if (target / "run.json").exists() else "is not a run that was begun"
        raise InputError(f"`{run}` {what}: there is nothing to go on with. `tagline runs` lists the runs.") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"`{path}` cannot be read ({error}): train again, without `--resume`.") from None
    if asked["format"] != _FORMAT:
        raise InputError(f"`{path}` was written by another tagline: train again, without `--resume`.")
    return found


@contextmanager
def kept(unfinished: Unfinished) -> Iterator[None]:
    """Keep a run while it is trained; what is kept goes when all is well, and when there was no epoch to keep.

    Raises:
        InputError: another process trains it.

    """
    folder = unfinished.folder
    folder.mkdir(parents=True, exist_ok=True)
    lock = _lock(folder)
    asked = {
        "format": _FORMAT,
        "data": unfinished.data,
        "settings": asdict(unfinished.settings),
        "command": list(unfinished.command),
        "fingerprint": unfinished.fingerprint,
    }
    partial = folder / f"{_ASKED}.part"
    partial.write_text(json.dumps(asked, ensure_ascii=False, indent=1, default=str) + "\n", encoding="utf-8")
    partial.replace(folder / _ASKED)
    try:
        yield
    except BaseException:
        if not any(unfinished.checkpoints.rglob("*.pt")):
            shutil.rmtree(folder, ignore_errors=True)
        raise
    else:
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        if lock is not None:
            os.close(lock)


def absolute(data: Any) -> Any:
    """Return the path of a file from the root, anything else as it is: a run may be gone on with from elsewhere."""
    if isinstance(data, str | Path):
        with suppress(OSError):
            if Path(data).exists():
                return str(Path(data).absolute())
        return str(data)
    return data


def can_be_kept(data: Any, others: Sequence[Any]) -> bool:
    """Say whether the data can be read again: files and built-in sets can, standard input and objects cannot."""
    return isinstance(data, str | Path) and data != "-" and all(isinstance(o, str | Path | None) for o in others)


def _lock(folder: Path) -> int | None:
    if os.name != "posix":
        return None
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise InputError(f"`{folder}` is in use: another process trains this run.") from None
    except OSError:  # a file system without locks
        pass
    return lock
