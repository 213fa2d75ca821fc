"""One of several worker processes of a server: ``python -m tagline.serve.workers.worker``, started by the supervisor.

Standard input gives the settings in its first line, later an empty line for each request to look for new models, and
ends when the worker should stop, also if the supervisor was killed. Standard output gets a line with a `Report`, then
an empty one every second from the event loop, as long as it does not hang.
"""

import os
import socket
import sys
from contextlib import suppress

from pydantic import TypeAdapter

from tagline.errors import TaglineError
from tagline.parallel import limit_cores
from tagline.serve.server import serve_on
from tagline.serve.settings import Report, WorkerSettings
from tagline.shared_arrays import share_arrays_in


def main() -> int:
    """Serve until the standard input ends, and return the exit status."""
    settings = TypeAdapter(WorkerSettings).validate_json(sys.stdin.buffer.readline())
    limit_cores(settings.cores)
    share_arrays_in(settings.folder)
    output = os.dup(1)
    os.dup2(2, 1)  # so that nothing else gets into the report

    def send(report: Report) -> None:
        os.write(output, TypeAdapter(Report).dump_json(report) + b"\n")

    def say_alive() -> None:
        with suppress(BrokenPipeError):  # the supervisor was killed: the standard input ends, too
            os.write(output, b"\n")

    try:
        with socket.socket(fileno=settings.listener) as listener:
            serve_on(listener, settings.server, lambda address: send(Report(address=address)), settings, say_alive)
    except TaglineError as error:
        send(Report(error=str(error), status=error.exit_status))
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
