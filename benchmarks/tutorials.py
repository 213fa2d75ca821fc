"""The systems of the Keras tutorials: accuracy of each recipe over several seeds, and its time compared with Keras.

::

    TAGLINE_DATA=... python benchmarks/tutorials.py --seeds 3 --record
    TAGLINE_DATA=... python benchmarks/tutorials.py --compare-keras --keras-python PYTHON --record

The first trains every recipe on all of IMDB or Reuters with `tagline train` and evaluates the test rows once per seed.
The second runs tagline and Keras (on TensorFlow, extra `bench`; ``PYTHON`` is the interpreter that has it) on the same
encoded sequences, alternating, and measures the time from there to the test accuracy, including training on all rows
and excluding imports. An LSTM is timed over `--lstm-epochs` epochs.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import measure

RECIPES = (
    "embedding-average",
    "embedding-average-slow",
    "multihot-dense",
    "lstm",
    "lstm-masked",
    "bilstm",
    "gru",
    "cnn",
    "naive-bayes",
    "linear-svm",
    "logistic-regression",
    "decision-tree",
    "random-forest",
    "newswire-dense",
)
# The expected range of the test accuracy; an upper limit where a recipe should be as weak as its tutorial. `lstm` has
# none.
EXPECTED = {
    "embedding-average": "86.5-88.5",
    "embedding-average-slow": "70-77",
    "multihot-dense": "87.3-88.9",
    "lstm-masked": "86.5-",
    "bilstm": "87.5-",
    "gru": "87.5-",
    "cnn": "87.5-",
    "naive-bayes": "86-",
    "linear-svm": "90.5-",
    "logistic-regression": "90-",
    "decision-tree": "70-",
    "random-forest": "84-",
    "newswire-dense": "78-80.5",
}
EPOCHS = {
    "multihot-dense": 4,
    "embedding-average": 10,
    "newswire-dense": 9,
    "embedding-average-slow": 60,
    "gru": 3,
    "bilstm": 3,
    "cnn": 3,
}
COMPARED_WITH_KERAS = ("multihot-dense", "embedding-average", "newswire-dense", "lstm")  # by default
HERE = Path(__file__).resolve()


def main() -> None:
    """Run the part that the options select."""
    options = measure.parser(__doc__.partition("\n")[0], rounds=3)
    options.add_argument("recipes", nargs="*", help="the recipes to run (default: all)")
    options.add_argument("--seeds", type=int, default=3, help="trainings of each recipe (default %(default)s)")
    options.add_argument(
        "--all-rows",
        action="store_true",
        help="skip the training with validation rows; the final one does not depend on it",
    )
    options.add_argument(
        "--compare-keras", action="store_true", help="compare the training time of the networks with Keras"
    )
    options.add_argument("--keras-python", default=sys.executable, help="the interpreter that has keras and tensorflow")
    options.add_argument(
        "--lstm-epochs", type=int, default=1, help="epochs over which an LSTM is timed (default %(default)s)"
    )
    options.add_argument("--worker", metavar="FILE", help="internal: train one recipe on encoded sequences")
    options.add_argument("--encode", metavar="FILE", help="internal: write the encoded sequences")
    arguments = options.parse_args()
    if arguments.encode:
        encode(Path(arguments.encode))
    elif arguments.worker:
        work(arguments.recipes[0], Path(arguments.worker), arguments.lstm_epochs)
    elif arguments.compare_keras:
        compare_keras(arguments)
    else:
        figures(arguments)


def figures(arguments: Any) -> None:
    """Train each recipe with every seed and print the test figures."""
    rows = [["recipe", "test accuracy, %", "spread (s)", "expected, %", "best epoch", "fastest, s", "peak RSS, MB"]]
    for recipe in arguments.recipes or RECIPES:
        accuracy, seconds, memory, epochs = [], [], [], []
        for seed in range(arguments.seeds):
            with tempfile.TemporaryDirectory() as folder:
                data = "reuters" if recipe == "newswire-dense" else "imdb"
                out = Path(folder) / "run"
                command = ["train", data, "--recipe", recipe, "--seed", str(seed), "--out", str(out)]
                if arguments.all_rows:
                    command += ["--set", "protocol.validation=none"]
                cost = measure.run_process(measure.tagline(*command, "--json", "--quiet"))
                training = json.loads((out / "run.json").read_text()).get("training") or {}
            accuracy.append(100 * cost.answer["test"]["accuracy"])
            seconds.append(cost.seconds)
            memory.append(cost.peak_rss_mb)
            epochs.append(training.get("best_epoch"))
            print(f"{recipe} seed {seed}: {accuracy[-1]:.2f} %, {seconds[-1]:.1f} s", file=sys.stderr, flush=True)
        rows.append(
            [
                recipe,
                f"{mean(accuracy):.2f} ({min(accuracy):.2f}-{max(accuracy):.2f})",
                f"{stdev(accuracy):.2f}" if len(accuracy) > 1 else "-",
                EXPECTED.get(recipe, "-"),
                ", ".join(map(str, epochs)) if epochs[0] is not None else "-",
                f"{min(seconds):.1f}",
                f"{max(memory):.0f}",
            ]
        )
    text = (
        f"Mean of {arguments.seeds} seeds (lowest-highest) and their standard deviation. The time is that of the whole "
        "command, which trains twice if it holds out validation rows"
        f"{'; with `--all-rows` it trains once' if arguments.all_rows else ''}.\n\n"
    )
    measure.publish("The tutorials' systems", text + measure.table(rows), arguments.record)


def compare_keras(arguments: Any) -> None:
    """Time tagline and Keras on the same encoded sequences, alternating."""
    head = ["system", "contender", "encode, s", "train, s", "test, s", "total, s", "ratio", "test accuracy, %"]
    rows = [[*head, "peak RSS, MB", "beyond imports, MB"]]
    with tempfile.TemporaryDirectory() as folder:
        for recipe in arguments.recipes or COMPARED_WITH_KERAS:
            arrays = Path(folder) / ("reuters.npz" if recipe == "newswire-dense" else "imdb.npz")
            if not arrays.exists():  # in another process: see measure.py on memory
                subprocess.run([sys.executable, str(HERE), "--encode", str(arrays)], check=True)
            epochs = EPOCHS.get(recipe, arguments.lstm_epochs)
            jobs = {
                "tagline": lambda recipe=recipe, arrays=arrays: measure.run_process(
                    [
                        sys.executable,
                        str(HERE),
                        recipe,
                        "--worker",
                        str(arrays),
                        "--lstm-epochs",
                        str(arguments.lstm_epochs),
                    ]
                ),
                "keras": lambda recipe=recipe, arrays=arrays, epochs=epochs: keras(
                    arguments.keras_python, recipe, arrays, epochs, Path(folder) / "answer.json"
                ),
            }
            costs = measure.alternate(jobs, arguments.rounds)
            rows += [row(recipe, name, costs) for name in costs]
    text = (
        f"The same encoded sequences, without imports. Median of {arguments.rounds} rounds (lowest-highest); the ratio "
        f"is the total time of Keras to that of tagline. `lstm`: {arguments.lstm_epochs} epoch(s).\n\n"
    )
    measure.publish("The tutorials' networks compared with Keras", text + measure.table(rows), arguments.record)


def row(recipe: str, name: str, costs: dict[str, list[measure.Cost]]) -> list[str]:
    """Return a contender's row of the table."""
    answers = [cost.answer for cost in costs[name]]

    def total(answer: dict[str, Any]) -> float:
        return sum(answer["seconds"][stage] for stage in ("vectorise", "train", "test"))

    ratio = measure.median(map(total, (c.answer for c in costs["keras"]))) / measure.median(map(total, answers))
    return [
        recipe,
        name,
        *(measure.spread([answer["seconds"][stage] for answer in answers]) for stage in ("vectorise", "train", "test")),
        measure.spread([total(answer) for answer in answers]),
        f"{ratio:.1f}",
        measure.spread([100 * answer["accuracy"] for answer in answers]),
        f"{max(answer['peak_rss_mb'] for answer in answers):.0f}",
        f"{max(answer['peak_rss_mb'] - answer['peak_rss_mb_after_imports'] for answer in answers):.0f}",
    ]


def keras(python: str, recipe: str, arrays: Path, epochs: int, answer: Path) -> measure.Cost:
    """Run one system in Keras."""
    script = str(HERE.with_name("keras_tutorials.py"))
    command = [python, script, recipe, "--arrays", str(arrays), "--epochs", str(epochs), "--json", str(answer)]
    cost = measure.run_process(command)
    return measure.Cost(cost.seconds, cost.cpu_seconds, cost.peak_rss_mb, json.loads(answer.read_text()))


def encode(path: Path) -> None:
    """Write the sequences of a dataset as in Keras, with 10,000 words and concatenated ids."""
    import numpy as np

    from tagline.keras_datasets import imdb, reuters

    (x, y), (x_test, y_test) = (reuters if path.stem == "reuters" else imdb).load_data(num_words=10_000)
    parts: dict[str, Any] = {}
    for name, sequences, labels in (("train", x, y), ("test", x_test, y_test)):
        parts[f"{name}_ids"] = np.concatenate([np.asarray(ids, np.int32) for ids in sequences])
        parts[f"{name}_lengths"] = np.array([len(ids) for ids in sequences])
        parts[f"{name}_labels"] = labels
    np.savez(path, **parts)


def work(recipe: str, arrays: Path, lstm_epochs: int) -> None:
    """Train one recipe on all rows of encoded sequences, test it, and print the costs as JSON."""
    import numpy as np

    import tagline.training  # noqa: F401  # imported before memory is measured
    from tagline.classifier import TextClassifier
    from tagline.features.sequences import Sequences
    from tagline.recipes import load_recipe

    def peak() -> float:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    imported = peak()
    with np.load(arrays) as file:
        known = load_recipe(recipe).features.num_words  # rarer words are unknown, as in keras_tutorials.py
        train, test = (
            Sequences(np.where(file[f"{part}_ids"] < known, file[f"{part}_ids"], 2), file[f"{part}_lengths"])
            for part in ("train", "test")
        )
        y, y_test = file["train_labels"], file["test_labels"]
    epochs = EPOCHS.get(recipe, lstm_epochs)
    clf = TextClassifier(recipe, settings={"protocol.validation": "none", "protocol.refit": epochs})
    start = time.perf_counter()
    clf.fit(train, y)
    trained = time.perf_counter()
    accuracy = clf.score(test, y_test)
    tested = time.perf_counter()
    encoding = clf.seconds_["features"]
    answer = {
        "seconds": {"vectorise": encoding, "train": trained - start - encoding, "test": tested - trained},
        "accuracy": accuracy,
        "peak_rss_mb": peak(),
        "peak_rss_mb_after_imports": imported,
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
