"""The commands put together, and `main`, which runs one and turns whatever goes wrong into one line."""

import errno
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Annotated

import typer

from tagline.cli import (
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
from tagline.cli.terminal import Session, error_line, silence_stdout
from tagline.errors import TaglineError

INTERRUPTED, CLOSED_PIPE, TERMINATED = 130, 141, 143
# What a person mends by naming something else; a full disk is not among them.
_WRONG_PATHS = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError, FileExistsError)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

app = typer.Typer(
    help="Labelled text in, a trustworthy text classifier out: on a plain CPU, in seconds.",
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
        bool, typer.Option("--version", help="Print the version and stop.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Labelled text in, a trustworthy text classifier out: on a plain CPU, in seconds."""
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
    session = Session(["tagline", *arguments])
    if getattr(sys.stdout, "errors", None) in ("strict", "surrogateescape"):  # the second where the locale is C
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # typed without it
    try:
        with stopped_by_exceptions():
            return _run(arguments, session)
    finally:
        session.close()


def _run(arguments: list[str], session: Session) -> int:
    try:
        command = typer.main.get_command(app)
        with command.make_context("tagline", arguments, obj=session) as context:
            command.invoke(context)
        sys.stdout.flush()
    except typer.Exit as stop:
        return stop.exit_code
    except (KeyboardInterrupt, typer.Abort):
        session.close()
        error_line("stopped by Ctrl-C; nothing was left half-written.")
        return INTERRUPTED
    except SystemExit as stop:
        if stop.code != 1:
            raise
        return CLOSED_PIPE  # rich, which prints the help, ends the process so
    except BrokenPipeError:
        silence_stdout()
        return CLOSED_PIPE
    except Exception as error:  # noqa: BLE001 (the one place where every fault becomes a line)
        session.close()
        if session.debug:
            traceback.print_exc()
        message, status = explained(error)
        error_line(message)
        return status
    return 0


def explained(error: Exception) -> tuple[str, int]:
    """Return one line about an error, and the exit status that goes with it."""
    if isinstance(error, TaglineError):
        return str(error), error.exit_status
    if hasattr(error, "format_message"):  # a usage error of click, whose classes typer does not show
        return _usage(error), 2
    if isinstance(error, OSError) and error.errno in _FULL:
        return "the disk is full; nothing was left half-written. Free some space, or write somewhere else.", 1
    if isinstance(error, OSError):
        what = error.strerror or str(error)
        where = f"`{error.filename}`: " if error.filename else ""
        return f"{where}{what}.", 2 if isinstance(error, _WRONG_PATHS) else 1
    if isinstance(error, MemoryError):
        return "there is not enough memory for this.", 1
    about = str(error).strip().splitlines()
    return f"unexpected {type(error).__name__}: {about[0] if about else ''} (`--debug` shows where)", 1


def _usage(error: Exception) -> str:
    given = str(error.format_message())  # type: ignore[attr-defined]  # `explained` has seen that it is there
    message = given.strip().replace("'", "`").replace("Value error, ", "")  # so wrong choices begin
    possible = getattr(error, "possibilities", None)
    if possible:
        message = f"{message.partition(' (Possible')[0].partition(' Did you mean')[0]}. Did you mean `{possible[0]}`?"
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "tagline"
    return f"{message if message[-1:] in '.?!' else message + '.'} See `{command} --help`."


def _holds_import_lock(code: CodeType) -> bool:
    """Say whether an exception in ``code`` would leave the import lock held, which other threads await."""
    return code.co_filename == "<frozen importlib._bootstrap>" and code.co_name in ("_get_module_lock", "cb")


@contextmanager
def stopped_by_exceptions() -> Iterator[None]:
    """Let SIGTERM, as Ctrl-C does, unwind the stack, so that nothing half-written stays behind."""

    def stop(number: int, frame: FrameType | None) -> None:
        if frame is not None and sys.platform != "win32" and _holds_import_lock(frame.f_code):
            later = threading.Timer(0.01, signal.pthread_kill, (threading.main_thread().ident, number))
            later.daemon = True
            later.start()
            return
        raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(TERMINATED)

    before: dict[signal.Signals, signal._HANDLER] = {}
    if threading.current_thread() is threading.main_thread():  # elsewhere the signals are somebody else's
        before[signal.SIGTERM] = signal.signal(signal.SIGTERM, stop)
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # in the background it is ignored
            before[signal.SIGINT] = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
