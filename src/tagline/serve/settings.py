"""What a server was told: the models, where it listens, who may ask, and how much."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Limits:
    """How much one request, and all together, may ask for.

    ``max_body`` and ``max_file`` are bytes, of a JSON body and of an uploaded file; ``max_chars`` characters of one
    text; ``max_texts`` texts of a request; ``max_concurrent`` requests at a time; ``timeout`` seconds, for the body to
    arrive and then for the answer.
    """

    max_body: int = 10_000_000
    max_file: int = 100_000_000
    max_texts: int = 1_000
    max_chars: int = 100_000
    max_concurrent: int = 512
    timeout: float = 30.0


@dataclass(frozen=True)
class ServerSettings:
    """``models`` are the paths by name; the first is what a request gets that names none."""

    models: Mapping[str, Path]
    host: str = "127.0.0.1"
    port: int = 8000
    api_key: str | None = field(default=None, repr=False)
    cors: tuple[str, ...] = ()
    certificate: Path | None = None
    private_key: Path | None = None
    limits: Limits = Limits()
    log_texts: bool = False
