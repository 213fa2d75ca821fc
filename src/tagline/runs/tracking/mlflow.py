"""MLflow: a run in the store that MLflow chooses, by default SQLite in the current folder. No server is needed.

``MLFLOW_TRACKING_URI`` and ``MLFLOW_EXPERIMENT_NAME`` (or ``_ID``) change that; the default experiment is
named after the data.
"""

import json
import logging
import os
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tagline.runs.tracking.figures import Parameter
from tagline.storage.atomic import write_file

_ARTIFACTS = ("report.html", "metrics.json", "classes.parquet", "run.json", "history.csv", "refit_history.csv")
_LONGEST = 6000  # characters of a parameter that MLflow takes
# Against defaults of MLflow: telemetry, writing to standard output, retrying a dead server for minutes.
_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
}


class MLflow:
    """One run of MLflow; a file in ``kept`` records its id, so that a resumed run stays one run."""

    def __init__(self, kept: Path | None) -> None:
        for name, value in _ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        self._note = None if kept is None else kept / "mlflow.json"
        self._run = ""
        started = json.loads(self._note.read_text(encoding="utf-8")) if self._note and self._note.exists() else {}
        with _quiet():
            import mlflow
            from mlflow.tracking import MlflowClient
        with _quiet():  # again, because importing MLflow configures its logger
            self._uri = started.get("tracking_uri") or mlflow.get_tracking_uri()
            self._client = MlflowClient(self._uri)
        self._resumed = started.get("run_id")

    def start(self, name: str, parameters: Mapping[str, Parameter]) -> None:
        """Create the run, or resume the one that was stopped."""
        from mlflow.entities import Param

        with _quiet():
            if self._resumed:
                self._client.update_run(self._resumed, status="RUNNING")
                self._run = self._resumed
                return
            tags = {"mlflow.source.name": "tagline", "mlflow.source.type": "LOCAL"}
            self._run = self._client.create_run(
                self._experiment(str(parameters["data.name"])), run_name=name, tags=tags
            ).info.run_id
            if self._note is not None:
                note = {"tracking_uri": self._uri, "run_id": self._run}
                write_file(self._note, json.dumps(note) + "\n")
            params = [Param(key, str(value)[:_LONGEST]) for key, value in parameters.items()]
            for first in range(0, len(params), 100):  # the most that a batch may hold
                self._client.log_batch(self._run, params=params[first : first + 100])

    def epoch(self, number: int, figures: Mapping[str, float]) -> None:
        """Log the figures with the epoch as their step."""
        self._log(figures, number)

    def finish(self, figures: Mapping[str, float], folder: Path) -> None:
        """Log the final figures and files of the run; texts are in them only if the report may show texts."""
        self._log(figures, 0)
        with _quiet():
            self._client.update_run(self._run, name=folder.name)
            self._client.set_tag(self._run, "tagline.folder", str(folder.absolute()))
            for name in _ARTIFACTS:
                if (folder / name).exists():
                    self._client.log_artifact(self._run, str(folder / name))
            self._client.set_terminated(self._run, "FINISHED")

    def failed(self, error: BaseException) -> None:
        """End the run as killed, if it was interrupted, or as failed."""
        if not self._run:
            return
        with _quiet():
            self._client.set_terminated(self._run, "FAILED" if isinstance(error, Exception) else "KILLED")

    def _log(self, figures: Mapping[str, float], step: int) -> None:
        from mlflow.entities import Metric

        now = int(1000 * time.time())
        with _quiet():
            metrics = [Metric(name, value, now, step) for name, value in figures.items()]
            self._client.log_batch(self._run, metrics=metrics)

    def _experiment(self, data: str) -> str:
        if chosen := os.environ.get("MLFLOW_EXPERIMENT_ID"):
            return chosen
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or data
        found = self._client.get_experiment_by_name(name)
        return str(found.experiment_id if found else self._client.create_experiment(name))


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress warnings about MLflow's own code, and its log of the tables it creates."""
    logger = logging.getLogger("mlflow")
    before = logger.level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logger.setLevel(logging.WARNING)
        try:
            yield
        finally:
            logger.setLevel(before)
