"""The folder of a sweep: its request, the finished trials, and work files until it is complete."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tagline.errors import InputError
from tagline.experiments.sweep.grid import Variant
from tagline.runs.resume import hold, is_resumable, read_request
from tagline.storage.atomic import remove_abandoned, write_json
from tagline.storage.locks import is_locked

REQUEST, TRIALS, WORK, RESULTS = "sweep.json", "trials.sqlite", "work", "results.json"
FORMAT = 1


@dataclass(frozen=True)
class SweepRequest:
    """A sweep to run or to resume: ``content`` of its ``sweep.json``, with the variants as recipes."""

    folder: Path
    variants: list[Variant]
    content: dict[str, Any]

    @property
    def seeds(self) -> list[int]:
        """The seeds that every variant runs with."""
        return list(self.content["seeds"])

    @property
    def sizes(self) -> list[int] | None:
        """The numbers of training rows of a learning curve, increasing; None: every trial uses all rows."""
        sizes = self.content["sizes"]
        return None if sizes is None else list(sizes)

    @property
    def work(self) -> Path:
        """The folder of work files; it exists until the sweep is complete."""
        return self.folder / WORK


def create_folder(request: SweepRequest) -> None:
    """Write the request into the folder of a new sweep, which exists and is empty: see `check_out`."""
    request.work.mkdir(exist_ok=True)
    write_json(request.folder / REQUEST, request.content)


def check_out(folder: Path) -> None:
    """Raise `InputError` unless a new sweep can be written to ``folder``."""
    if (folder / WORK).is_dir() and (folder / REQUEST).is_file():
        raise InputError(f"`{folder}` is an unfinished sweep: resume it with `tagline sweep --resume {folder}`.")
    if folder.exists() and not folder.is_dir():
        raise InputError(f"`{folder}` is a file: `--out` names the folder of the sweep.")
    remove_abandoned(folder)
    with suppress(OSError):  # missing, or not empty: only as a process was killed that began is it
        (folder / WORK).rmdir()
    if folder.is_dir() and any(folder.iterdir()):
        raise InputError(f"`{folder}` is not empty: choose another folder with `--out`.")


def find_sweeps(parent: Path) -> list[tuple[Path, bool]]:
    """Return the folders below ``parent`` of unfinished sweeps that can be resumed, and whether each is running."""
    unfinished = [path.parent for path in sorted(parent.glob(f"*/{WORK}"))]
    return [(folder, is_locked(folder)) for folder in unfinished if is_resumable(folder / REQUEST)]


def load_request(folder: Path) -> SweepRequest:
    """Read the request of an unfinished sweep.

    Raises:
        InputError: there is no unfinished sweep, it cannot be read, or it was started with other versions.

    """
    path = folder / REQUEST
    if path.is_file() and not (folder / WORK).is_dir():
        raise InputError(f"`{folder}` is finished: there is nothing to resume.")

    def parse(content: dict[str, Any]) -> SweepRequest:
        return SweepRequest(folder, [Variant.from_json(variant, str(path)) for variant in content["variants"]], content)

    try:
        return read_request(path, FORMAT, parse, folder, f"remove `{folder}` and start a new sweep")
    except FileNotFoundError:
        raise InputError(f"`{folder}` is not the folder of a sweep: there is nothing to resume.") from None


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold the lock of a sweep; the system releases it when the process ends.

    Raises:
        InputError: another process runs it.

    """
    with hold(folder, "runs its trials"):
        yield
