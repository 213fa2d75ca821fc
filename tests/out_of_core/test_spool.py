"""Reading rows part by part: which split each is in, and what is kept of it."""

import gzip
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tagline import DataError
from tagline.data import load_dataset
from tagline.data.options import ReadOptions
from tagline.data.text_hashes import text_hashes
from tagline.out_of_core import Budget, SpooledDataset, is_spooled, open_spool, write_spool
from tagline.out_of_core.spool.hash_file import HashFile
from tagline.out_of_core.spool.kept_rows import KeptRows, chances
from tests.out_of_core.conftest import SMALL, spooled


def texts_of(dataset: SpooledDataset) -> dict[str, list[str]]:
    train = pl.concat([dataset.part(number) for number in range(dataset.n_parts)])
    others = {"validation": dataset.validation, "test": dataset.test}
    return {"train": train["text"].to_list()} | {name: s.texts.to_list() for name, s in others.items() if s is not None}


def test_every_row_is_in_one_split(rows: pl.DataFrame, tmp_path: Path) -> None:
    dataset = spooled(rows, tmp_path)
    texts = texts_of(dataset)
    assert sorted(text for found in texts.values() for text in found) == sorted(rows["text"].to_list())
    assert dataset.row_counts == {name: len(found) for name, found in texts.items()}
    assert 300 < len(texts["validation"]) < 500
    assert 300 < len(texts["test"]) < 500
    assert dataset.classes == ["c0", "c1", "c2"]
    labels = dict(zip(rows["text"], rows["label"], strict=True))
    assert dataset.test is not None
    assert dataset.test.labels.to_list() == [labels[text] for text in texts["test"]]
    train = pl.concat([dataset.part(number) for number in range(dataset.n_parts)])
    found = [dataset.learned[k] for k in dataset.Y[train["code"].to_numpy()].argmax(axis=1)]
    assert found == [labels[text] for text in texts["train"]]


def test_copies_of_a_text_and_rows_of_a_group_are_in_one_split(rows: pl.DataFrame, tmp_path: Path) -> None:
    copied = pl.concat([rows, rows.with_columns(pl.col("text").str.to_uppercase())])
    texts = texts_of(spooled(copied, tmp_path))
    lower = {name: {text.lower() for text in found} for name, found in texts.items()}
    assert sum(map(len, lower.values())) == len({text.lower() for text in rows["text"]})
    (tmp_path / "grouped").mkdir()
    grouped = rows.with_columns(author=pl.Series([f"a{k % 97}" for k in range(rows.height)]))
    texts = texts_of(spooled(grouped, tmp_path / "grouped", ReadOptions(group="author")))
    author = dict(zip(grouped["text"], grouped["author"], strict=True))
    authors = [{author[text] for text in found} for found in texts.values()]
    assert sum(map(len, authors)) == 97


def test_official_splits_are_kept_also_where_the_file_is_sorted_by_them(rows: pl.DataFrame, tmp_path: Path) -> None:
    named = rows.with_columns(split=pl.Series(["train"] * 3_200 + ["dev"] * 200 + ["test"] * 600))
    named = named.with_columns(label=pl.Series(["a", "b"] * 2_000))
    texts, expected = texts_of(spooled(named, tmp_path)), load_dataset(named)
    assert expected.validation is not None
    assert expected.test is not None
    assert texts["test"] == expected.test.texts.to_list()
    assert texts["validation"] == expected.validation.texts.to_list()
    assert sorted(texts["train"]) == sorted(expected.train.texts)


def test_copies_in_official_splits_are_told_as_in_memory(rows: pl.DataFrame, tmp_path: Path) -> None:
    named = rows.with_columns(split=pl.Series(["train"] * 3_200 + ["dev"] * 200 + ["test"] * 600))
    copies = named[-3:].with_columns(split=pl.lit("train"))
    dataset, expected = spooled(pl.concat([named, copies]), tmp_path), load_dataset(pl.concat([named, copies]))
    overlaps = {name: n for name, n in expected.facts.duplicates.items() if "_in_" in name}
    assert dataset.facts.duplicates == overlaps
    assert overlaps["test_in_train"] == 3
    assert "3 test rows have a text that is also in train (first: line 3,998 of" in " ".join(dataset.facts.warnings)


def test_labels_are_read_as_in_memory(tmp_path: Path) -> None:
    cells = [("Spam", "ham|SPAM", " spam", "ham")[k % 4] for k in range(2_000)]
    rows = pl.DataFrame({"text": [f"text {k}" for k in range(2_000)], "label": cells})
    dataset, expected = spooled(rows, tmp_path), load_dataset(rows)
    assert dataset.classes == expected.classes
    assert dataset.task == expected.task
    assert dataset.test is not None
    labels = dict(zip(expected.train.texts, expected.train.labels.to_list(), strict=True))
    found = [(text, sorted(names)) for text, names in zip(dataset.test.texts, dataset.test.labels, strict=True)]
    assert all(sorted(labels[text]) == names for text, names in found if text in labels)


def test_unreadable_rows_are_left_out_with_their_lines_or_refused(rows: pl.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    lines = rows.write_ndjson().splitlines()
    lines[2_500] = '{"text": "broken'
    path.write_text("\n".join(lines))
    write_spool(str(path), ReadOptions(), 0, SMALL, tmp_path / "work")
    dataset = open_spool(tmp_path / "work", ReadOptions())
    assert sum(dataset.row_counts.values()) == 3_999
    assert [row.line for row in dataset.facts.rejected] == [2_501]
    assert dataset.test is not None
    assert dataset.test.origin is not None
    line = int(dataset.test.origin.line[-1])
    assert dataset.test.texts[-1] in lines[line - 1]
    with pytest.raises(DataError, match="line 2501 cannot be read"):
        write_spool(str(path), ReadOptions(strict=True), 0, SMALL, tmp_path / "strict")


def test_a_text_of_several_groups_is_in_one_split(rows: pl.DataFrame, tmp_path: Path) -> None:
    grouped = rows.with_columns(author=pl.Series([f"a{k % 97}" for k in range(rows.height)]))
    copies = grouped[:300].with_columns(author=pl.lit("another"))
    dataset = spooled(pl.concat([grouped, copies]), tmp_path, ReadOptions(group="author"))
    texts = texts_of(dataset)
    assert sum(len(set(found)) for found in texts.values()) == rows.height
    n_dropped = dataset.facts.dropped["text of another group in another split"]
    assert 0 < n_dropped == rows.height + 300 - sum(map(len, texts.values()))
    assert any(f"{n_dropped} rows were left out: text of another group" in said for said in dataset.facts.warnings)
    assert not set(texts["test"]) & set(texts["train"] + texts["validation"])


def test_rows_without_a_text_or_a_label_are_counted_with_their_place(rows: pl.DataFrame, tmp_path: Path) -> None:
    text, label = pl.col("text"), pl.col("label")
    number = pl.int_range(pl.len())
    gaps = rows.with_columns(text=pl.when(number != 41).then(text), label=pl.when(~number.is_in([7, 52])).then(label))
    dataset = spooled(gaps, tmp_path)
    assert dataset.facts.dropped == {"no text": 1, "no label": 2}
    file = f"`{tmp_path / 'rows.jsonl'}`"
    assert f"1 row was left out: no text (first: line 42 of {file})." in dataset.facts.warnings
    assert f"2 rows were left out: no label (first: line 8 of {file})." in dataset.facts.warnings


def test_objects_without_a_text_are_left_out_however_many_follow_each_other(rows: pl.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    others = '{"body": "no text", "label": "c0"}\n' * 100_000
    path.write_text(rows.write_ndjson() + others + rows.write_ndjson())
    write_spool(str(path), ReadOptions(), 0, SMALL, tmp_path / "work")
    dataset = open_spool(tmp_path / "work", ReadOptions())
    assert dataset.facts.dropped == {"no text": 100_000}
    assert sum(dataset.row_counts.values()) == 2 * rows.height


def test_what_names_no_split_after_names_of_splits_is_an_error(rows: pl.DataFrame, tmp_path: Path) -> None:
    named = rows.with_columns(split=pl.Series(["test", *["train"] * 19] * 200))
    later = rows[:1].with_columns(split=pl.lit("spare"))
    with pytest.raises(DataError, match="`spare` in column `split` names no split"):
        spooled(pl.concat([named, named, named, later]), tmp_path)


def test_too_few_distinct_texts_are_an_error(rows: pl.DataFrame, tmp_path: Path) -> None:
    copies = pl.concat([rows[:1], rows[-1:]] * 1_000)
    with pytest.raises(DataError, match=r"too few distinct texts with a label to draw validation rows: give"):
        spooled(copies, tmp_path)


def test_texts_of_weight_0_are_not_among_those_learned_from(rows: pl.DataFrame, tmp_path: Path) -> None:
    weighted = rows.with_columns(weight=pl.Series([0.0, 1.0] * 2_000))
    dataset = spooled(weighted, tmp_path, ReadOptions(weight="weight"))
    learned = text_hashes(pl.concat([dataset.part(number) for number in range(dataset.n_parts)])["text"])
    expected = np.union1d(learned, text_hashes(dataset.held_out.texts))
    assert dataset.training_hashes().tolist() == expected.tolist()
    with pytest.raises(DataError, match="all weights of the train rows in column `weight` are 0"):
        spooled(rows.with_columns(weight=0.0), tmp_path, ReadOptions(weight="weight"))


def test_what_a_killed_process_left_is_removed(rows: pl.DataFrame, tmp_path: Path) -> None:
    left = tmp_path / "work" / "texts-000099.arrow"
    left.parent.mkdir()
    left.write_bytes(b"of a process that was killed")
    expected = spooled(rows, tmp_path).training_hashes().tolist()
    assert not left.exists()
    assert spooled(rows, tmp_path).training_hashes().tolist() == expected


def test_a_truncated_file_is_an_error(rows: pl.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.gz"
    content = gzip.compress(rows.write_ndjson().encode())
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"rows\.jsonl\.gz"):
        write_spool(str(path), ReadOptions(), 0, SMALL, tmp_path / "work")


def test_several_files_are_read_as_one(rows: pl.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    for number, part in enumerate(rows.iter_slices(1_500)):
        part.write_csv(tmp_path / "parts" / f"{number}.csv")
    for place in (str(tmp_path / "parts"), str(tmp_path / "parts" / "*.csv")):
        write_spool(place, ReadOptions(), 0, SMALL, tmp_path / "work")
        assert sum(open_spool(tmp_path / "work", ReadOptions()).row_counts.values()) == rows.height


def test_fewer_rows_of_many_classes_are_held_out(tmp_path: Path) -> None:
    rows = pl.DataFrame({"text": [f"text {k}" for k in range(20_000)]})
    labels = [f"c{k % 200}" for k in range(20_000)]
    counts = spooled(rows.with_columns(label=pl.Series(labels)), tmp_path).row_counts
    assert (counts["test"], counts["validation"], sum(counts.values())) == (1_000, 1_000, 20_000)


def test_rows_that_do_not_fit_are_given_back() -> None:
    rng = np.random.default_rng(0)
    rows = pl.DataFrame({"text": ["x" * 10] * 1_000, "chance": rng.random(1_000), "number": range(1_000)})
    kept = KeptRows(100, 10**6)
    given_back = [kept.add(part) for part in rows.iter_slices(50)]
    found, rest = kept.finish()
    smallest = rows.sort("chance").head(100)
    assert found.equals(smallest.sort("number"))
    assert sorted(pl.concat([*given_back, rest])["number"]) == sorted(set(range(1_000)) - set(smallest["number"]))
    kept = KeptRows(10**6, 250)
    kept.add(rows)
    assert kept.finish()[0].height == 25


def test_chances_are_even_and_differ_by_seed() -> None:
    hashes = np.random.default_rng(0).integers(2**63, size=20_000).astype(np.uint64)
    one, other = chances(hashes, 0, 0), chances(hashes, 1, 0)
    assert np.histogram(one, 10, (0, 1))[0].min() > 1_800
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.03


def test_what_fits_into_memory_is_noticed(rows: pl.DataFrame, tmp_path: Path) -> None:
    def fits(rows: pl.DataFrame, budget: Budget) -> bool:
        path = tmp_path / "rows.jsonl"
        rows.write_ndjson(path)
        found = write_spool(str(path), ReadOptions(text=("text",)), 0, budget, tmp_path / "work")
        assert is_spooled(tmp_path / "work") != found
        return found

    enough = Budget(600_000_000)
    assert fits(rows, enough)
    assert not fits(rows, SMALL)
    assert not fits(rows.with_columns(label=pl.Series([f"c{k % 1_000}" for k in range(4_000)])), enough)
    assert not fits(rows.with_columns(html=pl.lit("markup " * 2_000)), enough)


def test_many_classes_are_labels_and_too_many_an_error(rows: pl.DataFrame, tmp_path: Path) -> None:
    labels = [f"c{k % 1_000}" for k in range(4_000)]
    dataset = spooled(rows.with_columns(label=pl.Series(labels)), tmp_path)
    assert len(dataset.classes) == 1_000
    labels = [f"c{k % 3_001}" for k in range(8_000)]
    with pytest.raises(DataError, match="has 3,001 classes: more than 3,000 are learned in memory only"):
        spooled(pl.concat([rows, rows]).with_columns(label=pl.Series(labels)), tmp_path)


@pytest.mark.parametrize("n_different", [1, 40, 10**6])
def test_distinct_hashes_are_found_block_by_block(
    n_different: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagline.out_of_core.spool.hash_file._TOGETHER", 7)
    hashes = np.random.default_rng(0).integers(0, n_different, 200).astype(np.uint64)
    file = HashFile(tmp_path / "hashes")
    file.append(hashes[:90])
    file.append(hashes[90:150])
    assert np.array_equal(file.distinct(hashes[150:]), np.unique(hashes))
    assert np.array_equal(file.has(hashes[:3]), [True] * 3)
