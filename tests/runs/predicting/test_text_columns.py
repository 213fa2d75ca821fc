"""Files that lack a text column of the model."""

from pathlib import Path

import polars as pl
import pytest

from tagline.errors import ColumnError
from tagline.run_folder import load_model
from tagline.runs.predicting.predict import FileOptions, predict_file
from tagline.runs.settings import TrainSettings
from tagline.runs.train import train_run
from tests.synthetic_texts import made_up


@pytest.mark.usefixtures("drawn_plots")
def test_a_model_of_two_columns_says_how_to_predict_from_one(tmp_path: Path) -> None:
    texts, labels = made_up(80)
    rows = pl.DataFrame({"subject": texts, "body": texts, "label": labels})
    run = train_run(rows, TrainSettings(recipe="naive-bayes", text=("subject", "body")), out=tmp_path / "run")
    clf = load_model(run.model)
    source, target = tmp_path / "new.csv", tmp_path / "out.csv"
    rows.select("body").write_csv(source)
    with pytest.raises(ColumnError, match="trained on `subject`, `body`; `--text body` predicts from that") as raised:
        predict_file(clf, source, target)
    assert raised.value.answer == ("--text", "body")
    done = predict_file(clf, source, target, file_options=FileOptions(text=("body",)))
    assert done.rows == 80
    assert done.notes == (
        "The model was trained on `subject`, `body` together: predictions from `body` are less reliable.",
    )
    rows.select(other="body").write_csv(source)
    with pytest.raises(ColumnError, match="name the text column with `--text`"):
        predict_file(clf, source, target)
