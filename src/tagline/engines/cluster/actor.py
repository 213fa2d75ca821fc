"""The process on a node that runs one task after the other, as an actor of Ray."""

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from queue import Queue
from typing import Any

from tagline.engines.attempt import attempt
from tagline.engines.base import Work
from tagline.engines.cluster.node_folder import node_folder
from tagline.parallel import limit_cores

Files = dict[str, Any]  # the bytes of each file of a folder, a uint8 array, by its name


class TaskRunner:
    """Runs tasks in a thread, so that their reports can be fetched and answered meanwhile.

    Ray calls one method at a time, except `memory_mb` and `close`.
    """

    def __init__(self, prepare: Callable[[Any], Work], context: Any, files: list[Any]) -> None:
        self._prepare, self._context, self._files = prepare, context, files
        self._work: Work | None = None
        self._held = ExitStack()
        self._folder = self._held.enter_context(node_folder())
        self._messages: Queue[tuple[str, Any]] = Queue()
        self._replies: Queue[bool] = Queue()
        limit_cores(1)

    def ready(self) -> tuple[str, Any]:
        """Return at once: the process runs."""
        return "ready", None

    def begin(self, task: Any) -> tuple[str, Any]:
        """Begin a task, and return its first message."""
        threading.Thread(target=self._run, args=(task,), daemon=True).start()
        return self._messages.get()

    def following(self) -> tuple[str, Any]:
        """Return the next message of the task."""
        return self._messages.get()

    def reply(self, *, go_on: bool) -> tuple[str, Any]:
        """Answer a report, and return the next message."""
        self._replies.put(go_on)
        return self._messages.get()

    def memory_mb(self) -> float:
        """Return the resident memory of this process in megabytes."""
        import psutil

        return float(psutil.Process().memory_info().rss) / 1e6

    def close(self) -> None:
        """Remove the files."""
        self._held.close()

    def _run(self, task: Any) -> None:
        self._messages.put(attempt(lambda: self._result(task)))

    def _result(self, task: Any) -> Any:
        if self._work is None:
            self._work = self._prepare(self._with_files())
        self._messages.put(("started", None))
        return self._work(task, self._report)

    def _report(self, value: Any) -> bool:
        self._messages.put(("report", value))
        return self._replies.get()

    def _with_files(self) -> Any:
        """Write the files into a folder of this process, and return the context with that folder."""
        import ray

        files: Files = ray.get(self._files[0])
        for name, content in files.items():
            (self._folder / name).write_bytes(content)
        return replace(self._context, folder=self._folder)
