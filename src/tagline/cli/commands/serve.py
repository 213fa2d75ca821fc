"""``tagline serve``."""

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tagline.cli import options
from tagline.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Sequence

LISTENING, ACCESS, LIMITS = "Address", "Access", "Limits"
KEY_VARIABLE = "TAGLINE_API_KEY"
_SHORTEST_KEY = 16
_MB = 1_000_000


def serve(
    context: typer.Context,
    model: Annotated[str | None, typer.Argument(metavar="[MODEL]", help="A run folder or a model folder.")] = None,
    models: Annotated[
        list[str] | None,
        typer.Option(
            "--model", metavar="NAME=PATH", help="Another model, with its name.", rich_help_panel=options.MODEL
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="The address to listen on.", rich_help_panel=LISTENING)] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port; 0 for any free one.", rich_help_panel=LISTENING)
    ] = 8000,
    root_path: Annotated[
        str,
        typer.Option(
            metavar="PATH",
            help="The path below which a reverse proxy publishes the service.",
            rich_help_panel=LISTENING,
        ),
    ] = "",
    certificate: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Use TLS with this PEM certificate chain.", rich_help_panel=LISTENING),
    ] = None,
    private_key: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The private key, if it is not in the certificate file.", rich_help_panel=LISTENING
        ),
    ] = None,
    api_key_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help=f"Require the API key in this file (or in ${KEY_VARIABLE}).",
            rich_help_panel=ACCESS,
        ),
    ] = None,
    insecure: Annotated[
        bool,
        typer.Option("--insecure", help="Allow other machines to connect without an API key.", rich_help_panel=ACCESS),
    ] = False,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Also answer requests to this name, as behind a reverse proxy. Without an API key a server of this "
            "machine answers only as `localhost`.",
            rich_help_panel=ACCESS,
        ),
    ] = None,
    cors: Annotated[
        list[str] | None,
        typer.Option(metavar="ORIGIN", help="Allow requests from pages of this origin.", rich_help_panel=ACCESS),
    ] = None,
    max_body: Annotated[
        float, typer.Option(metavar="MB", min=0.001, help="The maximum size of a JSON body.", rich_help_panel=LIMITS)
    ] = 10,
    max_file: Annotated[
        float,
        typer.Option(metavar="MB", min=0.001, help="The maximum size of an uploaded file.", rich_help_panel=LIMITS),
    ] = 100,
    max_texts: Annotated[
        int, typer.Option(metavar="N", min=1, help="The maximum number of texts of a request.", rich_help_panel=LIMITS)
    ] = 1_000,
    max_chars: Annotated[
        int,
        typer.Option(metavar="N", min=1, help="The maximum length of a text, in characters.", rich_help_panel=LIMITS),
    ] = 100_000,
    max_concurrent: Annotated[
        int, typer.Option(metavar="N", min=1, help="The maximum number of concurrent requests.", rich_help_panel=LIMITS)
    ] = 512,
    timeout: Annotated[
        float,
        typer.Option(
            metavar="SECONDS", min=0.001, help="The time limit for a body, and for an answer.", rich_help_panel=LIMITS
        ),
    ] = 30,
    workers: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=1,
            help="The number of processes that answer requests, each with these limits.",
            rich_help_panel=LIMITS,
        ),
    ] = 1,
    title: options.Title = None,
    log_texts: Annotated[
        bool, typer.Option("--log-texts", help="Also log the texts.", rich_help_panel=options.OUTPUT)
    ] = False,
    _quiet: options.Quiet = False,
    _debug: options.Debug = False,
) -> None:
    """Serve models over HTTP, with a web page to try them, until Ctrl-C.

    A model whose files are replaced is reloaded within seconds; SIGHUP checks all of them again.

    Examples: [bold]tagline serve MODEL[/] and
    [bold]tagline serve --model films=runs/films --model news=runs/news --port 9000[/]
    """
    session = options.session_of(context)
    paths = _paths(model, models or [])
    if title is not None and len(paths) > 1:
        raise InputError(f"`--title` is the heading of one model, and {len(paths)} are served: leave it out.")
    key = _api_key(api_key_file)
    if private_key is not None and certificate is None:
        raise InputError("`--private-key` requires `--certificate FILE`.")
    try:
        if workers == 1:
            from tagline.serve.server import run_server as run
        else:
            from tagline.serve.workers.supervisor import run_workers as run
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("tagline"):
            raise
        raise MissingExtraError("`tagline serve`", "serve") from None
    from tagline.serve.http.hosts import is_loopback
    from tagline.serve.http.limits import Limits
    from tagline.serve.settings import ServerSettings

    if key is None and not insecure and not is_loopback(host):
        raise InputError(
            f"`{host}` is reachable from other machines, and no API key is set. Use `--api-key-file FILE` (or "
            f"{KEY_VARIABLE}), or `--insecure` to allow requests without a key."
        )
    settings = ServerSettings(
        models=paths,
        host=host,
        port=port,
        root_path=_root_path(root_path),
        title=title,
        allowed_hosts=_allowed_hosts(allow_host or [], host, checked=key is None and is_loopback(host)),
        api_key=key,
        cors=tuple(cors or ()),
        certificate=certificate,
        private_key=private_key,
        limits=Limits(round(max_body * _MB), round(max_file * _MB), max_texts, max_chars, max_concurrent, timeout),
        log_texts=log_texts,
        workers=workers,
    )
    session.stage("loading the model")
    run(settings, lambda address: session.stage(f"open {address} in a browser; Ctrl-C stops"))


def _allowed_hosts(given: "Sequence[str]", host: str, *, checked: bool) -> frozenset[str] | None:
    """Return the names that are answered; None for any, unless the server has no key or names are given."""
    return frozenset(name.lower().removesuffix(".") for name in (*given, host)) if checked or given else None


def _paths(model: str | None, named: "Sequence[str]") -> dict[str, Path]:
    paths: dict[str, Path] = {}
    if model is not None:
        folder = Path(model).resolve()
        name = folder.parent.name if folder.name == "model" and folder.parent.name else folder.name
        paths[name] = Path(model)
    for given in named:
        name, equals, path = given.partition("=")
        if not (name and equals and path):
            raise InputError(f"`--model {given}` is not of the form `NAME=PATH`.")
        if name in paths:
            raise InputError(f"Two models are called `{name}`. Give each a different name: `--model NAME=PATH`.")
        paths[name] = Path(path)
    if not paths:
        raise InputError("No model to serve: name a model, or several with `--model NAME=PATH`.")
    return paths


def _root_path(given: str) -> str:
    """Return a root path without a slash at its end."""
    path = given.rstrip("/")
    if path and not re.fullmatch(r"(/[\w.~-]+)+", path, re.ASCII):
        raise InputError(f"`--root-path {given}` is not a path of the form `/classifiers/tagline`.")
    return path


def _api_key(file: Path | None) -> str | None:
    """Return the API key; it is printable ASCII on one line, because it is sent in a header."""
    if file is not None:
        where, key = f"`{file}`", file.read_text(encoding="utf-8", errors="replace").strip()
    elif KEY_VARIABLE in os.environ:
        where, key = f"`{KEY_VARIABLE}`", os.environ[KEY_VARIABLE].strip()
    else:
        return None
    if len(key) < _SHORTEST_KEY or not key.isascii() or not key.isprintable() or " " in key:
        raise InputError(
            f"The API key in {where} must be {_SHORTEST_KEY} or more ASCII characters without spaces; "
            "`openssl rand -hex 32` makes a good one."
        )
    return key
