"""``kill -9`` at random moments: commands are killed, started again, and compared with an undisturbed run.

Each command runs once undisturbed, which gives its time and its result. Then it is started again and again, killed at a
moment drawn uniformly over that time, and started as a user would: resumed where it can be resumed, otherwise with the
same command. Every second one has an older output to replace. What is checked:

* after the kill, the output is missing, the old one or the new one, and never half of it;
* at the end, the output equals that of the undisturbed run, but for times and the count of readings;
* nothing else is left beside it, nor in the folder of temporary files;
* each line of the test ledger is whole, and there is one for each reading.

The result of `tune` depends on time: there, the model must equal that which `tagline train` makes of its recipe.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import measure

ROWS, ROWS_TO_PREDICT = 400, 20_000
OUT = "out"  # the name of every output
#: Keys of JSON files whose values differ between two runs: times, and how often the test rows have been read.
VOLATILE = {
    "seconds", "created", "command", "machine", "peak_rss_mb", "test_looks", "smallest_difference", "findings", "fit",
    "finished", "time", "ms_per_text", "about", "versions", "epochs_per_second", "rows_per_second", "total", "data",
}  # fmt: skip
COMPARED = {".csv", ".json", ".jsonl", ".parquet", ".safetensors", ".txt", ".toml", ".onnx"}
NOT_COMPARED = {"run.json", "sweep.json", "trials.csv", "leaderboard.csv", "test_ledger.jsonl"}  # with times


@dataclass(frozen=True)
class Command:
    """A command to kill.

    ``arguments`` start it, ``resume`` too if the file or folder ``unfinished`` is there. ``old`` are the arguments that
    make another output at its place. ``is_timed``: its result depends on time.
    """

    name: str
    arguments: tuple[str, ...]
    out: str = OUT
    resume: tuple[str, ...] = ()
    unfinished: str = ""
    old: tuple[str, ...] = ()
    is_timed: bool = False


TRAIN = ("train", "../data.csv", "--out", OUT)
NETWORK = ("--recipe", "embedding-average", "--set", "training.epochs=6", "--set", "protocol.validation=0.2")
PREDICT = ("predict", "../model", "--input", "../new.csv", "--output")
COMMANDS = [
    Command("train, n-grams", TRAIN, old=(*TRAIN, "--recipe", "naive-bayes")),
    Command(
        "train, network",
        (*TRAIN, *NETWORK),
        resume=("train", "--resume", OUT),
        unfinished=f"{OUT}.unfinished/asked.json",
        old=(*TRAIN, "--recipe", "naive-bayes"),
    ),
    Command("predict, CSV", (*PREDICT, f"{OUT}.csv"), f"{OUT}.csv", old=(*PREDICT, f"{OUT}.csv", "--proba")),
    Command("predict, Parquet", (*PREDICT, f"{OUT}.parquet"), f"{OUT}.parquet"),
    Command("predict, parts", (*PREDICT, f"{OUT}/", "--part-rows", "300")),
    Command(
        "sweep",
        ("sweep", "../data.csv", "--grid", "model.C=0.1,1,10", "--seeds", "2", "--processes", "2", "--out", OUT),
        resume=("sweep", "--resume", OUT),
        unfinished=f"{OUT}/work",
    ),
    Command(
        "tune",
        ("tune", "../data.csv", "--budget", "30s", "--out", OUT),
        resume=("tune", "--resume", OUT),
        unfinished=f"{OUT}.tuning/asked.json",
        is_timed=True,
    ),
]


@dataclass
class Outcome:
    """What came of the kills of one command: at which share of its time, and what was wrong."""

    command: str
    seconds: float
    kills: int = 0
    finished: int = 0  # before the signal came
    resumed: int = 0
    moments: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def make_inputs(place: Path, rows: int = ROWS, rows_to_predict: int = ROWS_TO_PREDICT) -> None:
    """Write the rows to train on, a model, and the rows to predict."""
    import polars as pl

    from tagline.data.builtin.samples import read_movie_snippets

    frame = read_movie_snippets().frame.sample(fraction=1, shuffle=True, seed=0)
    frame[:rows].write_csv(place / "data.csv")
    pl.concat([frame.select("text")] * (1 + rows_to_predict // len(frame)))[:rows_to_predict].write_csv(
        place / "new.csv"
    )
    _run(place, ("train", "data.csv", "--recipe", "naive-bayes", "--out", "first"))
    (place / "first" / "model").rename(place / "model")


def kill_and_check(command: Command, place: Path, kills: int, seed: int, keep: Path | None = None) -> Outcome:
    """Run a command undisturbed, then kill it as often as asked for; ``keep`` gets the folders with something wrong."""
    chance = random.Random(f"{seed} {command.name}")
    old = place / "old"
    if command.old:
        _run(_new_folder(old), command.old)
    undisturbed = _new_folder(place / "undisturbed")
    before = time.perf_counter()
    _run(undisturbed, command.arguments)
    outcome = Outcome(command.name, time.perf_counter() - before)
    for number in range(kills):
        here = _new_folder(place / "killed")
        with_old = bool(command.old) and number % 2 == 1
        if with_old:
            _copy(old / command.out, here / command.out)
        moment = chance.random()
        outcome.moments.append(moment)
        found = _kill_once(command, here, moment * outcome.seconds, outcome)
        found += _incomplete(command, here, [undisturbed, *([old] if with_old else [])])
        resumes = bool(command.resume) and (here / command.unfinished).exists()
        outcome.resumed += resumes
        arguments = command.resume if resumes else command.arguments
        if not (command.name in ("sweep", "tune") and not resumes and _is_whole(command, here)):
            found += _failure(_start(here, arguments))
        found += _differences(command, here, undisturbed)
        result = f"killed at {moment:.3f}{', with an old output' * with_old}: {'; '.join(found) or 'equal'}"
        outcome.wrong += [result] if found else []
        print(f"{command.name}: {result}", file=sys.stderr, flush=True)
        if found and keep is not None:
            shutil.copytree(place, keep / f"{command.name}-{number}")
    return outcome


def _kill_once(command: Command, here: Path, seconds: float, outcome: Outcome) -> list[str]:
    process = _start(here, command.arguments)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    error = process.communicate()[1]
    if process.returncode == -signal.SIGKILL:
        outcome.kills += 1
        return []
    outcome.finished += 1
    return [] if process.returncode == 0 else [f"failed before the signal came: {error.strip()}"]


def _incomplete(command: Command, here: Path, whole: Sequence[Path]) -> list[str]:
    """Return what is wrong with the output right after the kill."""
    out = here / command.out
    if command.name in ("sweep", "predict, parts") or not out.exists():  # these are written file by file
        return []
    if command.is_timed:
        return [] if _is_whole(command, here) else ["the run is incomplete after the kill"]
    if any(_content(out) == _content(folder / command.out) for folder in whole):
        return []
    return ["the output is neither the old nor the new one after the kill"]


def _is_whole(command: Command, here: Path) -> bool:
    """Return whether the output of a command that refuses to run twice, or need not, is there."""
    return (here / command.out / ("results.json" if command.name == "sweep" else "metrics.json")).exists()


def _differences(command: Command, here: Path, undisturbed: Path) -> list[str]:
    """Return how the folder differs from that of the undisturbed run."""
    found = []
    names, expected = _names(here), _names(undisturbed)
    if names != expected:
        surplus, missing = sorted(names - expected), sorted(expected - names)
        if not command.is_timed or any("/" not in name for name in surplus + missing):
            found.append(f"left over: {surplus[:5]}; missing: {missing[:5]}")
    left = sorted(path.name for path in (here / ".temporary").iterdir())
    if left:
        found.append(f"left over among temporary files: {left[:5]}")
    if command.is_timed:
        recipe = f"{OUT}/recipe.toml" if (here / OUT / "recipe.toml").exists() else "fast"  # if none was evaluated
        _run(here, (*TRAIN[:-1], "again", "--recipe", recipe))
        if _content(here / "again" / "model") != _content(here / OUT / "model"):
            found.append("the model is not that of its recipe")
    else:
        got, wanted = _content(here / command.out), _content(undisturbed / command.out)
        differing = sorted(name for name in got.keys() & wanted.keys() if got[name] != wanted[name])
        if differing:
            found.append(f"different: {differing[:5]}")
    ledger = here / "test_ledger.jsonl"
    if ledger.exists():
        lines = [json.loads(line) for line in ledger.read_text().splitlines()]
        if not 1 <= len(lines) - command.is_timed <= 2 or len({line["test"] for line in lines}) != 1:
            found.append(f"the ledger has {len(lines)} lines")
    return found


def _content(out: Path) -> dict[str, Any]:
    """Return what two equal outputs have in common, by the name of the file."""
    if out.is_file():
        return {"": out.read_bytes()}
    files = [path for path in out.rglob("*") if path.suffix in COMPARED and path.name not in NOT_COMPARED]
    return {str(path.relative_to(out)): _comparable(path) for path in files}


def _comparable(path: Path) -> Any:
    if path.suffix == ".json" and path.parent.name != "model":
        return _without_times(json.loads(path.read_text()))
    if path.suffix == ".csv":
        import polars as pl

        return pl.read_csv(path, infer_schema=False).select(pl.exclude("^.*(seconds|finished|time).*$")).rows()
    return path.read_bytes()


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_times(each) for key, each in value.items() if key not in VOLATILE}
    return [_without_times(each) for each in value] if isinstance(value, list) else value


def _names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if ".temporary" not in path.parts}


def _new_folder(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    (folder / ".temporary").mkdir(parents=True)
    return folder


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy2(source, target)


def _start(folder: Path, arguments: Sequence[str]) -> "subprocess.Popen[str]":
    environment = os.environ | {"TMPDIR": str(folder / ".temporary")}
    return subprocess.Popen(
        measure.tagline(*arguments, "--quiet"),
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def _failure(process: "subprocess.Popen[str]") -> list[str]:
    error = process.communicate()[1]
    return [] if process.returncode == 0 else [f"started again, it failed: {error.strip()}"]


def _run(folder: Path, arguments: Sequence[str]) -> None:
    (folder / ".temporary").mkdir(exist_ok=True)
    failure = _failure(_start(folder, arguments))
    if failure:
        raise SystemExit(f"`tagline {' '.join(arguments)}`: {failure[0]}")


def report(outcomes: Sequence[Outcome]) -> str:
    """Return a table of the outcomes, and a sentence for whatever was wrong."""
    rows = [("command", "time", "kills", "ended before", "resumed", "equal", "left over", "moments, in % of the time")]
    for each in outcomes:
        moments = " ".join(f"{100 * moment:.0f}" for moment in sorted(each.moments))
        wrong = [sum(what in one for one in each.wrong) for what in ("", "left over")]
        numbers = (each.kills, each.finished, each.resumed, len(each.moments) - wrong[0], wrong[1])
        rows.append((each.command, f"{each.seconds:.1f} s", *map(str, numbers), moments))
    wrong_ones = [f"* {each.command}, {one}" for each in outcomes for one in each.wrong]
    return "\n".join([measure.table(rows), *([""] if wrong_ones else []), *wrong_ones])


def main() -> int:
    """Kill the commands named, or all."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("commands", nargs="*", metavar="COMMAND", help="the first words of names; all by default")
    parser.add_argument("--kills", type=int, default=9, help="of each command")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="a folder for what is wrong")
    parser.add_argument("--record", action="store_true", help="append the figures to RESULTS.md")
    given = parser.parse_args()
    wanted = [each for each in COMMANDS if not given.commands or each.name.startswith(tuple(given.commands))]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        make_inputs(place)
        outcomes = [kill_and_check(command, place, given.kills, given.seed, given.keep) for command in wanted]
    measure.publish("Commands killed at random moments", report(outcomes), given.record)
    return int(any(each.wrong for each in outcomes))


if __name__ == "__main__":
    sys.exit(main())
