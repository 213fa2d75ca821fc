"""`compare_runs` pairs rows by their source: with other text columns, in another order, with a file of predictions."""

import json
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tagline.errors import TaglineError
from tagline.metrics import measure
from tagline.report.comparison import render_comparison
from tagline.runs.compare import compare_runs, speed
from tagline.runs.predictions import series_indices
from tests.runs.compare.test_document import train, write_data


@pytest.fixture(scope="module", autouse=True)
def _short_timing() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(speed, "_SECONDS", 0.05)
        yield


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Path:
    """Runs on two text columns of a file, and on the same rows in another order."""
    folder = tmp_path_factory.mktemp("pairing")
    frame = pl.read_csv(write_data(folder / "data.csv", n_train=60, n_test=80))
    words = pl.col("text").str.split(" ")
    frame = frame.with_columns(subject=words.list.slice(1, 1).list.join(" ") + pl.format(" {}", pl.int_range(pl.len())))
    frame.write_csv(folder / "data.csv")
    frame.sample(fraction=1, shuffle=True, seed=1).write_csv(folder / "shuffled.csv")
    train(str(folder / "data.csv"), folder / "text", text="text")
    train(str(folder / "data.csv"), folder / "subject", text="subject")
    train(str(folder / "shuffled.csv"), folder / "shuffled", "linear-svm", text="text")
    return folder


def wrong(run: Path) -> set[str]:
    rows = pl.read_parquet(run / "predictions.parquet").filter(pl.col("label") != pl.col("prediction"))
    lines = [Path(file).read_text().split("\n")[line - 1] for file, line in rows.select("file", "line").iter_rows()]
    return set(lines)


def test_classes_that_only_other_predictions_name_are_said(runs: Path, tmp_path: Path) -> None:
    rows = pl.read_parquet(runs / "text" / "predictions.parquet").select("row", "prediction")
    odd = pl.when(pl.col("row") < 3).then(pl.lit("odd")).otherwise("prediction")
    rows.with_columns(prediction=odd).write_csv(tmp_path / "other.csv")
    document = compare_runs([runs / "text", tmp_path / "other.csv"])
    assert document["foreign_classes"] == {"odd": [0, 3]}
    said = "No row has a class that is predicted, which lowers the macro F1: `odd` (`other.csv` in 3 rows)."
    assert said in document["conclusion"]
    assert "foreign_classes" not in compare_runs([runs / "text", runs / "subject"])


@pytest.mark.parametrize("other", ["subject", "shuffled"])
def test_rows_are_paired_by_their_source(runs: Path, other: str) -> None:
    document = compare_runs([runs / "text", runs / other])
    cells = document["pairs"][0]["mcnemar"]
    mistakes = [wrong(runs / name) for name in ("text", other)]
    assert cells["both_wrong"] == len(mistakes[0] & mistakes[1])
    assert cells["only_second_right"] == len(mistakes[0] - mistakes[1])
    rows = pl.read_parquet(runs / "text" / "predictions.parquet")
    examples = [of for way in document["pairs"][0]["examples"].values() for of in way]
    assert examples
    for example in examples:
        line = Path(example["file"]).read_text().split("\n")[example["line"] - 1]
        assert example["text"] in line
        assert rows["line"][example["row"]] == example["line"]
    assert f"Line {example['line']} of" in render_comparison(document)


def part(run: Path, to: Path, predictions: pl.DataFrame, **of_run) -> Path:
    """Make a run that has these predictions, other text columns than ``run``, and no model."""
    to.mkdir()
    about, metrics = (json.loads((run / name).read_text()) for name in ("run.json", "metrics.json"))
    about["dataset"]["facts"]["text_columns"] = ["other"]
    about["test"] = {"fingerprint": "0" * 32, "ordered": "0" * 32, "rows": predictions.height}
    (to / "run.json").write_text(json.dumps(about | of_run))
    (to / "metrics.json").write_text(json.dumps(metrics))
    predictions.write_parquet(to / "predictions.parquet")
    return to


def measured(predictions: pl.DataFrame, classes: list[str], task: str) -> dict:
    truth, said = (series_indices(predictions[name], classes) for name in ("label", "prediction"))
    return measure(truth, said, None, classes, task=task)


@pytest.mark.parametrize("labels", [["neg", "pos"], ["neg"]])
def test_runs_are_compared_on_the_rows_that_all_tested(runs: Path, tmp_path: Path, labels: list[str]) -> None:
    text, subject = (pl.read_parquet(runs / name / "predictions.parquet") for name in ("text", "subject"))
    elsewhere = (pl.col("row") % 8 == 5) | ~pl.col("label").is_in(labels)  # rows that `text` did not test
    subject = subject.with_columns(row_hash=pl.when(elsewhere).then(pl.col("row")).otherwise("row_hash"))
    subject = subject.filter(pl.col("row") % 8 != 1).reverse()
    other = part(runs / "subject", tmp_path / "other", subject)
    text.select("row", "prediction").write_csv(tmp_path / "file.csv")
    document = compare_runs([runs / "text", other, tmp_path / "file.csv"])

    text = text.filter(pl.col("row_hash").is_in(subject["row_hash"].implode()))
    rows = [text, text.select("row_hash").join(subject, on="row_hash", maintain_order="left"), text]
    n = text.height
    assert (document["rows"], document["rows_left_out"]) == (n, [80 - n, 70 - n, 80 - n])
    assert 25 < n == sum(of["rows"] for of in document["per_class"].values())
    for run, of_run in zip(document["runs"], rows, strict=True):
        expected = measured(of_run, ["neg", "pos"], "binary")
        for key in ("accuracy", "accuracy_ci95", "macro_f1", "macro_f1_ci95"):
            assert run[key] == pytest.approx(expected[key])
    right = [(each["label"] == each["prediction"]).to_numpy() for each in rows[:2]]
    pair = document["pairs"][0]
    assert pair["mcnemar"]["only_first_right"] == int((right[0] & ~right[1]).sum())
    assert pair["mcnemar"]["only_second_right"] == int((right[1] & ~right[0]).sum())
    assert pair["accuracy"]["difference"] == pytest.approx(right[1].mean() - right[0].mean())
    assert document["pairs"][1]["agreement"] == 1
    best = next(pair for pair in document["pairs"] if "examples" in pair)
    for example in (example for way in best["examples"].values() for example in way):
        assert text.row(by_predicate=pl.col("row") == example["row"], named=True)["line"] == example["line"]
        assert example["text"] in Path(example["file"]).read_text().split("\n")[example["line"] - 1]
    said = (
        f"All figures are of the {n} test rows that the runs have in common, so they differ from those of the reports"
    )
    assert document["conclusion"][1].startswith(said)
    assert (
        f"{80 - n} of the 80 test rows of `text`, {70 - n} of the 70 test rows of `other`" in document["conclusion"][1]
    )
    page = render_comparison(document)
    assert f"on the {n} test rows that the runs have in common" in page
    assert "have evaluated these test sets" in page


def test_runs_without_enough_common_rows_are_refused(runs: Path, tmp_path: Path) -> None:
    rows = pl.read_parquet(runs / "subject" / "predictions.parquet")
    few = part(runs / "subject", tmp_path / "few", rows.head(4))
    message = "4 test rows in common, too few .*: `text` tested 80 rows, and 4 of `few`.*`--test` or a column `split`"
    with pytest.raises(TaglineError, match=message):
        compare_runs([runs / "text", few])
    assert compare_runs([runs / "text", part(runs / "subject", tmp_path / "enough", rows.head(5))])["rows"] == 5
    turned = part(runs / "subject", tmp_path / "turned", rows.with_columns(label=rows["label"].reverse()))
    with pytest.raises(TaglineError, match="80 of the 80 test rows have another label in `turned`"):
        compare_runs([runs / "text", turned])


def test_an_evaluation_of_rows_that_may_be_training_rows_is_not_compared_in_part(runs: Path, tmp_path: Path) -> None:
    rows = pl.read_parquet(runs / "subject" / "predictions.parquet").head(79)
    about = json.loads((runs / "subject" / "run.json").read_text())
    model = part(runs / "subject", tmp_path / "trained", rows) / "model"  # on the text columns of all parts
    of_all_rows = about["dataset"] | {
        "facts": about["dataset"]["facts"] | {"official": False, "text_columns": ["other"]}
    }

    def compared(name: str, trained: Path, seen: int | None, dataset: dict) -> dict:
        evaluated = part(runs / "subject", tmp_path / name, rows, evaluated={"model": str(trained)}, dataset=dataset)
        metrics = json.loads((evaluated / "metrics.json").read_text()) | {"rows_seen_in_training": seen}
        (evaluated / "metrics.json").write_text(json.dumps(metrics))
        return compare_runs([runs / "text", evaluated])

    assert compared("unseen", model, 0, of_all_rows)["rows"] == 79
    assert compared("official", model, 3, about["dataset"])["rows"] == 79
    for name, trained, seen in (
        ("seen", model, 3),
        ("unknown", model, None),
        ("columns", runs / "text" / "model", 0),
        ("gone", tmp_path / "none" / "model", 0),
    ):
        with pytest.raises(TaglineError, match=f"The evaluation `{name}` cannot be compared on a part of its rows"):
            compared(name, trained, seen, of_all_rows)


@pytest.mark.parametrize("probabilities", [True, False])
def test_a_file_of_predictions_stands_for_a_run(runs: Path, tmp_path: Path, probabilities: bool) -> None:
    rows = pl.read_parquet(runs / "subject" / "predictions.parquet")
    columns = ["row", "prediction", *(["proba:neg", "proba:pos"] if probabilities else [])]
    rows.select(columns).sample(fraction=1, shuffle=True, seed=2).write_csv(tmp_path / "other.csv")
    document = compare_runs([tmp_path / "other.csv", runs / "text"])
    expected = compare_runs([runs / "subject", runs / "text"])
    for key in ("accuracy", "macro_f1", "mcnemar", "agreement", "per_class"):
        assert document["pairs"][0][key] == expected["pairs"][0][key]
    for key in ("accuracy", "accuracy_ci95", "macro_f1"):
        assert document["runs"][0][key] == pytest.approx(expected["runs"][0][key])
    sure = [
        of["probabilities"] for way in ("first_right", "second_right") for of in document["pairs"][0]["examples"][way]
    ]
    assert sure
    assert all((known is not None) == probabilities and other is not None for known, other in sure)
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert ("unknown" in render_comparison(document)) != probabilities
    if probabilities:
        rows.select("row", "prediction", "proba:pos").write_csv(tmp_path / "other.csv")
        [pair] = compare_runs([tmp_path / "other.csv", runs / "text"])["pairs"]
        of_one = [of["probabilities"][0] for way in ("first_right", "second_right") for of in pair["examples"][way]]
        assert of_one == pytest.approx([known for known, _ in sure])


@pytest.mark.parametrize(
    ("change", "message"),
    {
        "no column": (lambda rows: rows.rename({"row": "index"}), "has no column `row`"),
        "missing": (
            lambda rows: rows.filter(pl.col("row") != 7),
            "79 of the 80 test rows of `text`; the first .* row 7",
        ),
        "twice": (lambda rows: pl.concat([rows, rows[3:4]]), "line 82: row 3 occurs twice"),
        "beyond": (lambda rows: rows.with_columns(pl.col("row") + 1), "line 81: `row` is `80`.* numbered from 0 to 79"),
        "words": (lambda rows: rows.with_columns(row=pl.lit("x")), "line 2: `row` is `x`"),
        "empty": (lambda rows: rows.with_columns(prediction=pl.lit("")), "80 of 80 rows have no prediction"),
        "classes": (lambda rows: rows.with_columns(prediction=pl.lit("spam")), r"none of its predictions \(`spam`\)"),
        "probability": (lambda rows: rows.with_columns(pl.lit(50).alias("proba:neg")), "from 0 to 1"),
        "column": (lambda rows: rows.with_columns(pl.lit(0.5).alias("proba:x")), "`proba:x` names none of the classes"),
    }.values(),
)
def test_a_file_that_does_not_match_is_refused(runs: Path, tmp_path: Path, change, message: str) -> None:
    rows = pl.read_parquet(runs / "text" / "predictions.parquet").select("row", "prediction")
    change(rows).write_csv(tmp_path / "other.csv")
    with pytest.raises(TaglineError, match=message):
        compare_runs([runs / "text", tmp_path / "other.csv"])


def test_files_alone_have_no_labels(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / f"{name}.csv").write_text("row,prediction\n0,neg\n")
    with pytest.raises(TaglineError, match="at least one run"):
        compare_runs([tmp_path / "a.csv", tmp_path / "b.csv"])


def test_other_label_sets_in_a_file(tmp_path: Path) -> None:
    rng = random.Random(1)
    rows = []
    for i in range(90):
        given = [name for name in ("red", "round", "small") if rng.random() < 0.4]
        rows.append({"text": f"{' '.join(given)} thing {i}", "label": given, "split": "train" if i < 50 else "test"})
    run = train(pl.DataFrame(rows), tmp_path / "run", "complement-nb")
    predictions = pl.read_parquet(run / "predictions.parquet")
    joined = predictions.select("row", pl.col("prediction").list.join("|"))
    joined.write_csv(tmp_path / "other.csv")
    [pair] = compare_runs([run, tmp_path / "other.csv"])["pairs"]
    assert (pair["agreement"], pair["micro_f1"]["difference"]) == (1, 0)
    joined.with_columns(pl.lit(0.5).alias("proba:red")).write_csv(tmp_path / "other.csv")
    with pytest.raises(TaglineError, match=r"column `proba:round` is missing: .* all classes .*, or none"):
        compare_runs([run, tmp_path / "other.csv"])
    assert not np.any([value["f1_difference"] for value in pair["per_class"].values()])

    rows = predictions.with_columns(prediction=predictions["prediction"].reverse()).tail(30)
    document = compare_runs([run, part(run, tmp_path / "other", rows)])
    assert (document["rows"], document["rows_left_out"]) == (30, [10, 0])
    expected = measured(predictions.tail(30), ["red", "round", "small"], "multilabel")
    for key in ("accuracy", "macro_f1", "micro_f1", "micro_f1_ci95"):
        assert document["runs"][0][key] == pytest.approx(expected[key])
