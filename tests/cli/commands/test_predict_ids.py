"""``predict --ids``: sequences of word ids, as the model learned them."""

import csv
import io
import json
import re

import polars as pl
import pytest

from tests.cli.cli_data import names
from tests.drawn_networks import SMALL, WORDS, drawn

TEXT = "the film was a good joy of a film and the end was bad"  # longer than the ten ids that are read
IDS = WORDS.encode(pl.Series([TEXT]), num_words=100).to_lists()[0]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Return the folder of a model of a recipe, with or without words."""
    made = {}

    def make(recipe="cnn", *, words=True, n_classes=2):
        if (recipe, words, n_classes) not in made:
            folder = tmp_path_factory.mktemp("models") / recipe
            drawn(recipe, words=words, n_classes=n_classes).save(folder)
            made[recipe, words, n_classes] = folder
        return made[recipe, words, n_classes]

    return make


@pytest.mark.parametrize("recipe", SMALL)
def test_the_ids_of_a_text_give_the_prediction_of_the_text(recipe, call, model):
    for text, ids in ((TEXT, IDS), ("the film", IDS[:3])):
        _, of_text, _ = call("predict", model(recipe), text, "--json", "--proba", "-q")
        status, of_ids, err = call("predict", model(recipe), "--ids", json.dumps(ids), "--json", "--proba", "-q")
        assert (status, err) == (0, "")
        [expected], [found] = json.loads(of_text), json.loads(of_ids)
        assert found.pop("text") == f"? {expected.pop('text').replace(' and ', ' ? ')}"
        assert found == expected


def test_a_list_of_lists_gives_a_row_for_each_list(call, model):
    status, out, err = call("predict", model(), "--ids", "[[1, 4, 5], [0, 2, 3], [6]]", "-q")
    assert (status, err) == (0, "")
    assert [line.rstrip().split("   ")[-1] for line in out.splitlines()[2:]] == ["? the film", "? ? ?", "was"]
    _, out, _ = call("predict", model(), "--ids", "[[1, 4, 5], [6]]", "--json", "-q")
    together = json.loads(out)
    _, out, _ = call("predict", model(), "--ids", "[6]", "--json", "-q")
    (alone,), (in_batch,) = json.loads(out), together[1:]
    assert alone.pop("probability") == pytest.approx(in_batch.pop("probability"), abs=1e-6)
    assert alone == in_batch


def test_a_model_without_words_shows_the_ids(call, model):
    status, out, _ = call("predict", model(words=False), "--ids", "[[1, 4, 5], []]", "--json", "-q")
    assert status == 0
    assert [row["text"] for row in json.loads(out)] == ["[1, 4, 5]", "[]"]
    assert "[1, 4, 5]" in call("predict", model(words=False), "--ids", "[1, 4, 5]", "-q")[1]


@pytest.mark.parametrize("recipe", SMALL)
def test_an_empty_sequence_is_a_text_without_words(recipe, call, model):
    status, out, err = call("predict", model(recipe), "--ids", "[[]]", "--json", "-q")
    assert (status, err) == (0, "")
    [row] = json.loads(out)
    assert row["text"] == ""
    assert row["probability"] >= 0.5


def test_outputs_are_those_of_texts(call, model, here):
    three = model(n_classes=3)
    ids = "[[1, 4, 5], [6]]"
    _, out, _ = call("predict", three, "--ids", ids, "--top-k", "2", "--format", "csv", "-q")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert list(rows[0]) == [
        "text", "prediction", "probability", "top_1", "top_1_probability", "top_2", "top_2_probability",
    ]  # fmt: skip
    assert [row["text"] for row in rows] == ["? the film", "was"]
    assert call("predict", three, "--ids", ids, "--output", "out.parquet", "-q") == (0, "", "")
    written = pl.read_parquet("out.parquet")
    assert written["prediction"].to_list() == [row["prediction"] for row in rows]
    assert names(here) == ["out.parquet"]
    _, out, _ = call("predict", model(), "--ids", "[6]", "--threshold", "1", "--json", "-q")
    assert json.loads(out)[0]["prediction"] == "c0"


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        ("[1, 4", "`--ids` is not JSON: give a list of word ids such as `[1, 14, 22]`"),
        ("", "`--ids` is not JSON"),
        ("[" * 100_000, "`--ids` is not JSON"),
        ("7", "`--ids` is `7`, not a list"),
        ('{"a": [1]}', '`--ids` is `{"a": [1]}`, not a list'),
        ("[]", "`--ids` is an empty list"),
        ("[1, 99]", "Row 0 has the id `99`, but the largest is"),
        ("[[1], [4, 5000000]]", "Row 1 has the id `5000000`"),
        ("[1, -4]", "Row 0 has the id `-4`: ids are integers"),
        ("[1, 4.5]", "Row 0 has the id `4.5`"),
        ("[1, NaN]", "Row 0 has the id `nan`"),
        ("[1, null]", "Row 0 has the id `None`"),
        ('["the"]', "Row 0 has the id `'the'`"),
        ("[true]", "Row 0 has the id `True`"),
        ("[1, 999999999999999999999999]", "Row 0 has the id `999999999999999999999999`"),
        ("[[1], 4]", "Row 1 is `4`, not a sequence of ids"),
        ("[[[1]]]", "Row 0 has the id `[1]`"),
        ('[[1], "the"]', "Row 1 is `'the'`, not a sequence of ids"),
    ],
)
def test_invalid_ids(ids, said, fails, model):
    assert said in fails("predict", model(), "--ids", ids)


def test_ids_exclude_other_inputs(fails, model, reviews):
    for more in (["the film"], ["--input", reviews]):
        assert "takes either texts, `--input FILE` or `--ids JSON`" in fails("predict", model(), "--ids", "[4]", *more)


def test_an_ngram_model_rejects_ids(fails, run_folder):
    assert "takes no word ids" in fails("predict", run_folder, "--ids", "[1, 4]")


def test_explaining_a_network(call, model, fails):
    status, out, err = call("explain", model("lstm"), "The film, the film was bad", "--class", "c1", "-q")
    assert (status, err) == (0, "")
    assert "(start of the text)" in out
    assert "no “" not in out
    *parts, score = (float(value) for value in re.findall(r"^([+-]\d+\.\d{4})", out, re.MULTILINE))
    assert sum(parts) == pytest.approx(score, abs=5e-4)
    assert "trained on word ids without a word index" in fails("explain", model(words=False), "the film")
