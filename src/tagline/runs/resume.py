"""What a training, a sweep and a search keep while they work, so that `--resume` goes on with them after any end.

A file of what was asked for, and a lock on the folder that it stands in: it tells whether the process still lives.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from tagline.atomic import is_locked, lock
from tagline.data import BUILT_IN
from tagline.errors import InputError
from tagline.runs.environment import versions

_Made = TypeVar("_Made")


def stamped(form: int, asked: dict[str, Any]) -> dict[str, Any]:
    """Return what was asked for, with the number of its form and the versions that it is begun with."""
    return {"format": form, **asked, "versions": versions()}


def read_begun(path: Path, form: int, make: Callable[[dict[str, Any]], _Made], place: Path, again: str) -> _Made:
    """Return what ``make`` makes of what was asked for; ``place`` is what the user calls it, ``again`` a way out.

    Raises:
        FileNotFoundError: nothing was begun there.
        InputError: it cannot be read, its data cannot be read again, or it was begun with other versions.

    """

    def damaged(error: Exception) -> InputError:
        return InputError(f"`{path}` cannot be read ({type(error).__name__}: {error}): {again}.")

    try:
        asked = json.loads(path.read_text(encoding="utf-8"))
        _check(asked, path, form, place, again)
    except (FileNotFoundError, InputError):
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise damaged(error) from None
    try:
        return make(asked)
    except (ValueError, KeyError, TypeError) as error:  # a recipe that is wrong, too
        raise damaged(error) from None


def _check(asked: dict[str, Any], path: Path, form: int, place: Path, again: str) -> None:
    if asked["format"] != form:
        raise InputError(f"`{path}` was written by another tagline: {again}.")
    if asked["data"] is None:
        raise InputError(f"The data of `{place}` cannot be read a second time: {again}.")
    begun = dict(asked["versions"])
    for name, version in versions().items():
        if begun.get(name) != version:
            other = begun.get(name, "of an unknown version")
            raise InputError(
                f"`{place}` was begun with {name} {other}, and here is {version}: what follows would not be what it "
                f"would have been. Install what it was begun with, or {again}."
            )


def begun_place(run: str | Path, suffix: str) -> Path:
    """Return the place of a run that a user names by it, or by the folder of its name and ``suffix`` that keeps it.

    Raises:
        InputError: a root is no place of a run.

    """
    place = Path(run).resolve()
    if not place.name:
        raise InputError(f"`{run}` is no run: there is nothing to go on with. `tagline runs` lists the runs.")
    return place.with_name(place.name.removesuffix(suffix))


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


def absolute(data: Any) -> Any:
    """Return the path of a file or a glob from the root, so that a run can be gone on with from another folder."""
    if isinstance(data, str | Path) and str(data) not in BUILT_IN:
        return str(Path(data).absolute())
    return data


def can_be_kept(data: Any, others: Sequence[Any]) -> bool:
    """Say whether the data can be read again: files and built-in sets can, standard input and objects cannot."""
    return isinstance(data, str | Path) and data != "-" and all(isinstance(o, str | Path | None) for o in others)


@contextmanager
def hold(folder: Path, use: str) -> Iterator[None]:
    """Hold the lock on the folder of a run, sweep or search; ``use`` says what another process that holds it does.

    Raises:
        InputError: another process holds it.

    """
    with ExitStack() as stack:
        try:
            stack.enter_context(lock(folder, wait=False))
        except (BlockingIOError, FileNotFoundError):
            raise InputError(f"`{folder}` is in use: another process {use}.") from None
        yield
