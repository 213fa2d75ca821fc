"""The settings of a server: models, address, access and limits; and those of one of its worker processes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tagline.serve.http.limits import Limits


@dataclass(frozen=True)
class ServerSettings:
    """``models`` are the paths by name; a request that names no model gets the first.

    ``root_path`` is the path below which a reverse proxy publishes the service, without a slash at its end.
    ``allowed_hosts`` are the lower-case names of the ``Host`` header that are answered, beside those of this machine;
    None answers any. ``title`` is the heading of the page of a single model; None for that of each model. ``workers``
    is the number of processes, each of which has the ``limits``.
    """

    models: Mapping[str, Path]
    host: str = "127.0.0.1"
    port: int = 8000
    root_path: str = ""
    title: str | None = None
    allowed_hosts: frozenset[str] | None = None
    api_key: str | None = field(default=None, repr=False)
    cors: tuple[str, ...] = ()
    certificate: Path | None = None
    private_key: Path | None = None
    limits: Limits = field(default_factory=Limits)
    log_texts: bool = False
    workers: int = 1


@dataclass(frozen=True)
class WorkerSettings:
    """The settings of one of several worker processes.

    ``number`` counts from 1, and a process that replaces another has the number of that one. ``listener`` is the
    descriptor of the socket that all accept connections on. In ``folder`` each writes what it has counted since the
    server was started, at ``since`` (seconds since 1970), and the arrays that all share. A worker may use ``cores``.
    """

    server: ServerSettings
    number: int
    listener: int
    folder: Path
    since: float
    cores: int


@dataclass(frozen=True)
class Report:
    """What a worker reports: its ``address`` when it accepts connections, or an ``error`` with the exit status."""

    address: str = ""
    error: str = ""
    status: int = 1
