"""Which rows an export is asked: those of the run's own test split, and never fewer than a thousand."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from tagline import InputError, TextClassifier, load_dataset
from tagline.export.replay import HOSTILE, LEAST, make_replay, replay_rows
from tests.drawn_networks import drawn
from tests.synthetic_texts import made_up


def write_csv(path: Path, n: int, seed: int = 0) -> Path:
    texts, labels = made_up(n, seed=seed)
    pl.DataFrame({"text": texts, "label": labels}).write_csv(path)
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The part of a run's folder that describes its rows, without metrics."""
    folder = tmp_path_factory.mktemp("run")
    data, test = write_csv(folder / "rows.csv", 400), write_csv(folder / "test.csv", 90, seed=1)
    dataset = load_dataset(str(data), test=str(test))
    about = {"name": dataset.name, "fingerprint": dataset.fingerprint}
    clf = TextClassifier("naive-bayes").fit(dataset.train.texts, dataset.train.labels)
    clf.save(folder / "run" / "model", facts={"dataset": about, "text_columns": ["text"]})
    command = ["tagline", "train", str(data), "--test", str(test)]
    facts = {"text_columns": ["text"], "label_column": "label"}
    about |= {"source": dataset.source, "facts": facts}
    (folder / "run" / "run.json").write_text(json.dumps({"command": command, "seed": 0, "dataset": about}))
    return folder / "run"


def test_the_test_rows_first_then_others(run: Path) -> None:
    found = make_replay(run)
    assert found == make_replay(run / "model")
    assert found.held_out == 90
    assert found.texts[:90] == pl.read_csv(run.parent / "test.csv")["text"].to_list()
    assert 300 < found.seen <= 400
    assert found.held_out + found.seen + found.drawn == LEAST
    assert found.texts[LEAST:] == HOSTILE
    assert replay_rows(run) == found.texts
    assert found.sentence.startswith("90 test rows of the data it was trained on, ")


def test_other_data_under_the_name_is_not_taken(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    mark = tmp_path / "run" / "run.json"
    changed = write_csv(tmp_path / "rows.csv", 400, seed=9)
    mark.write_text(mark.read_text().replace(str(run.parent / "rows.csv"), str(changed)))
    found = make_replay(tmp_path / "run")
    assert (found.held_out, found.seen, found.drawn) == (0, 0, LEAST)
    assert len(set(found.texts)) > LEAST


def test_without_a_run_texts_are_drawn_of_the_vocabulary(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run / "model", tmp_path / "model")
    found = make_replay(tmp_path / "model")
    known = set((tmp_path / "model" / "words.txt").read_text().split("\n"))
    assert found.drawn == LEAST
    assert found == make_replay(tmp_path / "model")
    words = [word for text in found.texts[:LEAST] for word in text.lower().split()]
    assert {*words} <= known | {"xyzzy"}
    assert len({*words}) > 0.9 * len(known)


def test_a_given_file(run: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("one line\nanother\n")
    found = make_replay(run, tmp_path / "mine.txt")
    assert found.texts[:2] == ["one line", "another"]
    assert (found.held_out, found.drawn) == (2, LEAST - 2)
    assert "2 rows of the given file" in found.sentence
    with pytest.raises(InputError, match="does not exist"):
        make_replay(run, tmp_path / "none.csv")


@pytest.mark.parametrize("characters", ["characters", "words"])
def test_a_model_of_characters_alone(tmp_path: Path, characters: str) -> None:
    settings = ["features.words=0", "features.characters=[2, 3]"] if characters == "characters" else []
    texts, labels = made_up(60)
    TextClassifier("fast", settings=settings).fit(texts, labels).save(tmp_path / "model")
    assert make_replay(tmp_path / "model").drawn == LEAST


def test_a_model_of_ids(tmp_path: Path) -> None:
    drawn("gru", words=False).save(tmp_path / "model")
    found = make_replay(tmp_path / "model")
    assert all(isinstance(ids, list) for ids in found.texts)
    assert found.drawn == LEAST
    assert [] in found.texts
    assert replay_rows(tmp_path / "model") == []
    with pytest.raises(InputError, match="without a word index"):
        make_replay(tmp_path / "model", tmp_path / "mine.txt")


def test_hostile_texts_are_texts_and_long_enough() -> None:
    assert all(isinstance(text.encode(), bytes) for text in HOSTILE)
    assert max(map(len, HOSTILE)) > 1_000_000
    assert len(set(HOSTILE)) == len(HOSTILE) > 20
    for needed in ("", "İ", "\0", "\u200b", "\u00ad", "ก", "好", "👩‍👩‍👧‍👦", "<br />", "https://", "Σ", "\u0301"):
        assert any(needed in text for text in HOSTILE)
