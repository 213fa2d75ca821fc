"""Prometheus metrics: requests, latency, texts, requests in flight, errors, batches, models."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import accumulate
from threading import Lock
from time import time

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_TEXTS = (1, 2, 4, 8, 16, 32, 64)
_Counts = Counter[tuple[str | int, ...]]  # by the values of the labels


class _Histogram:
    """How many values are in each bucket, and their sum."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def add_to(self, family: HistogramMetricFamily, labels: dict[str, str], since: float) -> None:
        bounds = [str(float(bound)) for bound in self._bounds] + ["+Inf"]
        family.add_metric(list(labels.values()), list(zip(bounds, accumulate(self._counts), strict=True)), self._sum)
        family.add_sample(f"{family.name}_created", labels, since)


class Metrics(Collector):
    """The metrics of one server. ``paths`` become labels; other paths are counted as ``other``.

    They are plain numbers, which take less time to count than the objects of prometheus_client. All but those of
    batches and reloads are counted in the thread of the event loop.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self._since = time()
        self.in_flight = 0
        self._requests: _Counts = Counter()
        self._seconds = {path: _Histogram(_SECONDS) for path in (*paths, "other")}
        self._texts: _Counts = Counter()
        self._rejected: _Counts = Counter()
        self._batches, self._lock = _Histogram(_TEXTS), Lock()
        self._reloads: _Counts = Counter()
        self._models: list[tuple[str, str]] = []
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._registry.register(self)

    def answered(self, path: str, status: int, seconds: float) -> None:
        """Count an answer."""
        known = path if path in self._seconds else "other"
        self._requests[known, status] += 1
        self._seconds[known].observe(seconds)

    def texts(self, model: str, n: int) -> None:
        """Count the texts of an answer."""
        self._texts[(model,)] += n

    def rejected(self, code: str) -> None:
        """Count a request that failed."""
        self._rejected[(code,)] += 1

    def batch(self, n_texts: int) -> None:
        """Count texts that were scored together, in any thread."""
        with self._lock:
            self._batches.observe(n_texts)

    def reloaded(self, model: str, result: str) -> None:
        """Count a bundle that was replaced, ``ok`` or ``failed``."""
        self._reloads[model, result] += 1

    def page(self, models: Iterable[tuple[str, str]]) -> bytes:
        """Return all metrics in the text format of Prometheus; ``models`` are names and versions."""
        self._models = list(models)
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics, for prometheus_client."""
        yield self._counter("tagline_requests", "Requests answered.", ["path", "status"], self._requests)
        seconds = HistogramMetricFamily("tagline_request_seconds", "Time to answer.", labels=["path"])
        for path, histogram in self._seconds.items():
            histogram.add_to(seconds, {"path": path}, self._since)
        yield seconds
        yield self._counter("tagline_texts", "Texts classified or explained.", ["model"], self._texts)
        yield self._counter("tagline_rejected", "Requests refused.", ["code"], self._rejected)
        yield GaugeMetricFamily("tagline_in_flight", "Requests being answered.", self.in_flight)
        batches = HistogramMetricFamily("tagline_batch_texts", "Texts scored together.", labels=[])
        with self._lock:
            self._batches.add_to(batches, {}, self._since)
        yield batches
        info = GaugeMetricFamily("tagline_model_info", "The models served.", labels=["model", "version"])
        for name, version in self._models:
            info.add_metric([name, version], 1)
        yield info
        yield self._counter("tagline_reloads", "Bundles replaced.", ["model", "result"], self._reloads)

    def _counter(self, name: str, about: str, labels: list[str], counts: _Counts) -> CounterMetricFamily:
        family = CounterMetricFamily(name, about, labels=labels)
        for values, n in list(counts.items()):  # a bundle may be replaced meanwhile
            family.add_metric([str(value) for value in values], n, created=self._since)
        return family
