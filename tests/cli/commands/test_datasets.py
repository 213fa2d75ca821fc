"""``tagline datasets``."""

import json

from tagline.data import BUILT_IN
from tests.cli.cli_data import write_reviews


def test_built_in_datasets(call, monkeypatch, tmp_path):
    monkeypatch.setenv("TAGLINE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TAGLINE_DATA", raising=False)
    _, out, _ = call("datasets", "--json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert set(rows) == set(BUILT_IN)
    assert rows["imdb"]["here"] is False
    (tmp_path / "data" / "imdb").mkdir(parents=True)
    for part in ("train", "test"):
        (tmp_path / "data" / "imdb" / f"{part}.parquet").touch()
    (tmp_path / "data" / "reuters21578.tar.gz").touch()
    monkeypatch.setenv("TAGLINE_DATA", str(tmp_path / "data"))
    _, out, _ = call("datasets", "--json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert rows["imdb"]["here"] is True
    assert rows["reuters"]["here"] is True
    _status, out, _ = call("datasets")
    assert all(f"{row.rows:,}" in out for row in BUILT_IN.values())


def test_a_file_as_a_dataset(call, reviews):
    status, out, _ = call("datasets", "show", reviews, "--samples", "3")
    assert status == 0
    assert "240 texts, 2 classes" in out
    assert "80/10/10" in out
    assert out.count("film") + out.count("plot") + out.count("actor") > 0
    status, out, _ = call("datasets", "show", reviews, "--json", "-q")
    facts = json.loads(out)
    assert facts["class_counts"]["train"] == {"neg": 96, "pos": 96}


def test_texts_cannot_move_the_cursor(call, tmp_path):
    data = write_reviews(tmp_path / "hostile.csv", mark="\x1b[2J ")
    status, out, err = call("datasets", "show", data, "--samples", "200")
    assert status == 0
    assert "\x1b" not in out + err
    assert "[2J" in out
