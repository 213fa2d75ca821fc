"""State shared by all requests of a server, and the record of each request."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from time import perf_counter

from starlette.requests import Request

from tagline.serve.batching import Scorer
from tagline.serve.http.access_log import AccessLog
from tagline.serve.metrics import Metrics
from tagline.serve.model_store import ModelStore, ServedModel
from tagline.serve.settings import ServerSettings


def _one_thread(name: str) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix=name)


@dataclass
class Service:
    """The parts of a running server; ``draining`` once it has received a signal to stop.

    Explanations share one thread, and so do the files that are labelled: a block of rows of each in turn.
    """

    settings: ServerSettings
    models: ModelStore
    scorer: Scorer
    log: AccessLog
    metrics: Metrics
    draining: bool = False
    explain_pool: ThreadPoolExecutor = field(default_factory=lambda: _one_thread("explain"))
    file_pool: ThreadPoolExecutor = field(default_factory=lambda: _one_thread("files"))
    files_in_progress: int = 0


@dataclass(slots=True)
class RequestRecord:
    """One request and its answer, for the log and the metrics."""

    service: Service
    started: float = field(default_factory=perf_counter)
    status: int = 0
    code: str | None = None
    model: str | None = None
    texts: list[str] = field(default_factory=list)
    n_texts: int = 0
    body_bytes: int = 0

    def classified(self, model: ServedModel, texts: list[str], n_texts: int | None = None) -> None:
        """Record the model and the texts, or their number, of a request."""
        self.model, self.texts = model.name, texts
        self.n_texts = len(texts) if n_texts is None else n_texts


def record_of(request: Request) -> RequestRecord:
    """Return the record of a request."""
    record = request.scope["tagline.record"]
    assert isinstance(record, RequestRecord)
    return record


def service_of(request: Request) -> Service:
    """Return the service that a request belongs to."""
    return record_of(request).service
