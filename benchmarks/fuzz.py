"""Fuzzing: run the targets of `tests/fuzz` on inputs that coverage (atheris) and a seeded mutator find.

`make fuzz`, or `python benchmarks/fuzz.py --minutes 60`, runs each target with each engine in turn, one process at a
time, with limits of memory and of the time for one input. A crash, an input that takes too long or too much memory, and
a foreign exception are findings: `fuzz/findings` gets the input and what happened. To run an input again:
`python benchmarks/fuzz.py --target readers --input FILE`. Without atheris only the mutator runs.
"""

import faulthandler
import hashlib
import importlib
import json
import os
import resource
import subprocess
import sys
import time
import traceback
from argparse import Namespace
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any

from measure import parser, publish, table

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "fuzz"
TARGETS = ("readers", "bundles", "service", "tokenizers", "counting")
ENGINES = ("atheris", "mutator")
INPUT_SECONDS = 20.0
MEMORY_GB = {"bundles": 6.0}  # ONNX Runtime gets 4
_USUAL_MEMORY_GB = 3.0
_LONGEST_INPUT = 8192
_WORKER_MINUTES = 10.0  # then another one continues: the memory of libFuzzer itself grows


@dataclass
class Tally:
    """What a worker has done: inputs, how many were refused, CPU seconds, peak memory, and findings by place."""

    inputs: int = 0
    refused: int = 0
    cpu_seconds: float = 0.0
    peak_mb: float = 0.0
    findings: dict[str, int] = field(default_factory=dict)


class Worker:
    """Runs inputs of one target, in a process of its own, and writes to `folder` what the parent must know."""

    def __init__(self, name: str, engine: str, folder: Path) -> None:
        import_all = nullcontext()
        if engine == "atheris":
            import atheris

            import_all = atheris.instrument_imports(include=["tagline"])
        with import_all:
            self.target = importlib.import_module(f"tests.fuzz.{name}").TARGET
        self.name, self.folder = name, folder
        self.tally = Tally()
        self._current = (folder / "current").open("wb", buffering=0)
        self._state = (folder / "state.json").open("wb", buffering=0)
        self._write_state()  # says that the worker has started

    def run(self, data: bytes) -> None:
        """Run one input; a parent whose worker dies finds it in the file `current`."""
        self._current.seek(0)
        self._current.truncate()
        self._current.write(data)
        faulthandler.dump_traceback_later(INPUT_SECONDS, exit=True)
        try:
            self.tally.refused += not self.target.check(data)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001  # a panic of polars is no `Exception`
            self._report(error, data)
        faulthandler.cancel_dump_traceback_later()
        self.tally.inputs += 1
        self._write_state()

    def _write_state(self) -> None:
        self.tally.cpu_seconds = time.process_time()
        self.tally.peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        self._state.seek(0)
        self._state.write(json.dumps(asdict(self.tally)).encode().ljust(4096))

    def _report(self, error: BaseException, data: bytes) -> None:
        """Write the first input of each kind of error: its type, and where the project raised it."""
        frames = [f for f in traceback.extract_tb(error.__traceback__) if str(ROOT) in f.filename]
        place = " < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in reversed(frames[-2:]))
        kind = f"{type(error).__name__} at {place}"
        if kind not in self.tally.findings:
            write_finding(self.name, kind, data, "".join(traceback.format_exception(error)))
        self.tally.findings[kind] = self.tally.findings.get(kind, 0) + 1


def write_finding(target: str, kind: str, data: bytes, details: str) -> None:
    """Write an input and what it did."""
    folder = FOLDER / "findings"
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{target}-{hashlib.sha256(kind.encode()).hexdigest()[:8]}"
    (folder / f"{stem}.bin").write_bytes(data)
    (folder / f"{stem}.txt").write_text(f"{kind}\n\n{details}", encoding="utf-8", errors="replace")
    print(f"finding: {kind}; see {folder.relative_to(ROOT) / stem}.txt", file=sys.stderr)


def work(options: Namespace) -> None:
    """Run inputs until the time is over."""
    limit = int(MEMORY_GB.get(options.target, _USUAL_MEMORY_GB) * 2**30)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    worker = Worker(options.target, options.engine, Path(options.worker))
    faulthandler.enable()
    seeds = list(worker.target.seeds())
    if options.engine == "atheris":
        _run_atheris(worker, seeds, options)
        return
    from tests.fuzz.inputs import mutated

    draw, end = Random(options.seed), time.monotonic() + options.minutes * 60
    while time.monotonic() < end:
        worker.run(mutated(draw, seeds, worker.target.words)[:_LONGEST_INPUT])


def _run_atheris(worker: Worker, seeds: list[bytes], options: Namespace) -> None:
    import atheris

    corpus = FOLDER / "corpus" / options.target
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        (corpus / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed[:_LONGEST_INPUT])
    lines = ['"' + "".join(f"\\x{byte:02x}" for byte in word) + '"' for word in worker.target.words if word]
    words = worker.folder / "words.txt"
    words.write_text("\n".join(lines), encoding="ascii")
    arguments = [
        f"-max_total_time={max(1, int(options.minutes * 60))}", f"-seed={options.seed + 1}", "-rss_limit_mb=0",
        "-timeout=3600", f"-max_len={_LONGEST_INPUT}", *([f"-dict={words}"] if lines else []), "-verbosity=0",
        f"-artifact_prefix={worker.folder}/", str(corpus),
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *arguments], worker.run)
    atheris.Fuzz()


@dataclass
class Round:
    """One target with one engine: what its workers have done together."""

    target: str
    engine: str
    minutes: float = 0.0
    total: Tally = field(default_factory=Tally)


def run_round(target: str, engine: str, minutes: float, seed: int) -> Round:
    """Run workers of a target until the time is over; a worker that dies is a finding and is followed by another."""
    round_ = Round(target, engine)
    folder = FOLDER / "workers" / f"{target}-{engine}"
    folder.mkdir(parents=True, exist_ok=True)
    begin, n_workers = time.monotonic(), 0
    while (left := minutes - (time.monotonic() - begin) / 60) > 0.02:
        for name in ("current", "state.json"):
            (folder / name).write_bytes(b"")
        log = folder / "log.txt"
        command = [
            sys.executable, __file__, "--worker", str(folder), "--target", target, "--engine", engine,
            "--minutes", str(min(left, _WORKER_MINUTES)), "--seed", str(seed + n_workers),
        ]  # fmt: skip
        with log.open("wb") as err:
            status = subprocess.run(command, stdout=err, stderr=err, env=_environment(), check=False).returncode
        _add(round_.total, folder)
        n_workers += 1
        if status:
            said = log.read_text(encoding="utf-8", errors="replace")[-6000:]
            kind = f"input of more than {INPUT_SECONDS:g} s" if "Timeout (" in said else f"end with status {status}"
            places = [line.strip().replace(f"{ROOT}/", "") for line in said.splitlines() if "/src/tagline/" in line]
            kind += f" at {places[0]}" if places else ""
            if not (folder / "state.json").read_bytes().strip():
                sys.exit(f"The worker of `{target}` does not start:\n{said}")
            if kind not in round_.total.findings:
                write_finding(target, kind, (folder / "current").read_bytes(), f"seed {seed + n_workers - 1}\n{said}")
            round_.total.findings[kind] = round_.total.findings.get(kind, 0) + 1
    round_.minutes = (time.monotonic() - begin) / 60
    return round_


def _environment() -> dict[str, str]:
    """Return the environment of workers: single threads keep runs comparable, and the paths find the targets."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "src"), *filter(None, [os.environ.get("PYTHONPATH")])])
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS"), "1")
    return os.environ | threads | {"PYTHONPATH": path}


def _add(total: Tally, folder: Path) -> None:
    state: dict[str, Any] = json.loads((folder / "state.json").read_bytes() or b"{}")
    total.inputs += state.get("inputs", 0)
    total.refused += state.get("refused", 0)
    total.cpu_seconds += state.get("cpu_seconds", 0.0)
    total.peak_mb = max(total.peak_mb, state.get("peak_mb", 0.0))
    for kind, n in state.get("findings", {}).items():
        total.findings[kind] = total.findings.get(kind, 0) + n


def run_input(options: Namespace) -> None:
    """Run one input; its exception is shown."""
    target = importlib.import_module(f"tests.fuzz.{options.target}").TARGET
    print("accepted" if target.check(Path(options.input).read_bytes()) else "refused")


def main() -> None:
    """Print a table of targets, and every finding."""
    arguments = parser(__doc__)
    arguments.add_argument("--minutes", type=float, default=60.0, help="of all targets together (default %(default)s)")
    arguments.add_argument("--target", choices=TARGETS, help="only this one")
    arguments.add_argument("--engine", choices=ENGINES, help="only this one")
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--input", help="run this file as the only input")
    arguments.add_argument("--worker", help="used internally: the folder of a worker")
    options = arguments.parse_args()
    if options.worker or options.input:
        sys.path[:0] = [str(ROOT), str(ROOT / "src")]
        work(options) if options.worker else run_input(options)
        return
    targets = [options.target] if options.target else list(TARGETS)
    engines = [options.engine] if options.engine else [e for e in ENGINES if e != "atheris" or find_spec("atheris")]
    each = options.minutes / (len(targets) * len(engines))
    rounds = [run_round(target, engine, each, options.seed) for target in targets for engine in engines]
    rows = [
        [
            "target",
            "engine",
            "minutes",
            "CPU minutes",
            "inputs",
            "per CPU second",
            "refused, %",
            "peak memory, MB",
            "findings",
        ]
    ]
    for done in rounds:
        n = done.total.inputs
        rows.append(
            [
                done.target, done.engine, f"{done.minutes:.1f}", f"{done.total.cpu_seconds / 60:.1f}", f"{n:,}",
                f"{n / max(1.0, done.total.cpu_seconds):.0f}",
                f"{100 * done.total.refused / max(1, n):.0f}", f"{done.total.peak_mb:,.0f}",
                str(len(done.total.findings)),
            ]
        )  # fmt: skip
    kinds = [f"* `{done.target}`: {kind} ({n:,} x)" for done in rounds for kind, n in done.total.findings.items()]
    publish("Fuzzing", "\n".join([table(rows), *(["", *kinds] if kinds else [])]), options.record)
    sys.exit(bool(kinds))


if __name__ == "__main__":
    main()
