"""`compare_runs` pairs rows by their source: with other text columns, in another order, with a file of predictions."""

import json
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tagline.errors import TaglineError
from tagline.report.comparison import render_comparison
from tagline.runs.compare import compare_runs, speed
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


def test_rows_that_do_not_match_are_named(runs: Path, tmp_path: Path) -> None:
    rows = pl.read_parquet(runs / "subject" / "predictions.parquet")
    other = tmp_path / "other"
    other.mkdir()
    for name in ("run.json", "metrics.json"):
        (other / name).write_bytes((runs / "subject" / name).read_bytes())
    rows.head(79).write_parquet(other / "predictions.parquet")
    line = rows["line"][79]
    with pytest.raises(
        TaglineError, match=f"1 of the 80 test rows of `text` are not among the 79 of `other`.* {line} "
    ):
        compare_runs([runs / "text", other])
    rows.with_columns(label=rows["label"].reverse()).write_parquet(other / "predictions.parquet")
    with pytest.raises(TaglineError, match="80 of the 80 test rows have another label in `other`"):
        compare_runs([runs / "text", other])


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
