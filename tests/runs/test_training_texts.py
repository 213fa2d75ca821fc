"""Hashes of training texts."""

import polars as pl

from tagline.runs.training_texts import text_hashes


def test_hashes_of_texts_stay_the_same():
    hashes = text_hashes(pl.Series(["a film", "  A Film\n", "Überraschung", ""]))
    assert [f"{value:x}" for value in hashes] == [
        "f629adc212850c2c",
        "f629adc212850c2c",
        "c7f19bc6171d2cb5",
        "b4b2797457a0a6e4",
    ]
