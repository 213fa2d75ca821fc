"""Prometheus metrics: requests, latency, texts, requests in flight, errors, batches, models."""

from collections.abc import Iterable
from functools import cache

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_TEXTS = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """The metrics of one server. ``paths`` become labels; other paths are counted as ``other``."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        requests = Counter("tagline_requests", "Requests answered.", ["path", "status"], registry=registry)
        seconds = Histogram("tagline_request_seconds", "Time to answer.", ["path"], registry=registry, buckets=_SECONDS)
        self._requests = cache(requests.labels)
        self._seconds = {path: seconds.labels(path) for path in (*paths, "other")}
        texts = Counter("tagline_texts", "Texts classified or explained.", ["model"], registry=registry)
        self._texts = cache(texts.labels)
        self._rejected = Counter("tagline_rejected", "Requests refused.", ["code"], registry=registry)
        self.in_flight = Gauge("tagline_in_flight", "Requests being answered.", registry=registry)
        self._batches = Histogram("tagline_batch_texts", "Texts scored together.", registry=registry, buckets=_TEXTS)
        self._info = Gauge("tagline_model_info", "The models served.", ["model", "version"], registry=registry)
        self._reloads = Counter("tagline_reloads", "Bundles replaced.", ["model", "result"], registry=registry)

    def answered(self, path: str, status: int, seconds: float) -> None:
        """Count an answer."""
        known = path if path in self._seconds else "other"
        self._requests(known, status).inc()
        self._seconds[known].observe(seconds)

    def texts(self, model: str, n: int) -> None:
        """Count the texts of an answer."""
        self._texts(model).inc(n)

    def rejected(self, code: str) -> None:
        """Count a request that failed."""
        self._rejected.labels(code).inc()

    def batch(self, n_texts: int) -> None:
        """Count texts that were scored together."""
        self._batches.observe(n_texts)

    def reloaded(self, model: str, result: str) -> None:
        """Count a bundle that was replaced, ``ok`` or ``failed``."""
        self._reloads.labels(model, result).inc()

    def page(self, models: Iterable[tuple[str, str]]) -> bytes:
        """Return all metrics in the text format of Prometheus; ``models`` are names and versions."""
        self._info.clear()
        for name, version in models:
            self._info.labels(name, version).set(1)
        return generate_latest(self._registry)
