"""What all requests share, and what is noted of one."""

from dataclasses import dataclass, field
from time import perf_counter

from starlette.requests import Request

from tagline.serve.access_log import AccessLog
from tagline.serve.batching import Scorer
from tagline.serve.metrics import Metrics
from tagline.serve.model_store import ModelStore
from tagline.serve.settings import ServerSettings


@dataclass
class Service:
    """The parts of a running server; ``draining`` once it has been told to stop."""

    settings: ServerSettings
    models: ModelStore
    scorer: Scorer
    log: AccessLog
    metrics: Metrics
    draining: bool = False


@dataclass
class RequestRecord:
    """One request and its answer, for the log and the metrics."""

    begun: float = field(default_factory=perf_counter)
    status: int = 0
    code: str | None = None
    model: str | None = None
    texts: list[str] = field(default_factory=list)
    n_texts: int = 0
    held: int = 0  # bytes of the body


def record_of(request: Request) -> RequestRecord:
    """Return what is noted of a request."""
    noted = request.scope["tagline.record"]
    assert isinstance(noted, RequestRecord)
    return noted
