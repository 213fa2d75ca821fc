"""Make the golden runs, sweeps and searches: `python tests/golden/make_runs.py`, once; what is there stays.

It works in this folder, so that the runs name their data by `data/...`. Plots and pages are left out, as they are large
and can be made again; so are large features that a stopped search kept. What was stopped is killed by force in the
middle. `expected/` holds what `tagline evaluate`, `tagline predict`, `tagline explain` and `tagline compare` printed
for the runs, and the results of a copy of each stopped run that was resumed at once.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
TAGLINE = [sys.executable, "-m", "tagline"]
GOOD = ["good", "great", "wonderful", "superb", "moving", "brilliant", "schön"]
BAD = ["bad", "dull", "terrible", "boring", "awful", "weak", "öde"]
OTHER = ["the", "film", "plot", "actor", "scene", "music", "story", "with", "and", "of", "isn't", "“one”"]
TOPICS = {"sport": "goal", "money": "bank", "art": "paint"}
NETWORK = [
    *("--set", "features.num_words=60", "--set", "features.maxlen=12", "--set", "model.embedding=4"),
    *("--set", "training.batch_size=16"),
]
CNN = ["--recipe", "cnn", *NETWORK, "--set", "model.filters=6", "--set", "model.units=4"]
STOPPED = ["--recipe", "embedding-average", "--set", "training.epochs=400", "--set", "protocol.refit=5"]
GRID = ["--recipe", "random-forest", "--grid", "model.n_trees=300,301,302,303,304,305", "--processes", "1"]


def reviews(n: int, seed: int) -> list[str]:
    rng, rows = random.Random(seed), ["id,review,stars"]
    for number in range(n):
        good = number % 2 == 0
        ours, theirs = (GOOD, BAD) if good else (BAD, GOOD)
        words = [rng.choice(OTHER) for _ in range(8)]
        words += [rng.choice(ours if rng.random() < 0.75 else theirs) for _ in range(2)]
        rng.shuffle(words)
        rows.append(f'{number},"{" ".join(words)}, no{number}",{"pos" if good else "neg"}')
    return rows


def topics(n: int, seed: int) -> list[str]:
    rng, rows = random.Random(seed), ["text,topic"]
    for number in range(n):
        for topic, word in TOPICS.items():
            said = word if rng.random() < 0.8 else rng.choice(list(TOPICS.values()))
            rows.append(f"{' '.join(rng.choice(OTHER) for _ in range(4))} {said} {number},{topic}")
    return rows


def call(*command: str) -> str:
    print("tagline", *command)
    done = subprocess.run([*TAGLINE, *command], cwd=HERE, text=True, capture_output=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


def killed(*command: str, when: Callable[[], bool]) -> None:
    print("to be killed: tagline", *command)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([*TAGLINE, *command], cwd=HERE, start_new_session=True, **quiet)
    while not when():
        assert process.poll() is None, "it ended too early"
        time.sleep(0.005)
    os.killpg(process.pid, 9)
    process.wait()


def without_pages(folder: Path) -> None:
    shutil.rmtree(folder / "plots", ignore_errors=True)
    (folder / "report.html").unlink(missing_ok=True)


def keep(name: str, content: str) -> None:
    (HERE / "expected" / name).write_text(content, encoding="utf-8")


def finished() -> None:
    """Make what is whole."""
    train = ["train", "data/reviews.csv", "--quiet", "--json"]
    call(*train, "--out", "run-v1")
    call(*train, "--out", "run-v1-network", *CNN, "--set", "training.epochs=4", "--set", "protocol.refit=4")
    call("train", "data/topics.csv", "--recipe", "naive-bayes", "--folds", "3", "--out", "run-v1-folds", "--quiet")
    call("sweep", "data/reviews.csv", "--grid", "features.words=1,2", "--seeds", "2", "--out", "sweep-v1")
    call("sweep", "data/topics.csv", "--recipe", "naive-bayes", "--curve", "--seeds", "2", "--out", "sweep-v1-curve")
    call("tune", "data/reviews.csv", "--budget", "40s", "--out", "tune-run-v1")
    call("export", "run-v1", "--format", "onnx", "--out", "onnx-v1/model")
    call("export", "run-v1-network", "--format", "onnx", "--out", "onnx-v1-network/model")


def said() -> None:
    """Keep what the commands say of the runs, asked of a copy, as being asked is noted beside a run."""
    for name in ("run-v1", "run-v1-network", "tune-run-v1"):
        keep(f"{name}.evaluate.json", call("evaluate", f"expected/copy/{name}", "data/reviews.csv", "--json", "-q"))
        keep(f"{name}.later.json", call("evaluate", f"expected/copy/{name}", "data/later.csv", "--json", "-q"))
        requested = ["predict", name, "--input", "data/later.csv", "--proba", "--quiet"]
        for kind in ("csv", "jsonl"):
            keep(f"{name}.predict.{kind}", call(*requested, "--format", kind))
        keep(f"{name}.explain.json", call("explain", name, "A superb film isn't dull", "--json", "--quiet"))
    keep("run-v1-folds.predict.csv", call("predict", "run-v1-folds", "--input", "data/topics.csv", "--top-k", "2"))
    pair = ["expected/copy/run-v1", "expected/copy/run-v1-network"]
    keep("compare.json", call("compare", *pair, "--out", "expected/copy/page.html", "--json", "--quiet"))
    keep("runs.json", call("runs", ".", "--json", "--quiet"))
    for folder in ("onnx-v1", "onnx-v1-network"):
        shown = call("predict", f"{folder}/model", "--input", "data/later.csv", "--proba", "--format", "jsonl", "-q")
        rows = [json.loads(line) for line in shown.splitlines()]
        expected = {
            "texts": [row["review"] for row in rows],
            "classes": ["neg", "pos"],
            "proba": [[row["proba:neg"], row["proba:pos"]] for row in rows],
            "predict": [row["prediction"] for row in rows],
        }
        text = json.dumps(expected, ensure_ascii=False, indent=1) + "\n"
        (HERE / folder / "expected.json").write_text(text, encoding="utf-8")


def stopped() -> None:
    """Make what is stopped by force: a training, a sweep, a search."""
    kept = HERE / "stopped-v1.unfinished" / "checkpoints"
    killed(
        *("train", "data/reviews.csv", "--out", "stopped-v1", *STOPPED, *NETWORK),
        when=lambda: any(kept.rglob("search.pt")),
    )
    table = HERE / "stopped-sweep-v1" / "trials.sqlite"
    killed("sweep", "data/reviews.csv", *GRID, "--out", "stopped-sweep-v1", when=lambda: n_trials(table) >= 2)
    rows = HERE / "stopped-tune-v1.tuning" / "rows"
    killed(
        *("tune", "data/reviews.csv", "--budget", "60s", "--out", "stopped-tune-v1"),
        when=lambda: len(list(rows.glob("*.npz"))) >= 2,
    )
    for kept in (rows.parent / "material" / "encoded").iterdir():  # what can be worked out again, and is large
        if kept.is_dir() and sum(file.stat().st_size for file in kept.iterdir()) > 100_000:
            shutil.rmtree(kept)
            kept.with_name(f"{kept.name}.lock").unlink()


def n_trials(table: Path) -> int:
    import sqlite3

    try:
        with sqlite3.connect(f"file:{table}?mode=ro", uri=True) as connection:
            return int(connection.execute("SELECT count(*) FROM trials").fetchone()[0])
    except sqlite3.OperationalError:  # it is not made yet
        return 0


def resumed() -> None:
    """Keep what copies of the stopped ones come to."""
    call("train", "--resume", "expected/copy/stopped-v1", "--quiet", "--json")
    call("sweep", "--resume", "expected/copy/stopped-sweep-v1", "--quiet")
    requested = ["--input", "data/later.csv", "--proba", "--format", "csv", "-q"]
    keep("resumed-v1.predict.csv", call("predict", "expected/copy/stopped-v1", *requested))
    keep("resumed-sweep-v1.trials.csv", (HERE / "expected/copy/stopped-sweep-v1/trials.csv").read_text())


def main() -> None:
    if (HERE / "run-v1").exists():
        sys.exit("They are there: golden runs are made once.")
    for name, rows in (("reviews", reviews(160, 0)), ("later", reviews(30, 1)), ("topics", topics(60, 2))):
        path = HERE / "data" / f"{name}.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    finished()
    for name in ("run-v1", "run-v1-network", "run-v1-folds", "sweep-v1", "sweep-v1-curve", "tune-run-v1"):
        without_pages(HERE / name)
    stopped()
    copy = HERE / "expected" / "copy"
    shutil.copytree(HERE, copy, ignore=shutil.ignore_patterns("expected", "bundle-*", "__pycache__"))
    said()
    resumed()
    shutil.rmtree(copy)


if __name__ == "__main__":
    main()
