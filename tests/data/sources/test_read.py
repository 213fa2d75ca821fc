"""Sources: paths, standard input and built-in names."""

import io
import sys
from pathlib import Path

import pytest

from tagline.data import load_dataset
from tagline.errors import DataError
from tests.data.labelled_rows import frame, write


def test_a_mistyped_file_is_hinted(tmp_path: Path) -> None:
    write(tmp_path / "reviews.csv", frame())
    with pytest.raises(DataError, match=r"Did you mean `reviews\.csv`"):
        load_dataset(tmp_path / "review.csv")


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(frame().write_csv().encode())))
    assert load_dataset("-").source == "standard input"


def test_a_built_in_name_wins_over_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "movie-snippets").mkdir()
    write(tmp_path / "movie-snippets" / "a.csv", frame())
    assert load_dataset("movie-snippets").facts.rows_read == 8530
    assert load_dataset("./movie-snippets").facts.rows_read == 40
