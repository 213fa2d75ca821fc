"""The models of a server, which are reloaded when their bundle is replaced."""

import asyncio
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagline.bundle import checksum
from tagline.errors import TaglineError, nearest
from tagline.run_folder import load_model, model_folder
from tagline.serve.http.access_log import AccessLog
from tagline.serve.http.errors import ApiError
from tagline.serve.metrics import Metrics
from tagline.shared_arrays import remove_unused_arrays
from tagline.web import about_model

if TYPE_CHECKING:
    from tagline.classifier import TextClassifier

POLL_SECONDS = 1.0
# The work of a character: to find its n-grams takes as long as to add their coefficients for so many classes. The work
# of about a millisecond was measured with 2 to 28 classes.
_WORK_OF_FEATURES = 100
_WORK_AT_ONCE = 1_000_000
Stamp = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True, eq=False)
class ServedModel:
    """A loaded version of a model; a request uses the same one from start to end.

    ``version`` is the SHA-256 of the index of its bundle. ``predictor`` gives the predictions of ``classifier``; for a
    network it uses ONNX Runtime, which is faster but cannot explain them. ``chars_at_once`` are the characters that
    compiled code scores in about a millisecond; 0 for models of another kind.
    """

    name: str
    path: Path
    version: str
    classifier: "TextClassifier"
    predictor: "TextClassifier"
    classes: tuple[str, ...]
    about: Mapping[str, Any]
    chars_at_once: int


def load_served_model(name: str, path: Path, title: str | None) -> ServedModel:
    """Load a model and its description; ``title`` takes the place of its own.

    Raises:
        BundleError: it is missing or damaged.

    """
    digest = checksum(model_folder(path))
    classifier = load_model(path)
    predictor = classifier.on_onnx_runtime()
    predictor.probabilities(["warm"])  # builds tables and loads libraries before the first request
    classes = tuple(str(given) for given in classifier.classes_)
    about = about_model(path, classifier)
    about |= {"title": title or about["title"], "tagline": version("tagline")}
    chars_at_once = _WORK_AT_ONCE // (_WORK_OF_FEATURES + len(classes)) if predictor.is_compiled else 0
    return ServedModel(name, path, digest, classifier, predictor, classes, about, chars_at_once)


class ModelStore:
    """The models by name; requests that name no model get the first. ``title`` is that of every model, if given."""

    def __init__(self, paths: Mapping[str, Path], title: str | None, log: AccessLog, metrics: Metrics) -> None:
        self._title, self._log, self._metrics = title, log, metrics
        self._stamps = {name: _stamp(path) for name, path in paths.items()}
        self._served = {name: load_served_model(name, path, title) for name, path in paths.items()}
        self.default = next(iter(self._served))

    def __iter__(self) -> Iterator[ServedModel]:
        """Iterate over the current versions of the models."""
        return iter(list(self._served.values()))

    def find(self, name: str | None) -> ServedModel:
        """Return the current version of a model.

        Raises:
            ApiError: there is no model with this name.

        """
        served = self._served.get(self.default if name is None else name)
        if served is None:
            raise ApiError("unknown_model", f"There is no model `{name}`.{nearest(str(name), self._served)}")
        return served

    def recheck(self) -> None:
        """Make `watch` check every bundle again, also one that could not be loaded and has not changed since."""
        self._stamps = dict.fromkeys(self._stamps, ())

    async def watch(self) -> None:
        """Check each second which bundles were replaced, load those in a thread, and switch to them.

        If a new bundle cannot be loaded, for instance because it is still being copied, the old model stays until the
        files change again.
        """
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, thread_name_prefix="reload") as pool:
            while True:
                await asyncio.sleep(POLL_SECONDS)
                for served in self:
                    await loop.run_in_executor(pool, self._reload, served)

    def _reload(self, served: ServedModel) -> None:
        stamp = _stamp(served.path)
        if not stamp or stamp == self._stamps[served.name]:  # empty: the folder is being replaced
            return
        self._stamps[served.name] = stamp
        try:
            if checksum(model_folder(served.path)) == served.version:
                return
            remove_unused_arrays()  # of the model before this one
            fresh = load_served_model(served.name, served.path, self._title)
        except Exception as error:  # noqa: BLE001 (whatever the error, the old model stays)
            message = str(error) if isinstance(error, TaglineError | OSError) else f"{type(error).__name__}: {error}"
            self._log.write("error", "reload_failed", model=served.name, version=served.version, message=message)
            self._metrics.reloaded(served.name, "failed")
            return
        self._served[served.name] = fresh
        self._metrics.reloaded(served.name, "ok")
        self._log.write("info", "reloaded", model=served.name, version=fresh.version, before=served.version)


def _stamp(path: Path) -> Stamp:
    """Return names, times and sizes of the files of a bundle; empty if there is no bundle."""
    try:
        with os.scandir(model_folder(path)) as entries:
            facts = [(entry.name, entry.stat()) for entry in entries]
    except OSError:
        return ()
    return tuple(sorted((name, s.st_mtime_ns, s.st_size, s.st_ino) for name, s in facts))
