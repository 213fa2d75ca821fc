"""Prometheus metrics: requests, latency, texts, requests in flight, errors, batches, models."""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import accumulate
from time import time

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from tagline.serve.workers.figures import Counts, Figures, Histogram, SharedFigures

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SHARE_SECONDS = 1.0


class Metrics(Collector):
    """The metrics of one server. ``paths`` become labels; other paths are counted as ``other``.

    With ``shared`` figures they are the sums of all its workers, each of which writes its figures every second and
    before it answers with the sums: no answer is lower than an earlier one. ``since`` is the time of the start.
    """

    def __init__(self, paths: Iterable[str], since: float | None = None, shared: SharedFigures | None = None) -> None:
        self._since = time() if since is None else since
        self._paths, self._shared = (*paths, "other"), shared
        self._figures = self._shown = Figures(self._paths)
        self._models: list[tuple[str, str]] = []
        self._registry = CollectorRegistry()
        PlatformCollector(registry=self._registry)
        if shared is None:
            ProcessCollector(registry=self._registry)
        else:
            shared.restore(self._figures)
        self._registry.register(self)

    def began(self) -> None:
        """Count a request that has arrived."""
        self._figures.in_flight += 1

    def answered(self, path: str, status: int, seconds: float) -> None:
        """Count the answer of a request that has arrived."""
        figures = self._figures
        known = path if path in figures.seconds else "other"
        figures.in_flight -= 1
        figures.requests[known, status] += 1
        figures.seconds[known].observe(seconds)

    def texts(self, model: str, n: int) -> None:
        """Count the texts of an answer."""
        self._figures.texts[(model,)] += n

    def rejected(self, code: str) -> None:
        """Count a request that failed."""
        self._figures.rejected[(code,)] += 1

    def batch(self, n_texts: int) -> None:
        """Count texts that were scored together, in any thread."""
        with self._figures.lock:
            self._figures.batches.observe(n_texts)

    def reloaded(self, model: str, result: str) -> None:
        """Count a bundle that was replaced, ``ok`` or ``failed``."""
        self._figures.reloads[model, result] += 1

    async def share(self) -> None:
        """Write the figures for the other workers every second."""
        while self._shared is not None:
            with suppress(OSError):  # a full disk may have room a second later
                self._shared.write(self._figures)
            await asyncio.sleep(_SHARE_SECONDS)

    def page(self, models: Iterable[tuple[str, str]]) -> bytes:
        """Return all metrics in the text format of Prometheus; ``models`` are names and versions."""
        self._models = list(models)
        if self._shared is not None:
            self._shared.write(self._figures)
            self._shown = Figures(self._paths)
            self._shared.add_all(self._shown)
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics, for prometheus_client."""
        shown = self._shown
        yield self._counter("tagline_requests", "Requests answered.", ["path", "status"], shown.requests)
        seconds = HistogramMetricFamily("tagline_request_seconds", "Time to answer.", labels=["path"])
        for path, histogram in shown.seconds.items():
            self._add(seconds, histogram, {"path": path})
        yield seconds
        yield self._counter("tagline_texts", "Texts classified or explained.", ["model"], shown.texts)
        yield self._counter("tagline_rejected", "Requests refused.", ["code"], shown.rejected)
        yield GaugeMetricFamily("tagline_in_flight", "Requests being answered.", shown.in_flight)
        batches = HistogramMetricFamily("tagline_batch_texts", "Texts scored together.", labels=[])
        with shown.lock:
            self._add(batches, shown.batches, {})
        yield batches
        info = GaugeMetricFamily("tagline_model_info", "The models served.", labels=["model", "version"])
        for name, version in self._models:
            info.add_metric([name, version], 1)
        yield info
        yield self._counter("tagline_reloads", "Bundles replaced.", ["model", "result"], shown.reloads)

    def _counter(self, name: str, about: str, labels: list[str], counts: Counts) -> CounterMetricFamily:
        family = CounterMetricFamily(name, about, labels=labels)
        for values, n in list(counts.items()):  # a bundle may be replaced meanwhile
            family.add_metric([str(value) for value in values], n, created=self._since)
        return family

    def _add(self, family: HistogramMetricFamily, histogram: Histogram, labels: dict[str, str]) -> None:
        bounds = [str(float(bound)) for bound in histogram.bounds] + ["+Inf"]
        buckets = list(zip(bounds, accumulate(histogram.counts), strict=True))
        family.add_metric(list(labels.values()), buckets, histogram.sum)
        family.add_sample(f"{family.name}_created", labels, self._since)
