"""The settings of a server: models, address, access and limits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tagline.serve.http.limits import Limits


@dataclass(frozen=True)
class ServerSettings:
    """``models`` are the paths by name; a request that names no model gets the first.

    ``root_path`` is the path below which a reverse proxy publishes the service, without a slash at its end.
    ``allowed_hosts`` are the lower-case names of the ``Host`` header that are answered, beside those of this machine;
    None answers any. ``title`` is the heading of the page of a single model; None for that of each model.
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
