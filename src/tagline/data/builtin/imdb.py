"""The Large Movie Review Dataset (Maas et al., ACL 2011, https://ai.stanford.edu/~amaas/data/sentiment/).

In Keras's order, so that "the first 10,000 reviews" are those of the tutorials: positive before negative, each sorted
by file name, then train and test shuffled one after the other by the same generator.
"""

import hashlib
import re
from pathlib import Path

import numpy as np
import polars as pl

from tagline.data.builtin.archives import data_places, find_cached, find_file, read_members, read_table
from tagline.data.builtin.download import RemoteFile, fetch
from tagline.data.builtin.word_index import parse_word_index
from tagline.data.rows import Rejected, Rows
from tagline.data.sources.folders import read_folder
from tagline.data.splits import SET_ASIDE
from tagline.errors import DataError

ARCHIVE = RemoteFile(
    name="aclImdb_v1.tar.gz",
    url="https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
    sha256="c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe",
    size=84_125_825,
    licence="free for research, with citation of Maas et al. 2011; the reviews belong to their authors",
)
_KERAS = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
#: Keras's arrays of word ids, and the ranks of their words; the checksum of the arrays is Keras's.
ARRAYS = RemoteFile(
    name="imdb.npz",
    url=f"{_KERAS}imdb.npz",
    sha256="69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
    size=17_464_789,
    licence=ARCHIVE.licence,
)
WORD_INDEX = RemoteFile(
    name="imdb_word_index.json",
    url=f"{_KERAS}imdb_word_index.json",
    sha256="027313fe9a320280f3bf0fac5baf58c4a683cf39a7ed9c3d3d3912bde4284cf6",
    size=1_641_221,
    licence=ARCHIVE.licence,
)
FOLDER = "aclImdb"
SPLITS = ("train", "test")
LABELS = ("pos", "neg")
N_PER_CLASS = 12_500
SHUFFLE_SEED = 113
MEMBER = re.compile(r"(?:.*/)?(train|test)/(neg|pos)/(\d+_\d+\.txt)")
#: Name of the cached table. Older tables, named `imdb`, have another order.
TABLE = "imdb-by-file-name"
# In one copy of Keras's file a word is replaced throughout; the checksum of the restored file recognises that copy.
_REPLACED_WORDS = (
    (b'"taglines": 73426', b'"assays": 73426'),
    (b'"tagline": 77765', b'"assay": 77765'),
    (b'"taglineas": 49393', b'"assayas": 49393'),
)


def find_imdb() -> Path | None:
    """Return the local path that `read_imdb` uses: a folder, the archive or the table built from it; or None."""
    for place in data_places("imdb"):
        if all((place / f"{split}.parquet").is_file() for split in SPLITS):
            return place
        if (place / FOLDER).is_dir():
            return place / FOLDER
        if (place / ARCHIVE.name).is_file():
            return place / ARCHIVE.name
    return find_cached(ARCHIVE, TABLE)


def read_imdb() -> Rows:
    """Read train and test, 25,000 reviews each, labels ``neg`` and ``pos``, in the order of Keras's `load_data`.

    Each folder of `TAGLINE_DATA` is searched for ``imdb/{train,test}.parquet``, the folder ``aclImdb`` or the archive,
    then the cache folder; otherwise the archive is downloaded and cached as Parquet. Raises `DataError` for an
    incomplete set.
    """
    rows = read_by_name()
    generator = np.random.RandomState(SHUFFLE_SEED)
    shuffled = []
    for split in SPLITS:
        part = rows.frame.filter(pl.col("split") == split)
        order = np.arange(len(part))
        generator.shuffle(order)
        shuffled.append(part[order])
    table = pl.concat([*shuffled, rows.frame.filter(~pl.col("split").is_in(SPLITS))])
    return Rows(table, rows.name, rows.source, rows.rejected, rows.text, rows.label, rows.split)


def read_by_name() -> Rows:
    """Read the same reviews unshuffled: train before test, positive before negative, each sorted by file name."""
    place = find_imdb() or fetch(ARCHIVE)
    rejected: tuple[Rejected, ...] = ()
    if place.is_file():
        table = read_table(place, TABLE, _build)
    elif place.name == FOLDER:
        rows = read_folder(place)
        table, rejected = rows.frame, rows.rejected
        if "split" not in table.columns:
            raise DataError(f"`{place}` is not the IMDB set: it has no `train/` and `test/` folders.")
        _check(table, place)
        table = _in_order(table)
    else:
        table = _read_tables(place)
    return Rows(table, "imdb", str(place), rejected, "text", "label", "split")


def _read_tables(folder: Path) -> pl.DataFrame:
    tables = []
    for split in SPLITS:
        path = folder / f"{split}.parquet"
        table = pl.read_parquet(path)
        if missing := [name for name in ("text", "label", "id", "rating") if name not in table.columns]:
            raise DataError(
                f"`{path}` has no column `{missing[0]}`: it needs text, label, and the two numbers of the original "
                "file name, `id` and `rating`, which give the order of the reviews."
            )
        file = pl.format("{}_{}.txt", "id", "rating")
        tables.append(table.sort(file).select("text", pl.col("label").cast(pl.String), split=pl.lit(split)))
    found = pl.concat(tables)
    _check(found, folder)
    return _in_order(found)


def _build(archive: Path) -> pl.DataFrame:
    found = []
    for path, data in read_members(archive, MEMBER).items():
        match = MEMBER.fullmatch(path)
        assert match is not None
        split, label, file = match.groups()
        found.append((file, data.decode("utf-8", "replace"), label, split))
    schema = {"file": pl.String, "text": pl.String, "label": pl.String, "split": pl.String}
    table = pl.DataFrame(found, schema, orient="row").sort("file").select("text", "label", "split")
    _check(table, archive)
    return _in_order(table)


def _in_order(table: pl.DataFrame) -> pl.DataFrame:
    """Sort train before test and positive before negative, stable; unlabelled rows come last."""
    places = [*((split, label) for split in SPLITS for label in LABELS)]
    parts = [table.filter((pl.col("split") == split) & (pl.col("label") == label)) for split, label in places]
    return pl.concat([*parts, table.filter(pl.col("split") == SET_ASIDE)])


def read_word_index(path: str | Path = WORD_INDEX.name) -> dict[str, int]:
    """Read the ranks of the 88,584 words that Keras counted in the train reviews, 1 the most frequent.

    ``path`` is Keras's file, or its name in `TAGLINE_DATA`, in Keras's own folder or in the cache folder; a missing
    file is downloaded. Raises `DataError` if the file is not a word index.
    """
    place = find_file(WORD_INDEX, "imdb", path) or fetch(WORD_INDEX)
    return parse_word_index(restore_word_index(place.read_bytes()), place)


def restore_word_index(content: bytes) -> bytes:
    """Return Keras's file if ``content`` is the copy with replaced words, and any other content unchanged."""
    restored = content
    for wrong, right in _REPLACED_WORDS:
        restored = restored.replace(wrong, right)
    return restored if hashlib.sha256(restored).hexdigest() == WORD_INDEX.sha256 else content


def _check(table: pl.DataFrame, source: Path) -> None:
    """Raise `DataError` unless both splits are complete."""
    counts = {(split, label): n for split, label, n in table.group_by("split", "label").len().iter_rows()}
    for split in SPLITS:
        for label in LABELS:
            n = counts.get((split, label), 0)
            if n != N_PER_CLASS:
                raise DataError(
                    f"`{source}` is an incomplete IMDB set: it has {n:,} texts of `{split}/{label}`, "
                    f"not {N_PER_CLASS:,}."
                )
