"""fastText files are read as fastText reads them."""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from tagline.data import load_dataset
from tagline.data.columns.beginnings import beginning_hint
from tagline.data.reading import FileLayout
from tagline.data.sources.files import read_file, read_texts
from tagline.errors import DataError

HOSTILE_FASTTEXT = [
    "__label__a good film",
    "no label here",
    "bad film __label__b",
    "",
    "  ",
    "\t__label__a\tgood\t\tthing",
    "mid __label__b dle __label__a two",
    "__label__a",
    "__label__c __label__d nb\u00a0sp is one word",
    "x__label__no inside __label__a",
    "crlf __label__b\r",
    "vt\x0bff\x0cend __label__a",
    "u\u2028v __label__b z",
]


READ_BY_FASTTEXT = """
import json, sys
import fasttext
model = fasttext.train_supervised(sys.argv[1], minCount=1, dim=2, bucket=10, thread=1, verbose=0)
pairs = [zip(*model.get_labels(include_freq=True)), zip(*model.get_words(include_freq=True))]
print(json.dumps({name: int(count) for pair in pairs for name, count in pair}))
"""


def read_by_fasttext(path: Path) -> dict[str, int]:
    """Return how often fastText counts each label and word of a file.

    On so few words about every other of its trainings ends in "Encountered NaN", in some processes all of them.
    """
    for _ in range(40):
        done = subprocess.run([sys.executable, "-c", READ_BY_FASTTEXT, str(path)], capture_output=True, text=True)
        if done.returncode == 0:
            return json.loads(done.stdout)
    pytest.fail(f"fastText cannot be trained: {done.stderr}")


def test_fasttext_files_are_read_as_fasttext_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "hostile.train"
    path.write_text("\n".join(HOSTILE_FASTTEXT * 10) + "\n", encoding="utf-8", newline="")
    theirs = read_by_fasttext(path)
    del theirs["</s>"]  # the end of a line
    frame = read_file(path).frame
    ours = [
        *("__label__" + label for label in frame["label"].explode().drop_nulls()),
        *(word for text in frame["text"] for word in re.split(r"[ \t\r\v\f\0]+", text) if word),
    ]
    assert Counter(ours) == theirs
    assert frame["text"][6] == "mid dle two"
    assert frame["label"][6].to_list() == ["b", "a"]
    (batch,) = read_texts(path)
    assert batch.rows.equals(frame)


@pytest.mark.parametrize(
    ("line", "option", "hint"),
    [
        ("#{} it was film {} #1", {"label_prefix": "#"}, "every line begins with `#`: give `--label-prefix '#'`."),
        ("[{}] it was film {} #1", {"label_prefix": "["}, "every line begins with `[`: give `--label-prefix '['`."),
        ("B-{} it was film {} #1", {"label_prefix": "B-"}, "every line begins with `B-`: give `--label-prefix B-`."),
        ("{}: it was film {} #1", {"separator": ":"}, "begins with a word and a colon: give `--separator :`."),
    ],
)
def test_other_beginnings_of_lines_are_named_and_read(
    tmp_path: Path, line: str, option: dict[str, str], hint: str
) -> None:
    path = tmp_path / "data.txt"
    path.write_text("".join(line.format(("good", "bad")[i % 2], i) + "\n" for i in range(20)))
    with pytest.raises(DataError, match=re.escape(hint)):
        load_dataset(path)
    data = load_dataset(path, **option)
    assert data.classes == ["bad", "good"]
    assert data.train.texts.str.contains(r"^\s*it was film \d+ #1$").all()


def test_texts_in_one_column_get_no_such_hint(tmp_path: Path) -> None:
    path = tmp_path / "data.txt"
    path.write_text("".join(f"It was film {i} of them\n" for i in range(20)))
    with pytest.raises(DataError, match="if labels begin the lines, `--label-prefix`"):
        load_dataset(path)


def test_brackets_hold_labels_of_several_words(tmp_path: Path) -> None:
    path = tmp_path / "data.txt"
    path.write_text("[very good] [new] a film [here]\nno label\n[bad]worse\n[] none\n")
    frame = read_file(path, layout=FileLayout(label_prefix="[")).frame
    assert frame["label"].to_list() == [["very good", "new"], [], ["bad"], [""]]
    assert frame["text"].to_list() == ["a film [here]", "no label", "worse", "none"]


def test_a_text_that_speaks_of_labels_has_none(tmp_path: Path) -> None:
    path = tmp_path / "texts.txt"
    path.write_text("a file of x__label__y\nand another line\n")
    assert read_file(path).frame.columns == ["text"]


def test_the_hint_of_a_long_common_beginning_takes_no_longer_than_others() -> None:
    lines = [f"{100_000 * 'a'}-{100_000 * 'b'}{label} text {i}" for i, label in enumerate("xy" * 10)]
    assert f"{100_000 * 'a'}-`" in beginning_hint(pl.Series(lines))
