"""Several worker processes that accept connections on one socket: started, replaced when they die or hang, and stopped.

The supervisor binds the socket and keeps it open, so that connections wait while no worker accepts them. Workers do not
get its signals: it writes a line to the standard input of each, or ends it.
"""

import asyncio
import signal
import socket
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from pydantic import TypeAdapter

from tagline.errors import InputError, TaglineError
from tagline.parallel import cores
from tagline.serve.http.access_log import AccessLog
from tagline.serve.http.listener import bind
from tagline.serve.settings import Report, ServerSettings, WorkerSettings
from tagline.storage.atomic import temporary_folder

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_RESTART_SECONDS = 1.0  # before a worker that died is replaced: one that always dies must not keep a core busy
_RETRY_SECONDS = 10.0  # if its replacement did not start
_SILENT_SECONDS = 15.0  # a worker reports every second; without a line for twice as long it hangs


def run_workers(settings: ServerSettings, announce: Callable[[str], None]) -> None:
    """Serve with several processes until SIGTERM or SIGINT; then let them answer what they have accepted, and return.

    Args:
        settings: the models, the address, the limits and the number of workers.
        announce: called with the address once all workers accept requests.

    Raises:
        TaglineError: the address cannot be bound, or a worker cannot start and no other serves.

    """
    with (
        closing(AccessLog()) as log,
        closing(bind(settings.host, settings.port)) as listener,
        temporary_folder() as folder,
    ):
        asyncio.run(_Supervisor(settings, listener, folder, log, announce).run())
        log.write("info", "stopped")


class _Supervisor:
    def __init__(
        self,
        settings: ServerSettings,
        listener: socket.socket,
        folder: Path,
        log: AccessLog,
        announce: Callable[[str], None],
    ) -> None:
        self._settings, self._listener, self._folder = settings, listener, folder
        self._log, self._announce = log, announce
        self._since = time.time()
        self._processes: dict[int, Process] = {}  # by the number of the worker
        self._ready: set[int] = set()
        self._announced = False
        self._stopping = asyncio.Event()
        self._starting = asyncio.Lock()  # one worker after the other: `_start` blocks signals meanwhile

    async def run(self) -> None:
        """Keep all workers running until a signal stops them."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        keepers = [asyncio.create_task(self._keep(number + 1)) for number in range(self._settings.workers)]
        try:
            await asyncio.gather(*keepers)
        finally:
            self._kill()
            for keeper in keepers:
                keeper.cancel()
            await asyncio.gather(
                *keepers, *(process.wait() for process in self._processes.values()), return_exceptions=True
            )

    async def _keep(self, number: int) -> None:
        """Start a worker, and another whenever it has died."""
        while True:
            async with self._starting:
                if self._stopping.is_set():
                    return
                process = await self._start(number)
            assert process.stdout is not None
            line = await process.stdout.readline()
            report = TypeAdapter(Report).validate_json(line) if line else Report()
            if report.address:
                self._ready.add(number)
                self._announce_if_ready(report.address)
                await self._end_if_silent(number, process)
            status = await process.wait()
            if self._stopping.is_set():
                return
            if number in self._ready:
                self._ready.remove(number)
                self._log.write("error", "worker_died", worker=number, message=_ended(number, status))
                pause = _RESTART_SECONDS
            else:
                error = _error(report, number, status)
                if not self._announced or not self._ready:
                    raise error
                self._log.write("error", "worker_failed", worker=number, message=str(error))
                pause = _RETRY_SECONDS
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)

    async def _start(self, number: int) -> Process:
        settings = WorkerSettings(
            self._settings,
            number,
            self._listener.fileno(),
            self._folder,
            self._since,
            max(1, cores() // self._settings.workers),
        )
        # The process inherits which signals are blocked: it gets none of Ctrl-C, or of systemd, which sends them to all
        # processes of a service.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *(f"-W{option}" for option in sys.warnoptions),
                "-P",  # not from the working directory, among the data of the user
                "-m",
                "tagline.serve.workers.worker",
                stdin=PIPE,
                stdout=PIPE,
                pass_fds=[self._listener.fileno()],
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self._processes[number] = process
        assert process.stdin is not None
        process.stdin.write(TypeAdapter(WorkerSettings).dump_json(settings) + b"\n")
        if self._stopping.is_set():
            process.stdin.close()
        return process

    async def _end_if_silent(self, number: int, process: Process) -> None:
        """Return when a worker has ended, and kill it if its event loop hangs: it would keep its connections waiting.

        Two intervals, because after a pause of all processes the first one ends before the worker can run.
        """
        assert process.stdout is not None
        silent = 0
        while silent < 2:
            try:
                async with asyncio.timeout(_SILENT_SECONDS):
                    if not await process.stdout.readline():
                        return
                silent = 0
            except TimeoutError:
                silent += 1
            if self._stopping.is_set():
                return
        self._log.write("error", "worker_hangs", worker=number, message=f"Worker {number} does not respond: killed.")
        process.kill()

    def _announce_if_ready(self, address: str) -> None:
        if not self._announced and not self._stopping.is_set() and len(self._ready) == self._settings.workers:
            self._announced = True
            self._log.write("info", "listening", address=address, workers=self._settings.workers)
            self._announce(address)

    def _reload(self) -> None:
        self._log.write("info", "reload_requested")
        for process in self._processes.values():
            assert process.stdin is not None
            process.stdin.write(b"\n")

    def _stop(self) -> None:
        if self._stopping.is_set():  # the second signal
            self._kill()
            return
        self._stopping.set()
        self._log.write("info", "stopping")
        self._listener.close()  # the workers have it: the last one that closes it refuses clients
        for process in self._processes.values():
            assert process.stdin is not None
            process.stdin.close()

    def _kill(self) -> None:
        for process in self._processes.values():
            if process.returncode is None:
                process.kill()


def _ended(number: int, status: int) -> str:
    """Return how a process ended."""
    if status < 0:
        name = signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
        hint = ", as happens when memory runs out" if name == "SIGKILL" else ""
        return f"Worker {number} was ended by {name}{hint}."
    return f"Worker {number} ended with status {status}."


def _error(report: Report, number: int, status: int) -> TaglineError:
    """Return why a worker did not start."""
    if not report.error:
        return TaglineError(_ended(number, status))
    return InputError(report.error) if report.status == InputError.exit_status else TaglineError(report.error)
