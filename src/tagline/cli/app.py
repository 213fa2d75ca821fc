"""The commands, and `main`, which runs one of them and turns every error into one line."""

import atexit
import errno
import gc
import os
import re
import shlex
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cache
from typing import Annotated, Any

import typer

from tagline.cli.commands import (
    compare,
    datasets,
    evaluate,
    explain,
    export,
    predict,
    recipes,
    report,
    runs,
    serve,
    sweep,
    train,
    tune,
)
from tagline.cli.interrupts import INTERRUPTED, TERMINATED, StopSignals, Terminated
from tagline.cli.terminal import Session, deprecations_as_lines, error_line, silence_stdout
from tagline.errors import ColumnError, InputError, TaglineError, is_disk_full

CLOSED_PIPE = 141
# Errors that another path fixes; a full disk is not among them.
_WRONG_PATHS = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError, FileExistsError)
#: Options that an example in an error leaves out: it is to be read, and tried.
_OUTPUT_FLAGS = frozenset(("--json", "--quiet", "-q", "--debug"))
_RESUMABLE = frozenset(("train", "tune", "sweep"))
# Of address space: training takes 1.9 GB on 2 cores. With less, polars ends the process, and OpenBLAS tries for ever.
_FEWEST_BYTES = 2 << 30
_OBJECTS_UNTIL_COLLECTION = 10_000  # Python's default is 700
# What libraries that cannot be loaded say instead of raising `MemoryError`, and what threads do.
_OUT_OF_MEMORY = re.compile(
    "failed to map segment|cannot allocate memory|bad.alloc|can't start new thread", re.IGNORECASE
)

app = typer.Typer(
    help="Train trustworthy text classifiers from labelled text, on a CPU, in seconds.",
    epilog="Start with `tagline train` (25,000 film reviews) or `tagline train FILE.csv`.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


def _print_version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        sys.stdout.write(f"tagline {version('tagline')}\n")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Train trustworthy text classifiers from labelled text, on a CPU, in seconds."""
    if context.invoked_subcommand is None:
        sys.stdout.write(f"{context.get_help()}\n")


app.command("train")(train.train)
app.command("predict")(predict.predict)
app.command("evaluate")(evaluate.evaluate)
app.command("compare")(compare.compare)
app.command("explain")(explain.explain)
app.command("export")(export.export)
app.command("report")(report.report)
app.command("runs")(runs.runs)
app.command("serve")(serve.serve)
app.command("sweep")(sweep.sweep)
app.command("tune")(tune.tune)
app.add_typer(datasets.app, name="datasets")
app.add_typer(recipes.app, name="recipes")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    >>> main(["--version"])  # doctest: +SKIP
    tagline 0.1.0
    0
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if "_TAGLINE_COMPLETE" in os.environ:  # the shell asks for completions
        app(arguments, prog_name="tagline")
    _open_standard_streams()
    session = Session(["tagline", *arguments])
    if getattr(sys.stdout, "errors", None) in ("strict", "surrogateescape"):  # the second where the locale is C
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # typed without it
    with StopSignals() as signals, closing(session), deprecations_as_lines(session), _rare_collections():
        try:
            _check_memory()
            with _command().make_context("tagline", arguments, obj=session) as context:
                _command().invoke(context)
            sys.stdout.flush()
        except BaseException as error:  # noqa: BLE001 (the one place where every error becomes a line and a status)
            signals.ignore()
            return _report(error, session)
    return 0


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Look for garbage less often: imports make half a million objects and no garbage, and each search takes longer.

    The search when the process exits would take a third of a second: frozen objects are left out of it.
    """
    atexit.register(gc.freeze)
    before = gc.get_threshold()
    gc.set_threshold(_OBJECTS_UNTIL_COLLECTION, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _open_standard_streams() -> None:
    """Replace streams that the caller closed, ``2>&-``, which Python leaves out."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115, PTH123  # until the process ends


def _check_memory() -> None:
    """Raise `InputError` under a limit of memory in which libraries cannot be loaded: one of them tries for ever."""
    if sys.platform == "win32":
        return
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < _FEWEST_BYTES:
        raise InputError(
            f"there is not enough memory: `ulimit -v` allows {limit >> 20:,} MB, and tagline needs "
            f"{_FEWEST_BYTES >> 20:,} MB."
        )


@cache
def _command() -> Any:
    """Return the commands as `click` runs them; ``main`` may be called often in one process."""
    return typer.main.get_command(app)


def _report(error: BaseException, session: Session) -> int:
    """Print what went wrong, and return the exit status."""
    match error:
        case typer.Exit():
            return error.exit_code
        case KeyboardInterrupt() | typer.Abort():
            session.close()
            kept = f"; {session.kept}"
            if _RESUMABLE.intersection(session.command[:2]):
                kept = "; if anything was kept, `tagline runs` says how to resume it"
            error_line(f"stopped{'' if session.told_what_is_kept else kept}.")
            return INTERRUPTED
        case Terminated():
            return TERMINATED
        case BrokenPipeError() | SystemExit(code=1):  # rich, which prints the help, ends the process so
            silence_stdout()
            return CLOSED_PIPE
        case Exception():
            session.close()
            if session.debug:
                traceback.print_exception(error)
            message, status = explain_error(error)
            if isinstance(error, ColumnError) and error.answer:
                message += f" For example: {_example([*session.command, *error.answer])}"
            error_line(message)
            return status
    raise error


def _example(command: Sequence[str]) -> str:
    """Write a command line for a shell, without the options that only concern its output."""
    return shlex.join(word for word in command if word not in _OUTPUT_FLAGS)


def explain_error(error: Exception) -> tuple[str, int]:
    """Return a one-line message for an error, and the exit status."""
    if isinstance(error, TaglineError):
        return str(error), error.exit_status
    if hasattr(error, "format_message"):  # a usage error of click, whose classes typer does not show
        return _usage(error), 2
    if is_disk_full(error):
        return "the disk is full; no output file is incomplete. Free some space, or write to another disk.", 1
    if _lacks_memory(error):
        return "there is not enough memory.", 1
    if isinstance(error, OSError):
        what = error.strerror or str(error)
        where = f"`{error.filename}`: " if error.filename else ""
        wrong_path = isinstance(error, _WRONG_PATHS) or error.errno in (errno.ELOOP, errno.ENAMETOOLONG)
        return f"{where}{what}.", 2 if wrong_path else 1
    if isinstance(error, RuntimeError) and str(error).startswith("Symlink loop"):  # of pathlib before Python 3.13
        return "the path to write to is a link that leads to itself: name another.", 2
    about = str(error).strip().splitlines()
    return f"unexpected {type(error).__name__}: {about[0] if about else ''} (run with `--debug` for the traceback)", 1


def _lacks_memory(error: BaseException | None) -> bool:
    """Return whether an error, or one that it was raised from, comes from a lack of memory."""
    if error is None:
        return False
    if isinstance(error, OSError) and error.errno not in (None, errno.ENOMEM):
        return False  # its message names a file
    found = isinstance(error, MemoryError) or _OUT_OF_MEMORY.search(str(error)) is not None
    return found or _lacks_memory(error.__cause__ or error.__context__)


def _usage(error: Exception) -> str:
    given = str(error.format_message())  # type: ignore[attr-defined]  # `explain_error` has seen that it is there
    message = given.strip().replace("'", "`").replace("Value error, ", "")  # so wrong choices begin
    possible = getattr(error, "possibilities", None)
    if possible:
        message = f"{message.partition(' (Possible')[0].partition(' Did you mean')[0]}. Did you mean `{possible[0]}`?"
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "tagline"
    return f"{message if message[-1:] in '.?!' else message + '.'} See `{command} --help`."
