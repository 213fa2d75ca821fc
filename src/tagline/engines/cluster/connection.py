"""The connection to a Ray cluster, and in one sentence why there is none."""

import contextlib
import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from tagline.errors import InputError, MissingExtraError, TaglineError

_TOKEN_FILE = Path.home() / ".ray" / "auth_token"
_DOCUMENTATION = "see docs/cluster.md"
_STDERR = 2
_SECONDS_TO_ANSWER = 5.0  # that a cluster has; Ray itself waits for minutes
# For Ray: no statistics sent home, and three attempts to connect in place of 20.
_SETTINGS = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_NUM_REDIS_GET_RETRIES": "3"}


@contextmanager
def connected(address: str | None) -> Iterator[ModuleType]:
    """Connect to a cluster and yield the module `ray`; disconnect at the end.

    ``address`` is ``HOST:PORT`` of the head node. Without it that of the environment variable ``RAY_ADDRESS`` is taken,
    then a cluster that runs on this machine; if there is none, one is started on this machine, which ends with the
    context.

    Raises:
        MissingExtraError: Ray is not installed.
        InputError: there is no such cluster, its token is missing or wrong, or its versions differ.

    """
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    if _has_token():  # Ray uses it by itself only for a cluster that it finds on this machine
        os.environ.setdefault("RAY_AUTH_MODE", "token")
    try:
        import ray
    except ImportError:
        raise MissingExtraError("`--engine ray`", "ray") from None
    # Ray writes what happens to its nodes to stdout, where predictions may go; `RayEngine` tells of lost nodes itself.
    ray._private.worker.listen_error_messages = lambda worker, threads_stopped: None
    wanted = address or os.environ.get("RAY_ADDRESS")
    if wanted is not None:
        _check_answers(wanted)
    try:
        # The nodes would import modules from the working directory, among the data of the user.
        with _signals_kept(), _silence(), contextlib.chdir(Path(__file__).anchor):
            ray.init(address=wanted, log_to_driver=False, logging_level=logging.CRITICAL, include_dashboard=False)
    except (ConnectionError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        raise explained(error, wanted) from None
    try:
        yield ray
    finally:
        ray.shutdown()


def _has_token() -> bool:
    return bool(os.environ.get("RAY_AUTH_TOKEN") or os.environ.get("RAY_AUTH_TOKEN_PATH")) or _TOKEN_FILE.is_file()


def _check_answers(address: str) -> None:
    """Raise `InputError` unless something listens at an address."""
    if address in ("auto", "local"):
        return
    host, _, port = address.rpartition(":")
    if "://" in address or not host or not port.isdecimal():
        raise InputError(
            f"`{address}` is not the address of a Ray cluster: give `HOST:PORT` of its head node, such as "
            "`10.0.0.1:6379`."
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), _SECONDS_TO_ANSWER).close()
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error) or "no answer"
        raise InputError(
            f"There is no Ray cluster at `{address}` ({reason[0].lower()}{reason[1:]}): start one with "
            f"`ray start --head --port={port}`, {_DOCUMENTATION}."
        ) from None


def explained(error: Exception, address: str | None) -> TaglineError:
    """Return the reason why Ray could not connect."""
    import ray

    at = f"The Ray cluster at `{address}`" if address else "The Ray cluster of this machine"
    reasons = " ".join(_causes(error))
    if isinstance(error, ray.exceptions.AuthenticationError) or "InvalidAuthToken" in reasons:
        fault = "refuses the token of this machine" if _has_token() else "needs a token, and this machine has none"
        return InputError(
            f"{at} {fault}: set `RAY_AUTH_TOKEN`, or copy `~/.ray/auth_token` of the head node, {_DOCUMENTATION}."
        )
    if "Version mismatch" in reasons:
        lines = [line.strip() for line in str(error).splitlines()]
        theirs, ours = (lines[i + 1 : i + 3] for i, line in enumerate(lines) if line.endswith("started with:"))
        return InputError(
            f"{at} has {', '.join(theirs)}, this machine {', '.join(ours)}: install the same versions on all nodes."
        )
    if "any running Ray instance" in reasons:
        return InputError(f"No Ray cluster runs on this machine: give `--address HOST:PORT`, {_DOCUMENTATION}.")
    if address and "No node info found" in reasons:
        return InputError(
            f"This machine is not a node of the Ray cluster at `{address}`: run `ray start --address={address}` here "
            "(with `--num-cpus=0` it only sends work), or start the command on a node."
        )
    return TaglineError(f"{at} cannot be reached: {' '.join(str(error).split())}")


def _causes(error: BaseException | None) -> Iterator[str]:
    while error is not None:
        yield str(error)
        error = error.__cause__ or error.__context__


@contextmanager
def _silence() -> Iterator[None]:
    """Discard what Ray's C++ code writes to the terminal while it connects; later it writes to files."""
    try:
        kept = os.dup(_STDERR)
    except OSError:  # it is closed
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, _STDERR)
        yield
    finally:
        os.dup2(kept, _STDERR)
        os.close(kept)
        os.close(nowhere)


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Keep our handlers of signals, in whose place Ray puts its own."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
