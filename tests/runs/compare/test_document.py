"""`compare_runs` on runs as training leaves them, and on copies of them that were changed in one thing."""

import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tagline.errors import InputError
from tagline.metrics import measure
from tagline.metrics.comparison.compare import holm
from tagline.metrics.comparison.mcnemar import mcnemar
from tagline.report.comparison import render_comparison
from tagline.runs.compare import compare_runs, speed
from tagline.runs.predictions import series_indices
from tagline.runs.settings import TrainSettings
from tagline.runs.train import train_run

MARK = "zzyzx"  # in every text: where it stands, a text stands
WORDS = {"neg": ["bad", "dull", "weak", "awful"], "pos": ["good", "fine", "great", "superb"]}


def write_data(path: Path, n_train: int = 80, n_test: int = 200) -> Path:
    rng = random.Random(0)
    rows = []
    for i in range(n_train + n_test):
        label = ("neg", "pos")[i % 2]
        said = label if rng.random() < 0.8 else ("pos", "neg")[i % 2]
        words = [*rng.choices(WORDS[said], k=2), *rng.choices(["the", "of", "and", "plot", "film", "scene"], k=5)]
        rows.append((f"{MARK} {' '.join(words)} {i}", label, "train" if i < n_train else "test"))
    pl.DataFrame(rows, ["text", "label", "split"], orient="row").write_csv(path)
    return path


def train(data, out: Path, recipe: str = "naive-bayes", **settings) -> Path:
    return train_run(data, TrainSettings(recipe=recipe, **settings), out=out).folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A folder with `data.csv` and the runs `a` and `b` on it."""
    folder = tmp_path_factory.mktemp("trained")
    data = write_data(folder / "data.csv")
    train(str(data), folder / "runs" / "a")
    train(str(data), folder / "runs" / "b", "linear-svm")
    return folder


@pytest.fixture(scope="module")
def document(trained: Path) -> dict:
    return compare_runs([trained / "runs" / "a", trained / "runs" / "b"])


@pytest.fixture(scope="module", autouse=True)
def _short_timing() -> Iterator[None]:
    """Time the models for an instant: no test needs a precise speed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(speed, "_SECONDS", 0.05)
        yield


def load(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def copy(run: Path, to: Path, **of_run) -> Path:
    """Copy a run and change what its ``run.json`` says; what is None goes."""
    shutil.copytree(run, to)
    about = load(to / "run.json") | of_run
    (to / "run.json").write_text(json.dumps({key: value for key, value in about.items() if value is not None}))
    return to


def copy_with_mistakes(run: Path, to: Path, n: int) -> Path:
    """Copy a run of two classes and turn ``n`` of its right predictions into wrong ones."""
    copy(run, to)
    rows = pl.read_parquet(to / "predictions.parquet")
    right = np.flatnonzero((rows["label"] == rows["prediction"]).to_numpy())[:n].tolist()
    turned = [("pos" if said == "neg" else "neg") if i in right else said for i, said in enumerate(rows["prediction"])]
    rows = rows.with_columns(prediction=pl.Series(turned))
    rows.write_parquet(to / "predictions.parquet")
    truth, said = (series_indices(rows[name], ["neg", "pos"]) for name in ("label", "prediction"))
    metrics = load(to / "metrics.json")
    metrics["test"] = measure(truth, said, None, ["neg", "pos"], task="binary")
    (to / "metrics.json").write_text(json.dumps(metrics))
    return to


def test_the_figures_are_those_of_the_runs(document: dict, trained: Path) -> None:
    rows = [pl.read_parquet(trained / "runs" / name / "predictions.parquet") for name in "ab"]
    right = [(each["label"] == each["prediction"]).to_numpy() for each in rows]
    assert document["rows"] == 200
    for run, name in zip(document["runs"], "ab", strict=True):
        test = load(trained / "runs" / name / "metrics.json")["test"]
        assert {key: run[key] for key in ("accuracy", "accuracy_ci95", "macro_f1")} == {
            key: test[key] for key in ("accuracy", "accuracy_ci95", "macro_f1")
        }
        files = [path for path in (trained / "runs" / name / "model").iterdir() if path.is_file()]
        assert run["megabytes"] == pytest.approx(sum(len(path.read_bytes()) for path in files) / 1e6, abs=1e-4)
        assert 0 < run["ms_per_text"] < 1000
        assert run["texts_per_second"] > 1000 / run["ms_per_text"] / 10
    [pair] = document["pairs"]
    cells = pair["mcnemar"]
    assert cells["only_first_right"] == int((right[0] & ~right[1]).sum())
    assert cells["only_second_right"] == int((~right[0] & right[1]).sum())
    assert cells["both_right"] + cells["both_wrong"] == int((right[0] == right[1]).sum())
    assert cells["p_corrected"] == cells["p"] == mcnemar(cells["only_first_right"], cells["only_second_right"])
    assert pair["accuracy"]["difference"] == pytest.approx(right[1].mean() - right[0].mean())
    low, high = pair["accuracy"]["difference_ci95"]
    assert low <= pair["accuracy"]["difference"] <= high
    assert document["test_looks"] == 2
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_examples_are_rows_on_which_one_is_right(document: dict, trained: Path) -> None:
    data = pl.read_csv(trained / "data.csv").filter(pl.col("split") == "test")
    rows = [pl.read_parquet(trained / "runs" / name / "predictions.parquet") for name in "ab"]
    [pair] = document["pairs"]
    for way, right, wrong in (("first_right", 0, 1), ("second_right", 1, 0)):
        found = pair["examples"][way]
        assert 0 < len(found) <= 5
        for example in found:
            row = example["row"]
            assert example["text"] == data["text"][row]
            assert example["label"] == data["label"][row] == rows[right]["prediction"][row]
            assert example["wrong"] == example["about"] == rows[wrong]["prediction"][row] != example["label"]
            assert example["probabilities"] == [each[f"proba:{example['about']}"][row] for each in rows]
        sure = [example["probabilities"][wrong] for example in found]
        assert sure == sorted(sure, reverse=True)
        differ = rows[right].filter(
            (pl.col("label") == pl.col("prediction")) & (rows[wrong]["prediction"] != pl.col("label"))
        )
        most = rows[wrong][differ["row"].to_list()].select(pl.max_horizontal("proba:neg", "proba:pos").max()).item()
        assert sure[0] == most


def test_a_real_difference_is_called_one(trained: Path, tmp_path: Path) -> None:
    a = trained / "runs" / "a"
    worse = copy_with_mistakes(a, tmp_path / "worse", 20)
    share = [f"{100 * load(run / 'metrics.json')['test']['accuracy']:.1f} %" for run in (a, worse)]
    for order in ([a, worse], [worse, a]):
        document = compare_runs(order)
        sentence = document["conclusion"][0]
        start = f"`a` is significantly more accurate than `worse`: {share[0]} against {share[1]}, a difference of 10.0 "
        assert sentence.startswith(start)
        assert sentence.endswith("), McNemar p < 0.001.")
        assert any(" significant (bootstrap p" in other for other in document["conclusion"])


def test_an_insignificant_difference_names_the_smallest_significant_one(trained: Path, tmp_path: Path) -> None:
    a = trained / "runs" / "a"
    sentence = compare_runs([a, copy_with_mistakes(a, tmp_path / "worse", 4)])["conclusion"][0]
    # Four rows, all to one side, are p = 1/16; five would be 1/32: 2.5 points of 200 rows.
    assert sentence.startswith("No significant difference in accuracy on these 200 rows: `a` has ")
    assert "2.0 points apart" in sentence
    assert sentence.endswith(", McNemar p = 0.062. A difference of about 2.5 points would be significant.")


def test_models_that_answer_alike(trained: Path, tmp_path: Path) -> None:
    a = trained / "runs" / "a"
    document = compare_runs([a, copy(a, tmp_path / "same")])
    assert document["conclusion"][0].startswith("`a` and `same` are correct on the same rows: ")
    assert document["pairs"][0]["agreement"] == 1
    assert document["pairs"][0]["examples"] == {"first_right": [], "second_right": []}


def test_several_runs_are_compared_in_pairs_and_corrected(trained: Path, tmp_path: Path) -> None:
    a, b = (trained / "runs" / name for name in "ab")
    worse = copy_with_mistakes(a, tmp_path / "worse", 30)
    document = compare_runs([worse, b, a])
    pairs = document["pairs"]
    assert [(pair["first"], pair["second"]) for pair in pairs] == [(0, 1), (0, 2), (1, 2)]
    assert [pair["mcnemar"]["p_corrected"] for pair in pairs] == holm([pair["mcnemar"]["p"] for pair in pairs])
    best = max(range(3), key=lambda k: document["runs"][k]["accuracy"])
    assert [best in (pair["first"], pair["second"]) for pair in pairs] == ["examples" in pair for pair in pairs]
    name, other = document["runs"][best]["name"], {1: "a", 2: "b"}[best]
    sentence = document["conclusion"][0]
    assert sentence.startswith(f"`{name}` has the highest accuracy")
    assert f"significantly higher than `worse`, but not than `{other}`: on these 200 rows about" in sentence


def refused(*runs: Path | str) -> str:
    with pytest.raises(InputError) as refusal:
        compare_runs(runs)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def test_what_is_no_two_runs_is_refused(trained: Path, tmp_path: Path, monkeypatch) -> None:
    a, b = (trained / "runs" / name for name in "ab")
    monkeypatch.chdir(a)
    (tmp_path / "link").symlink_to(a)
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    assert "two runs or more" in refused(a)
    for again in (a, ".", tmp_path / "link", f"{a}/../a/"):
        assert "twice" in refused(a, again)
    assert "does not exist" in refused(a, tmp_path / "none")
    assert "is a file" in refused(a, tmp_path / "file")
    assert "has no `run.json`" in refused(a, tmp_path / "empty")
    for name, content in (("run.json", b"{"), ("metrics.json", b"[]"), ("predictions.parquet", b"PAR1")):
        damaged = copy(b, tmp_path / f"damaged-{name}")
        (damaged / name).write_bytes(content)
        assert f"{name}` is" in refused(a, damaged)
    unmeasured = copy(b, tmp_path / "unmeasured")
    (unmeasured / "metrics.json").write_text(json.dumps(load(b / "metrics.json") | {"test": None}))
    assert "not measured on test rows" in refused(a, unmeasured)


def test_runs_on_other_rows_are_refused_with_what_differs(trained: Path, tmp_path: Path) -> None:
    a, b = (trained / "runs" / name for name in "ab")
    about, metrics = load(b / "run.json"), load(b / "metrics.json")
    test, data = about["test"], about["dataset"]
    drawn = data | {"facts": data["facts"] | {"official": False}}
    other = test | {"fingerprint": "0" * 32}

    def changed(name: str, **of_run) -> Path:
        return copy(b, tmp_path / name, **of_run)

    assert "in another order" in refused(a, changed("turned", test=test | {"ordered": "0" * 32}))
    zero = changed("zero", dataset=drawn)
    assert "seeds 0 and 5" in refused(zero, changed("seed", test=other, seed=5, dataset=drawn))
    assert "`data`, the other of `more`" in refused(a, changed("name", test=other, dataset=data | {"name": "more"}))
    assert "has changed between them" in refused(a, changed("changed", test=other))
    folded = changed("folds", test=other)
    (folded / "metrics.json").write_text(json.dumps(metrics | {"folds": 5}))
    assert "`folds` was measured by cross-validation" in refused(a, folded)
    topics = changed("task")
    (topics / "metrics.json").write_text(json.dumps(metrics | {"task": "multiclass"}))
    assert "the task of one is binary, of the other multiclass" in refused(a, topics)
    mixed = changed("mixed")
    rows = pl.read_parquet(mixed / "predictions.parquet")
    rows.with_columns(label=rows["label"].reverse()).write_parquet(mixed / "predictions.parquet")
    assert "do not hold the same labels" in refused(a, mixed)
    short = changed("short", test=other)
    rows.head(150).write_parquet(short / "predictions.parquet")
    assert "One has 200, the other 150" in refused(a, short)


def test_runs_of_before_the_ledger_are_compared_if_their_data_is_the_same(trained: Path, tmp_path: Path) -> None:
    a, b = (trained / "runs" / name for name in "ab")
    old = copy(b, tmp_path / "old", test=None, texts=None)
    document = compare_runs([a, old])
    assert document["texts_shown"]
    assert document["pairs"] == compare_runs([a, b])["pairs"]
    data = load(b / "run.json")["dataset"] | {"fingerprint": "0" * 64}
    assert "not measured on the same test rows" in refused(a, copy(b, tmp_path / "older", test=None, dataset=data))


@pytest.mark.parametrize("told", [True, False])
def test_texts_of_a_run_without_texts_are_never_shown(told: bool, trained: Path, tmp_path: Path) -> None:
    a = trained / "runs" / "a"
    quiet = copy(trained / "runs" / "b", tmp_path / "quiet", texts=False if told else None)
    (quiet / "mistakes.json").write_text("[]")
    document = compare_runs([a, quiet])
    assert not document["texts_shown"]
    assert document["pairs"][0]["examples"]["first_right"]
    assert MARK not in json.dumps(document)
    assert document["timed_on"] == 100  # reading texts to time the models shows none


def test_data_that_is_gone_leaves_the_texts_of_the_mistakes_to_time_on(trained: Path, tmp_path: Path) -> None:
    gone = load(trained / "runs" / "a" / "run.json")["data"] | {"source": str(tmp_path / "gone.csv")}
    a, b = (copy(trained / "runs" / name, tmp_path / name, data=gone) for name in "ab")
    texts = {mistake["text"] for run in (a, b) for mistake in json.loads((run / "mistakes.json").read_text())}
    document = compare_runs([a, b])
    assert not document["texts_shown"]
    assert document["timed_on"] == len(texts)
    assert document["runs"][0]["ms_per_text"] > 0
    for run in (a, b):
        (run / "mistakes.json").write_text("[]")
    document = compare_runs([a, b])
    assert (document["timed_on"], document["runs"][0]["ms_per_text"]) == (0, None)
    assert document["runs"][0]["dominated_by"] == []


def test_cross_validated_runs_are_compared_whatever_their_folds(trained: Path, tmp_path: Path) -> None:
    data = str(write_data(tmp_path / "data.csv", 60, 0))
    one = train(data, tmp_path / "runs" / "one", folds=2)
    other = train(data, tmp_path / "runs" / "other", "complement-nb", folds=3, seed=4)
    document = compare_runs([one, other])
    assert (document["rows"], document["folds"]) == (60, 2)
    refused(one, trained / "runs" / "a")


def test_label_sets_are_compared(tmp_path: Path) -> None:
    rng = random.Random(1)
    names = ["red", "round", "small"]
    rows = []
    for i in range(160):
        given = [name for name in names if rng.random() < 0.4]
        said = [name for name in names if (name in given) != (rng.random() < 0.25)]
        filler = rng.choices(["thing", "block", "toy", "box", "ball", "brick"], k=4)
        rows.append({"text": " ".join([*said, *filler]), "label": given, "split": "train" if i < 60 else "test"})
    frame = pl.DataFrame(rows)
    runs = [train(frame, tmp_path / recipe, recipe) for recipe in ("complement-nb", "linear-svm")]
    document = compare_runs(runs)
    test = [load(run / "metrics.json")["test"] for run in runs]
    [pair] = document["pairs"]
    for figure in ("accuracy", "macro_f1", "micro_f1"):
        assert pair[figure]["difference"] == pytest.approx(test[1][figure] - test[0][figure])
    exact = [
        (rows["label"].list.sort() == rows["prediction"].list.sort()).to_numpy()
        for rows in (pl.read_parquet(run / "predictions.parquet") for run in runs)
    ]
    assert pair["mcnemar"]["only_first_right"] == int((exact[0] & ~exact[1]).sum())
    for example in pair["examples"]["second_right"]:
        assert (example["about"] in example["label"]) != (example["about"] in example["wrong"])
    assert any(sentence.startswith("Micro F1") for sentence in document["conclusion"])


def test_a_run_whose_model_was_removed_is_compared_without_its_costs(trained: Path, tmp_path: Path) -> None:
    light = copy(trained / "runs" / "b", tmp_path / "light")
    shutil.rmtree(light / "model")
    document = compare_runs([trained / "runs" / "a", light])
    assert document["pairs"] == compare_runs([trained / "runs" / "a", trained / "runs" / "b"])["pairs"]
    costs = [[run[key] is None for key in ("ms_per_text", "texts_per_second", "megabytes")] for run in document["runs"]]
    assert costs == [[False] * 3, [True] * 3]
    assert 'role="img"' not in render_comparison(document)


def test_runs_of_one_name_go_by_their_paths(trained: Path, tmp_path: Path) -> None:
    a = trained / "runs" / "a"
    other = copy(a, tmp_path / "a")
    assert [run["name"] for run in compare_runs([a, other])["runs"]] == [str(a), str(other)]
