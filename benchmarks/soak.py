"""Soak test of the service: mixed traffic at its limits for half an hour, and what it promises.

Two models, `fast` and a network, are served while they are replaced again and again, also by damaged bundles. Clients
classify, explain and label files up to the limits of the server; send requests that it must refuse, more of them than
it accepts, and slowly; and vanish. The promises: no accepted request is lost, every answer is the expected one, none
has status 500, the log has no traceback, no file or descriptor is left over, and the memory does not grow: the median
of the last fifth of the time is at most 5 % above that of the second fifth. The status is 1 if one of them is broken.
"""

import asyncio
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

import measure
from soak_client import Connection, RequestLostError, request
from soak_traffic import KEY, UPLOADS, Expected, LargeBodies, Tally, Texts, Upload, World, clients, percentiles
from tagline import TextClassifier, load_dataset
from tagline.serve.http.limits import Limits
from tagline.serve.model_store import load_served_model

MOST_GROWTH = 1.05  # of the memory, from the second to the last fifth of the time
_JUDGED_MINUTES = 3  # a shorter run does not judge the memory
_RELOAD_SECONDS = 30
_PAUSE_SECONDS = 5.0  # between replacements, and for which a damaged bundle stays
_SETTLE_SECONDS = 300
_EXPECTED_EVENTS = {"listening", "request", "reload_requested", "reload_failed", "reloaded", "stopping", "stopped"}


@dataclass(frozen=True)
class ServerProcess:
    """A server that runs, what it has logged, and the folder for its temporary files."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    temporary: Path

    def memory_mb(self) -> float:
        """Return the resident memory of the process and its children."""
        return sum(_status(pid, "VmRSS") / 1024 for pid in _family(self.process.pid))

    def descriptors(self) -> int:
        """Return the number of open descriptors."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def threads(self) -> int:
        """Return the number of threads."""
        return _status(self.process.pid, "Threads")

    def cpu_seconds(self) -> float:
        """Return the CPU time so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _status(pid: int, field_name: str) -> int:
    try:
        found = re.search(rf"^{field_name}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    except OSError:  # a child that has ended
        return 0
    return int(found[1]) if found else 0


def _family(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []
    return [pid, *(one for child in children for one in _family(child))]


@contextmanager
def running(models: Mapping[str, Path], limits: Limits, folder: Path) -> Iterator[ServerProcess]:
    """Run `tagline serve` with these models and limits."""
    (folder / "key").write_text(KEY)
    temporary, log = folder / "temporary", folder / "server.log"
    temporary.mkdir()
    options = {
        "--max-body": limits.max_body / 1e6,
        "--max-file": limits.max_file / 1e6,
        "--max-texts": limits.max_texts,
        "--max-chars": limits.max_chars,
        "--max-concurrent": limits.max_concurrent,
        "--timeout": limits.timeout,
        "--api-key-file": folder / "key",
        "--allow-host": "localhost",
        "--port": 0,
    }
    command = measure.tagline("serve", *(f"--model={name}={path}" for name, path in models.items()))
    command += [f"{name}={value}" for name, value in options.items()]
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream, env={**os.environ, "TMPDIR": str(temporary)})
    try:
        while (found := re.search(r'"address": "http://127.0.0.1:(\d+)"', log.read_text())) is None:
            if process.poll() is not None:
                sys.exit(f"the server did not start:\n{log.read_text()}")
            time.sleep(0.02)
        yield ServerProcess(process, int(found[1]), log, temporary)
    finally:
        process.kill()
        process.wait()


@dataclass
class Replacing:
    """Replaces the bundle of each model by others: links, copies over the old files, damaged ones."""

    server: ServerProcess
    served: Mapping[str, Path]
    bundles: Mapping[str, Sequence[Path]]
    versions: Mapping[Path, str]
    tally: Tally
    end: float
    pause: float
    rng: random.Random
    n: Counter[str] = field(default_factory=Counter)

    async def run(self) -> None:
        """Replace them until the end."""
        live = {name: paths[0] for name, paths in self.bundles.items()}
        turn = 0
        while time.monotonic() + self.pause < self.end:
            await asyncio.sleep(self.pause)
            name = self.rng.choice(list(self.served))
            old, new = live[name], next(path for path in self.bundles[name] if path != live[name])
            match turn % 3:
                case 0:
                    _link(self.served[name], new)
                    self._hang_up()
                    await self._takes_over(name, new)
                    live[name] = new
                case 1:
                    await self._damage(name, old, new)
                case _:
                    await self._copy_over(name, old, new)
                    live[name] = new
            turn += 1

    async def _damage(self, name: str, old: Path, new: Path) -> None:
        """Put a damaged bundle in the place: the old model stays."""
        damaged = self._scratch(new)
        part = self.rng.choice(sorted(path for path in damaged.iterdir() if path.is_file()))
        how = self.rng.choice(["cut", "missing", "changed"])
        data = bytearray(part.read_bytes())
        if how == "missing":
            part.unlink()
        elif how == "cut":
            part.write_bytes(data[: len(data) // 2])
        else:
            data[len(data) // 2] ^= 1
            part.write_bytes(data)
        _link(self.served[name], damaged)
        self._hang_up()
        for _ in range(5):
            await asyncio.sleep(self.pause / 5)
            if (found := await self._served_version(name)) not in (self.versions[old], None):
                self.tally.wrong("damaged bundle", f"{part.name} {how}: {found} is served")
        _link(self.served[name], old)
        self.n["damaged"] += 1
        shutil.rmtree(damaged)

    async def _copy_over(self, name: str, old: Path, new: Path) -> None:
        """Copy a bundle over the old one, file by file, as `cp` does."""
        scratch = self._scratch(old)
        _link(self.served[name], scratch)
        await asyncio.sleep(1.5)
        for part in sorted(new.iterdir()):
            shutil.copyfile(part, scratch / part.name)
            await asyncio.sleep(self.rng.random() * 0.5)
        await self._takes_over(name, new)
        _link(self.served[name], new)
        shutil.rmtree(scratch)

    def _scratch(self, bundle: Path) -> Path:
        path = bundle.parent / f"scratch-{time.monotonic_ns()}"
        shutil.copytree(bundle, path)
        return path

    def _hang_up(self) -> None:
        if self.rng.random() < 0.7:
            self.server.process.send_signal(signal.SIGHUP)

    async def _takes_over(self, name: str, new: Path) -> None:
        begin = time.perf_counter()
        while time.perf_counter() - begin < _RELOAD_SECONDS:
            if await self._served_version(name) == self.versions[new]:
                self.tally.seconds["new model served"].append(time.perf_counter() - begin)
                self.tally.outcomes["new model served"]["200"] += 1
                self.n["valid"] += 1
                return
            await asyncio.sleep(0.1)
        self.tally.wrong("new model served", f"`{name}` is not replaced after {_RELOAD_SECONDS} s")

    async def _served_version(self, name: str) -> str | None:
        """Return the version of a model, None if the server is too busy to tell."""
        connection = await Connection.open(self.server.port)
        await connection.send(request("GET", f"/v1/model?model={name}", {"X-API-Key": KEY})[0])
        try:
            answer = await connection.receive()
        except RequestLostError as error:
            self.tally.lost("version", error)
            return None
        finally:
            connection.close()
        return str(json.loads(answer.body)["version"]) if answer.status == 200 else None


def _link(link: Path, target: Path) -> None:
    """Make ``link`` point to a bundle, at once."""
    made = link.with_name(f"{link.name}-new")
    made.symlink_to(target)
    made.replace(link)


@dataclass
class Usage:
    """Memory in MB sampled over time; memory, descriptors and threads at rest, before and after the traffic."""

    memory_mb: list[float] = field(default_factory=list)
    memory_at_rest_mb: list[float] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)
    cpu_seconds: float = 0.0

    def fifths(self) -> list[float]:
        """Return the median memory of each fifth of the time."""
        n = len(self.memory_mb)
        return [median(self.memory_mb[n * k // 5 : n * (k + 1) // 5] or [0.0]) for k in range(5)]

    async def sample(self, server: ServerProcess, end: float) -> None:
        """Sample the memory until the end."""
        every = min(1.0, (end - time.monotonic()) / 50)
        while time.monotonic() < end:
            self.memory_mb.append(server.memory_mb())
            await asyncio.sleep(every)

    def at_rest(self, server: ServerProcess) -> None:
        """Note what is open while no request is in progress."""
        self.memory_at_rest_mb.append(server.memory_mb())
        self.descriptors.append(server.descriptors())
        self.threads.append(server.threads())


@dataclass(frozen=True)
class Outcome:
    """The result of a run, and the promises that it broke."""

    tally: Tally
    usage: Usage
    replaced: Counter[str]
    n_log_lines: int
    broken: list[str]


def soak(
    bundles: Mapping[str, Sequence[Path]], reviews: Sequence[str], limits: Limits, *, minutes: float, seed: int
) -> Outcome:
    """Serve the first bundle of each model, run the traffic while the bundles are replaced, and check the promises."""
    rng, tally, usage = random.Random(seed), Tally(), Usage()
    texts = Texts.of(reviews, limits)
    uploads = [Upload.of(kind, texts.short, round(share * limits.max_file), rng) for kind, share in UPLOADS]
    bodies = LargeBodies.of(texts, list(bundles), limits, rng)
    versions, expected = {}, {}
    for name, paths in bundles.items():
        for path in paths:
            model = load_served_model(name, path, None)
            proba = model.predictor.predict_proba(texts.all())
            labels = [str(label) for label in model.classifier.decide(proba)]
            versions[path] = model.version
            expected[model.version] = Expected(
                dict(zip(texts.all(), zip(labels, proba.max(axis=1).tolist(), strict=True), strict=True))
            )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        served = {name: folder / name for name in bundles}
        for name, path in served.items():
            path.symlink_to(bundles[name][0])
        with running(served, limits, folder) as server:
            usage.at_rest(server)
            end = time.monotonic() + 60 * minutes
            world = World(server.port, limits, texts, bodies, uploads, list(bundles), expected, tally, end)
            pause = min(_PAUSE_SECONDS, 12 * minutes)
            replacing = Replacing(server, served, bundles, versions, tally, end, pause, rng)
            asyncio.run(_traffic([*clients(world, seed), replacing.run(), usage.sample(server, end)]))
            broken = _settle(server, usage)
            usage.cpu_seconds = server.cpu_seconds()
            server.process.terminate()
            status = server.process.wait(60)
            if status:
                broken.append(f"the server ended with status {status}")
            lines = server.log.read_text().splitlines()
    broken += [*_log_faults(lines), *tally.broken]
    if statuses := _statuses(tally)["500"]:
        broken.append(f"{statuses} answers have status 500")
    _, second, *_, last = usage.fifths()
    if minutes >= _JUDGED_MINUTES and last > MOST_GROWTH * second:
        broken.append(f"the memory grows from {second:.0f} to {last:.0f} MB")
    return Outcome(tally, usage, replacing.n, len(lines), broken)


async def _traffic(all_of_it: Sequence[Awaitable[None]]) -> None:
    async with asyncio.TaskGroup() as group:
        for one in all_of_it:
            group.create_task(_awaited(one))


async def _awaited(one: Awaitable[None]) -> None:
    await one


def _settle(server: ServerProcess, usage: Usage) -> list[str]:
    """Wait until the server has cleaned up after the last requests; return what it left."""
    found: list[str] = []
    for _ in range(_SETTLE_SECONDS * 10):
        files, extra = list(server.temporary.glob("tagline-*")), server.descriptors() - usage.descriptors[0]
        found = [f"{len(files)} temporary files are left"] if files else []
        found += [f"{extra} more descriptors are open than before"] if extra > 0 else []
        if not found:
            break
        time.sleep(0.1)
    usage.at_rest(server)
    return found


def _log_faults(lines: Sequence[str]) -> list[str]:
    """Return the first lines of the log that report a fault of the server, tracebacks among them."""
    faults = []
    for line in lines:
        if not line.startswith("{"):
            if "Traceback" in line or "Error" in line:
                faults.append(f"log: {line[:300]}")
            continue
        event = json.loads(line)
        garbage = event["event"] == "server" and event["message"] == "Invalid HTTP request received."
        if event["event"] not in _EXPECTED_EVENTS and not garbage:
            faults.append(f"log: {line[:600]}")
    return faults[:10]


def _statuses(tally: Tally) -> Counter[str]:
    return Counter(outcome[:3] for outcomes in tally.outcomes.values() for outcome in outcomes.elements())


def report(outcome: Outcome, limits: Limits, minutes: float) -> str:
    """Return the figures as text and tables."""
    tally, usage, statuses = outcome.tally, outcome.usage, _statuses(outcome.tally)
    rows = [["request", "answers", "by status", "p50, ms", "p99, ms", "max, ms"]]
    for kind in sorted(tally.outcomes):
        outcomes = tally.outcomes[kind]
        by_status = ", ".join(f"{name} {n:,}" if len(outcomes) > 1 else name for name, n in outcomes.most_common())
        seconds = tally.seconds.get(kind)
        figures = [f"{1000 * value:,.0f}" for value in percentiles(seconds)] if seconds else ["-"] * 3
        rows.append([kind, f"{sum(outcomes.values()):,}", by_status, *figures])
    fifths = usage.fifths()
    options = ", ".join(f"{name} {value:,.12g}" for name, value in asdict(limits).items())
    n_answers = sum(map(Counter.total, tally.outcomes.values()))
    replaced = outcome.replaced
    summary = (
        f"{minutes:g} minutes, limits: {options}. {tally.n_lost} accepted requests lost, {tally.n_wrong} wrong answers "
        f"in {n_answers:,}; {statuses['429']:,} answers were 429, {statuses['503']:,} 503, {statuses['504']:,} 504, "
        f"{statuses['500']:,} 500. Models replaced {replaced['valid']} times by valid and {replaced['damaged']} times "
        f"by damaged bundles. CPU time of the server: {usage.cpu_seconds:.0f} s. Memory (RSS), median of each fifth "
        f"of the time: {', '.join(f'{value:.0f}' for value in fifths)} MB, from the second to the last "
        f"{100 * (fifths[4] / fifths[1] - 1):+.1f} %; largest {max(usage.memory_mb):.0f} MB. Before and after the "
        f"traffic: memory {usage.memory_at_rest_mb[0]:.0f}, {usage.memory_at_rest_mb[-1]:.0f} MB; descriptors "
        f"{usage.descriptors[0]}, {usage.descriptors[-1]}; threads {usage.threads[0]}, {usage.threads[-1]}. "
        f"{outcome.n_log_lines:,} lines of log. Latencies are those of requests that were not 429, 503 or 504."
    )
    return f"{summary}\n\n{measure.table(rows)}"


def _trained(folder: Path) -> tuple[dict[str, list[Path]], list[str]]:
    """Train two versions of each model on different reviews; return their bundles, and other reviews."""
    data = load_dataset("movie-reviews")
    assert data.test is not None
    bundles: dict[str, list[Path]] = {}
    for recipe in ("fast", "embedding-average"):
        for k in range(2):
            rows = slice(k, None, 4)
            path = folder / f"{recipe}-{k}"
            TextClassifier(recipe).fit(data.train.texts[rows], data.train.labels[rows]).save(path)
            bundles.setdefault(recipe, []).append(path)
    return bundles, list(data.test.texts)


def main() -> None:
    """Train, run the traffic, and print the figures and the broken promises."""
    parser = measure.parser(__doc__.splitlines()[0], rounds=1)
    parser.add_argument("--minutes", type=float, default=30, help="duration of the traffic (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the traffic (default %(default)s)")
    options = parser.parse_args()
    limits = Limits()
    with tempfile.TemporaryDirectory() as name:
        bundles, reviews = _trained(Path(name))
        outcome = soak(bundles, reviews, limits, minutes=options.minutes, seed=options.seed)
    measure.publish("The service under mixed traffic", report(outcome, limits, options.minutes), options.record)
    if outcome.broken:
        sys.exit("\n".join(["Broken promises:", *outcome.broken]))


if __name__ == "__main__":
    main()
