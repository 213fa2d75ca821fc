"""Reuters-21578 as Keras selects it: 11,228 newswires, 46 topics, 8,982 of them for training.

The selection was reconstructed by rebuilding Keras's arrays. Keras walks the SGML with a cursor that only moves
forward: the text of a story is what follows the next ``<BODY>`` anywhere later in the file, so a story without a body
has the text of a later one. `read_reuters` reproduces that; `read_reuters_clean` gives each story its own text and
leaves out stories without one.
"""

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from tagline.data.builtin.archives import data_places, find_cached, find_file, read_members, read_table
from tagline.data.builtin.download import RemoteFile, fetch
from tagline.data.builtin.word_index import count_words, parse_word_index
from tagline.data.rows import Rows
from tagline.errors import DataError

ARCHIVE = RemoteFile(
    name="reuters21578.tar.gz",
    url="https://archive.ics.uci.edu/ml/machine-learning-databases/reuters21578-mld/reuters21578.tar.gz",
    sha256="3bae43c9b14e387f76a61b6d82bf98a4fb5d3ef99ef7e7075ff2ccbcf59f9d30",
    size=8_150_596,
    licence="free for research; Reuters Ltd. and Carnegie Group, Inc.",
)
_KERAS = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
#: Keras's arrays of word ids, and the ranks of their words; the checksums are Keras's.
ARRAYS = RemoteFile(
    name="reuters.npz",
    url=f"{_KERAS}reuters.npz",
    sha256="d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916",
    size=2_110_848,
    licence=ARCHIVE.licence,
)
WORD_INDEX = RemoteFile(
    name="reuters_word_index.json",
    url=f"{_KERAS}reuters_word_index.json",
    sha256="",
    md5="4d44cc38712099c9e383dc6e5f11a921",
    size=550_378,
    licence=ARCHIVE.licence,
)
MIN_STORIES = 15
N_STORIES, N_CLASSES, N_TRAIN = 11_228, 46, 8_982
SHUFFLE_SEED = 113


def read_reuters() -> Rows:
    """Read the set with Keras's texts, in Keras's order; labels are topic names."""
    table = _stories()
    return _rows("reuters", table.select("text", "label", "split"))


def read_reuters_clean() -> Rows:
    """Read the same stories, each with its own text; stories without one are left out and counted."""
    table = _stories()
    own = table.filter(pl.col("own_text").is_not_null()).select(pl.col("own_text").alias("text"), "label", "split")
    missing = table.height - own.height
    note = f"{missing:,} of the {table.height:,} stories have no text of their own and are left out."
    return _rows("reuters-clean", own, note)


def _rows(name: str, table: pl.DataFrame, *notes: str) -> Rows:
    return Rows(table, name, "Reuters-21578", text="text", label="label", split="split", notes=notes)


def find_reuters() -> Path | None:
    """Return the local archive, or the table built from it; None if there is neither."""
    places = (place / ARCHIVE.name for place in data_places("reuters21578"))
    return next((place for place in places if place.is_file()), None) or find_cached(ARCHIVE, "reuters")


def read_in_file_order() -> pl.DataFrame:
    """Return Keras's texts and topics, ``text`` and ``label``, unshuffled, in the order of the files."""
    table = _stories().select("text", "label")
    return table[np.argsort(_shuffled(table.height))]


def read_word_index(path: str | Path = WORD_INDEX.name) -> dict[str, int]:
    """Return the ranks of the 30,979 words, 1 the most frequent.

    ``path`` is Keras's file, or its name in `TAGLINE_DATA`, in Keras's own folder or in the cache folder. Without that
    file the words of the stories are counted: the same words, but ties in another order. Without the stories, or where
    Keras's arrays are present, which use its own ranks, the file is downloaded. Raises `DataError` if the file is not a
    word index.
    """
    place = find_file(WORD_INDEX, "reuters21578", path)
    if place is None and find_reuters() and not find_file(ARRAYS, "reuters21578"):
        return count_words(read_in_file_order()["text"])
    place = place or fetch(WORD_INDEX)
    return parse_word_index(place.read_bytes(), place)


def _stories() -> pl.DataFrame:
    """Return the stories in Keras's order, cached in the cache folder."""
    return read_table(
        find_reuters() or fetch(ARCHIVE),
        "reuters",
        lambda archive: build_stories(_read_sgml(archive), str(archive)),
    )


def _read_sgml(archive: Path) -> list[str]:
    """Return the texts of the SGML files of an archive, in the order of their names."""
    found = read_members(archive, re.compile(r".*\.sgm"))
    return [found[name].decode("latin-1") for name in sorted(found, key=lambda name: Path(name).name)]


def build_stories(files: list[str], source: str) -> pl.DataFrame:
    """Select and shuffle the stories as Keras did.

    Returns ``text`` (Keras's), ``own_text`` (null without a body), ``label`` and ``split``. Raises `DataError` if the
    result is not Keras's selection.
    """
    found = [story for text in files for story in _walk(text)]
    table = pl.DataFrame(found, {"text": pl.String, "own_text": pl.String, "label": pl.String}, orient="row")
    table = table.filter(pl.len().over("label") >= MIN_STORIES)
    n_classes = table["label"].n_unique()
    if (table.height, n_classes) != (N_STORIES, N_CLASSES):
        raise DataError(
            f"`{source}` is an incomplete Reuters-21578: it has {table.height:,} stories "
            f"on {n_classes} topics, not {N_STORIES:,} on {N_CLASSES}."
        )
    order = _shuffled(table.height)
    split = np.where(np.arange(table.height) < N_TRAIN, "train", "test")
    return table[order].with_columns(pl.Series("split", split, dtype=pl.String))


def _shuffled(n: int) -> npt.NDArray[np.int64]:
    order = np.arange(n)
    np.random.RandomState(SHUFFLE_SEED).shuffle(order)
    return order


def _walk(sgml: str) -> list[tuple[str, str | None, str]]:
    """Return text, own text and topic of every story of one file that has a topic; the first topic counts."""
    stories = []
    position = 0
    while (start := sgml.find("<TOPICS>", position)) >= 0:
        start += len("<TOPICS>")
        # Up to the next closing tag, which ends the first topic of the list, or an empty list.
        position = sgml.index("</", start)
        topic = sgml[start:position].removeprefix("<D>")
        if not topic:
            continue
        body = _body(sgml, position, len(sgml))
        if body is None:
            # The last story of a file without a later body. Keras uses the -1 of `find` as a position and so
            # keeps the rest of the topic after five characters: one story, whose text is "rn".
            body = sgml[start + len("<BODY>") - 1 : position]
        end = sgml.find("</REUTERS>", position)
        stories.append((body, _body(sgml, position, end), topic))
    return stories


def _body(sgml: str, start: int, end: int) -> str | None:
    begin = sgml.find("<BODY>", start, end)
    if begin < 0:
        return None
    begin += len("<BODY>")
    return sgml[begin : sgml.find("</", begin)]
