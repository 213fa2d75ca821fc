"""The folder of a sweep: what was asked for, the trials that have ended, and work files until it is whole."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tagline.atomic import is_locked, write_json
from tagline.errors import InputError
from tagline.experiments.sweep.grid import Variant
from tagline.runs.resume import hold, is_resumable, read_request

ASKED, TRIALS, WORK, RESULTS = "sweep.json", "trials.sqlite", "work", "results.json"
FORMAT = 1


@dataclass(frozen=True)
class Asked:
    """What a sweep is made of: ``content`` of its ``sweep.json``, with the variants as recipes."""

    folder: Path
    variants: list[Variant]
    content: dict[str, Any]

    @property
    def seeds(self) -> list[int]:
        """Return the seeds, each of which every variant is tried with."""
        return list(self.content["seeds"])

    @property
    def sizes(self) -> list[int] | None:
        """Return the numbers of rows to learn from, growing; None: all, once."""
        sizes = self.content["sizes"]
        return None if sizes is None else list(sizes)

    @property
    def work(self) -> Path:
        """Return the folder of work files, which is there until the sweep is whole."""
        return self.folder / WORK


def begin(asked: Asked) -> None:
    """Write what was asked for into the folder of a sweep that begins, which is there and empty."""
    asked.work.mkdir()
    write_json(asked.folder / ASKED, asked.content)


def check_out(folder: Path) -> None:
    """Raise `InputError` unless a sweep can be made at ``folder``."""
    if (folder / WORK).is_dir() and (folder / ASKED).is_file():
        raise InputError(f"`{folder}` is an unfinished sweep: `tagline sweep --resume {folder}` goes on with it.")
    if folder.exists() and not folder.is_dir():
        raise InputError(f"`{folder}` is a file: `--out` names the folder of the sweep.")
    if folder.is_dir() and any(folder.iterdir()):
        raise InputError(f"`{folder}` is not empty: choose another folder with `--out`.")


def find_sweeps(parent: Path) -> list[tuple[Path, bool]]:
    """Return the folders below ``parent`` of sweeps that can be gone on with, and whether a process leads each."""
    begun = [path.parent for path in sorted(parent.glob(f"*/{WORK}"))]
    return [(folder, is_locked(folder)) for folder in begun if is_resumable(folder / ASKED)]


def read_asked(folder: Path) -> Asked:
    """Read what is to be gone on with.

    Raises:
        InputError: there is nothing to go on with, it cannot be read, or it was begun with other versions.

    """
    path = folder / ASKED
    if path.is_file() and not (folder / WORK).is_dir():
        raise InputError(f"`{folder}` is finished: there is nothing to go on with.")

    def made(content: dict[str, Any]) -> Asked:
        return Asked(folder, [Variant.from_json(variant, str(path)) for variant in content["variants"]], content)

    try:
        return read_request(path, FORMAT, made, folder, f"remove `{folder}` and sweep again")
    except FileNotFoundError:
        raise InputError(f"`{folder}` is not a sweep that was begun: there is nothing to go on with.") from None


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Let one process at a time lead a sweep; the system lets go of the lock when that ends, however it ends.

    Raises:
        InputError: another process leads it.

    """
    with hold(folder, "makes its trials"):
        yield
