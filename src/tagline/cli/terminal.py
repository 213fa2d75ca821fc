"""Output of a command: results to stdout, progress and warnings to stderr."""

import json
import os
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tagline.compiled import MISSING
from tagline.deprecated import TaglineDeprecationWarning

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.progress import Progress, TaskID

_PIPED_WIDTH = 160  # of a table that is not printed to a terminal, in characters


class Session:
    """One call of ``tagline``: its command line, its verbosity and its progress display.

    A stage is shown as a spinner with the elapsed time on a terminal, as a line elsewhere, and not at all with
    ``--quiet``.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self.command = [_without_access(argument) if "://" in argument else argument for argument in command]
        self.told_what_is_kept = False  # by the command that was stopped, in its last stage
        self.kept = "nothing was written"  # when the command is stopped
        self.debug = False
        self.quiet = False
        self._started = time.perf_counter()
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    @property
    def seconds(self) -> float:
        """How long the command has run."""
        return time.perf_counter() - self._started

    def stage(self, name: str) -> None:
        """Start a stage of the progress display."""
        if self.quiet:
            return
        self.told_what_is_kept = name.startswith("stopped")
        if not sys.stderr.isatty():
            sys.stderr.write(f"{self.seconds:6.1f} s  {name}\n")
            sys.stderr.flush()
            return
        if self._progress is None:
            from tagline.cli.progress import stage_display

            self._progress = stage_display(_console(sys.stderr))
            self._progress.start()
        self._end_stage()
        self._task = self._progress.add_task(_plain(name), total=1)

    def advance(self, name: str, done: int, total: int, *, milestone: bool) -> None:
        """Show the progress of the stage and the time left; only its milestones if stderr is not a terminal."""
        if self.quiet:
            return
        if not sys.stderr.isatty():
            if milestone:
                self.stage(name)
            return
        if self._progress is None or self._task is None:
            self.stage(name)
        assert self._progress is not None
        assert self._task is not None
        task = self._progress.tasks[self._task]
        stepped: dict[str, Any] = {"stepped": task.elapsed} if done > task.completed else {}
        self._progress.update(self._task, description=_plain(name), completed=done, total=total, **stepped)

    def update(self, name: str) -> None:
        """Change the name of the stage, on a terminal."""
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, description=_plain(name))

    def warn(self, sentence: str) -> None:
        """Print a warning of one line."""
        if not self.quiet:
            self.close()
            sys.stderr.write(f"warning: {one_line(sentence)}\n")

    def warn_uncompiled(self) -> None:
        """Say that what follows is slow if the compiled extensions are missing."""
        if MISSING is not None:
            self.warn(MISSING)

    def close(self) -> None:
        """End the progress display."""
        if self._progress is not None:
            self._end_stage()
            self._progress.stop()
            self._progress = self._task = None

    def _end_stage(self) -> None:
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=self._progress.tasks[self._task].total)


@contextmanager
def deprecations_as_lines(session: Session) -> Iterator[None]:
    """Print what tagline deprecates as a line each, once, instead of a warning of Python, which users do not see."""
    printed: set[str] = set()
    with warnings.catch_warnings():
        show_warning = warnings.showwarning

        def show_line(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
            if not issubclass(category, TaglineDeprecationWarning):
                show_warning(message, category, *place, **more)
            elif str(message) not in printed:
                printed.add(str(message))
                session.warn(str(message))

        warnings.simplefilter("always", TaglineDeprecationWarning)
        warnings.showwarning = show_line
        yield


def show(*parts: "RenderableType") -> None:
    """Print text and tables to stdout; text is printed literally, without rich's markup."""
    from tagline.cli.tables import in_blocks

    console = _console(sys.stdout)
    with console.capture() as printed:  # rich would end the process itself when the reader has gone
        for part in parts:
            for block in in_blocks(part, console):
                console.print(block, markup=False, highlight=False, soft_wrap=isinstance(block, str))
    sys.stdout.write(printed.get())


def show_json(document: Any) -> None:
    """Print one JSON document to stdout."""
    plain = (sys.stdout.encoding or "").lower().startswith("utf")
    sys.stdout.write(json.dumps(document, ensure_ascii=not plain, indent=1, allow_nan=False) + "\n")


def error_line(message: str) -> None:
    """Print ``error: …`` to stderr."""
    sys.stderr.write(f"error: {one_line(message)}\n")


def _without_access(argument: str) -> str:
    """Return an argument as it may be recorded: with URLs, such as those in an SQL query, as `public_url` has them."""
    from tagline.data.streams.urls import is_url, public_url, without_access

    return public_url(argument) if is_url(argument) else without_access(argument)


def one_line(message: str) -> str:
    """Return a message without line breaks and without characters that move the cursor."""
    return "".join(c if c.isprintable() else " " for c in " ".join(message.split()))


def silence_stdout() -> None:
    """Discard further output to stdout, which its reader has closed."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, sys.stdout.fileno())
    except (OSError, ValueError):  # stdout is not a file, as in tests
        pass
    finally:
        os.close(nowhere)


def _plain(words: str) -> str:
    return one_line(words).replace("[", r"\[")


def _console(file: Any) -> "Console":
    from rich.console import Console

    width = None if file.isatty() or "COLUMNS" in os.environ else _PIPED_WIDTH
    return Console(file=file, width=width, emoji=False)
