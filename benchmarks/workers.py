"""`tagline serve` with one process and with several workers: requests a second in alternating rounds, and memory.

The load is that of `serve.py` on 32 connections, from the same machine. Memory is the proportional set size (PSS) of
all processes of a server together: what they share counts once.
"""

import re
import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import psutil

import measure
import serve

CONNECTIONS = 32


def family(pid: int) -> list[psutil.Process]:
    """Return a process and its children."""
    process = psutil.Process(pid)
    return [process, *process.children()]


def memory_mb(pid: int) -> float:
    """Return the proportional set size of a process and its children."""
    found = [
        re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{p.pid}/smaps_rollup").read_text(), re.MULTILINE)
        for p in family(pid)
    ]
    return sum(int(match[1]) / 1024 for match in found if match)


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process and its children have used."""
    return sum(sum(process.cpu_times()[:2]) for process in family(pid))


def main() -> None:
    """Start a server for each number of workers, load them in turn, and print a table."""
    parser = measure.parser(__doc__.splitlines()[0], rounds=5)
    parser.add_argument("--seconds", type=int, default=10, help="duration of each load (default %(default)s)")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4], help="numbers (default %(default)s)")
    parser.add_argument("--model", help="a model in place of one trained on IMDB")
    options = parser.parse_args()
    if not shutil.which("wrk"):
        sys.exit("error: `wrk` is missing. Run `apt-get install wrk`.")
    rows = [["workers", "requests/s by round", "p99, ms, median", "errors", "CPU, µs a request, median", "PSS, MB"]]
    with tempfile.TemporaryDirectory() as name, ExitStack() as servers:
        folder = Path(name)
        train, test, what = measure.imdb_files(folder)
        model = options.model or str(folder / "run")
        if not options.model:
            measure.run_process(measure.train_command(train, test, folder / "run"))
        bodies, script = folder / "bodies.jsonl", folder / "load.lua"
        serve.write_bodies(str(test), str(bodies), str(folder / "texts.txt"))
        script.write_text(serve.SCRIPT.replace("BODIES", str(bodies)))
        running = {}
        for n in options.workers:
            port = serve.free_port()
            command = measure.tagline("serve", model, "--workers", str(n), "--port", str(port))
            pid, _ = servers.enter_context(serve.serving(command, port))
            serve.load(port, CONNECTIONS, 3, script)  # warm-up
            running[n] = (port, pid, [])
        for turn in range(options.rounds):
            for n, (port, pid, found) in running.items():
                before = cpu_seconds(pid)
                figures = serve.load(port, CONNECTIONS, options.seconds, script)
                found.append(figures | {"us": 1e6 * (cpu_seconds(pid) - before) / figures["requests"]})
                print(f"round {turn + 1}, {n} workers: {found[-1]}", file=sys.stderr)
        for n, (_, pid, found) in running.items():
            rows.append(
                [
                    str(n),
                    ", ".join(f"{figures['requests'] / figures['seconds']:.0f}" for figures in found),
                    f"{median(figures['p99_ms'] for figures in found):.1f}",
                    f"{sum(figures['errors'] for figures in found):.0f}",
                    f"{median(figures['us'] for figures in found):.0f}",
                    f"{memory_mb(pid):.0f}",
                ]
            )
    text = (
        f"{'A given model' if options.model else what} Load and servers share the machine; {CONNECTIONS} connections, "
        f"{options.seconds} s a round.\n\n{measure.table(rows)}"
    )
    measure.publish("Workers of the service", text, options.record)


if __name__ == "__main__":
    main()
