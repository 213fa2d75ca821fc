"""The server: loads the models, binds a socket, and answers requests until a signal stops it."""

import asyncio
import logging
import math
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress

import uvicorn

from tagline.errors import InputError
from tagline.serve.app import make_app
from tagline.serve.batching import Scorer
from tagline.serve.descriptors import raise_limit, shortage
from tagline.serve.http.access_log import AccessLog, location_of
from tagline.serve.http.connections import connection_class, expects_request
from tagline.serve.http.listener import bind, block_connections
from tagline.serve.http.middleware import WRITE_SECONDS
from tagline.serve.memory import freed_memory_returned, limit_freed_memory
from tagline.serve.metrics import Metrics
from tagline.serve.model_store import ModelStore
from tagline.serve.routes import ROUTES
from tagline.serve.settings import ServerSettings, WorkerSettings
from tagline.serve.state import Service
from tagline.serve.workers.figures import SharedFigures

_DRAIN_SECONDS = 0.5  # in which answers tell busy clients to close their connections
_ACCEPT_SECONDS = 0.1  # for the last connections to be accepted
_REQUEST_SECONDS = 1.0  # for each of them to send a request, if it takes that long
_TICK_SECONDS = 0.02
_IDLE_SECONDS = 75  # after which a connection without requests is closed
_BACKLOG = 2048
_MAX_LINES = 1024  # that are read at a time


def run_server(settings: ServerSettings, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; then answer the requests that were accepted, and return.

    Args:
        settings: the models, the address and the limits.
        announce: called with the address once requests are accepted.

    Raises:
        TaglineError: a model cannot be loaded, or the address cannot be bound.

    """
    with closing(bind(settings.host, settings.port)) as listener:
        serve_on(listener, settings, announce)


def serve_on(
    listener: socket.socket,
    settings: ServerSettings,
    announce: Callable[[str], None],
    worker: WorkerSettings | None = None,
    say_alive: Callable[[], None] = lambda: None,
) -> None:
    """Serve as `run_server` does on a socket that is bound, as one of several workers if their settings are given.

    A worker looks for new models when it reads a line from its standard input, and stops at the end of it.
    ``say_alive`` is called every second.

    Raises:
        TaglineError: a model cannot be loaded.

    """
    limit_freed_memory()
    open_files = raise_limit()
    paths = [route.path for route in ROUTES if route.documented]
    number = None if worker is None else worker.number
    if worker is None:
        metrics = Metrics(paths)
    else:
        metrics = Metrics(paths, worker.since, SharedFigures(worker.folder, worker.number))

    def scoring_failed(error: BaseException) -> None:
        log.write("error", "scoring_failed", trace=location_of(error))

    with (
        closing(AccessLog(worker=number)) as log,
        closing(Scorer(metrics.batch, scoring_failed)) as scorer,
        _uvicorn_logs(log),
        freed_memory_returned(),
    ):
        service = Service(settings, ModelStore(settings.models, settings.title, log, metrics), scorer, log, metrics)
        config = _config(service)
        address = _address(listener, config)

        def started() -> None:
            if (warning := shortage(open_files, settings.limits.max_concurrent)) is not None:
                log.write("warning", "few_descriptors", message=warning)
            models = {model.name: model.version for model in service.models}
            if worker is None:
                log.write("info", "listening", address=address, models=models)
            else:
                log.write("info", "ready", models=models)
            announce(address)

        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
            server = (_Server if worker is None else _WorkerServer)(config, service, started, say_alive)
            runner.run(server.serve(sockets=[listener]))
        log.write("info", "stopped")


def _config(service: Service) -> uvicorn.Config:
    settings = service.settings
    config = uvicorn.Config(
        make_app(service),
        http=connection_class(settings.limits.timeout),
        loop="uvloop" if os.name == "posix" else "asyncio",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_graceful_shutdown=math.ceil(settings.limits.timeout + WRITE_SECONDS),
        backlog=_BACKLOG,
        ssl_certfile=settings.certificate,
        ssl_keyfile=settings.private_key,
    )
    try:
        config.load()
    except OSError as error:
        raise InputError(f"The certificate or its private key is invalid: {error}.") from None
    return config


def _address(listener: socket.socket, config: uvicorn.Config) -> str:
    host, port = listener.getsockname()[:2]
    return f"{'https' if config.is_ssl else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


class _Server(uvicorn.Server):
    """uvicorn's server, which returns after a signal and closes no connection that a client may be sending on."""

    def __init__(
        self, config: uvicorn.Config, service: Service, started: Callable[[], None], say_alive: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._service, self._announce, self._say_alive = service, started, say_alive

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle the signals that stop the server, and the one that makes it look for new models."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and announce it."""
        await super().startup(sockets)
        self._announce()

    async def on_tick(self, counter: int) -> bool:
        """Say that the event loop runs; called ten times a second."""
        if counter % 10 == 0:
            self._say_alive()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no more connections, answer what was accepted, and return."""
        for listener in sockets or []:
            block_connections(listener)
        await asyncio.sleep(_ACCEPT_SECONDS)
        for server in self.servers:
            server.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(_REQUEST_SECONDS):
                while not self.force_exit and any(map(expects_request, self.server_state.connections)):
                    await asyncio.sleep(_TICK_SECONDS)
        await super().shutdown(sockets)

    def _reload(self) -> None:
        self._service.log.write("info", "reload_requested")
        self._service.models.recheck()

    def _stop(self) -> None:
        if self._service.draining:  # the second signal
            self.force_exit = self.should_exit = True
            return
        self._service.draining = True
        self._service.log.write("info", "stopping")
        # Every answer now says `Connection: close`: when the idle connections are closed, no client is sending on one.
        asyncio.get_running_loop().call_later(_DRAIN_SECONDS, setattr, self, "should_exit", True)


class _WorkerServer(_Server):
    """The server of a worker, which its supervisor sends lines in place of signals."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Read the standard input."""
        loop, descriptor = asyncio.get_running_loop(), sys.stdin.fileno()

        def read() -> None:
            if os.read(descriptor, _MAX_LINES):
                self._reload()
            else:
                loop.remove_reader(descriptor)
                self._stop()

        loop.add_reader(descriptor, read)
        yield


@contextmanager
def _uvicorn_logs(log: AccessLog) -> Iterator[None]:
    """Send uvicorn's log records to the log."""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            log.write(record.levelname.lower(), "server", message=record.getMessage())

    logger = logging.getLogger("uvicorn.error")
    handler = Handler(logging.WARNING)
    logger.addHandler(handler)
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.removeHandler(handler)
