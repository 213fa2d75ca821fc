"""The Large Movie Review Dataset (Maas et al., ACL 2011, https://ai.stanford.edu/~amaas/data/sentiment/)."""

import re
from pathlib import Path

import polars as pl

from tagline.datasets.archives import data_places, find_cached, read_members, read_table
from tagline.datasets.download import RemoteFile, fetch
from tagline.datasets.folders import read_folder
from tagline.datasets.rows import Rejected, Rows
from tagline.errors import DataError

ARCHIVE = RemoteFile(
    name="aclImdb_v1.tar.gz",
    url="https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
    sha256="c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe",
    size=84_125_825,
    licence="free for research, with citation of Maas et al. 2011; the reviews belong to their authors",
)
FOLDER = "aclImdb"
SPLITS = ("train", "test")
LABELS = ("neg", "pos")
N_PER_CLASS = 12_500
MEMBER = re.compile(r"(?:.*/)?(train|test)/(neg|pos)/(\d+)_\d+\.txt")


def find_imdb() -> Path | None:
    """Return what `read_imdb` reads without a download: a folder, the archive, or the table built of it."""
    for place in data_places("imdb"):
        if all((place / f"{split}.parquet").is_file() for split in SPLITS):
            return place
        if (place / FOLDER).is_dir():
            return place / FOLDER
        if (place / ARCHIVE.name).is_file():
            return place / ARCHIVE.name
    return find_cached(ARCHIVE, "imdb")


def read_imdb() -> Rows:
    """Read train and test, 25,000 reviews each, labels ``neg`` and ``pos``, negative first, by number.

    Each folder of `TAGLINE_DATA` is looked in first, for ``imdb/{train,test}.parquet``, the folder
    ``aclImdb`` or the archive; then the cache folder; then the archive is downloaded, and kept as Parquet in
    the cache folder. Raises `DataError` if what is found is not whole.
    """
    place = find_imdb() or fetch(ARCHIVE)
    rejected: tuple[Rejected, ...] = ()
    if place.is_file():
        table = read_table(place, "imdb", _build)
    elif place.name == FOLDER:
        rows = read_folder(place)
        table, rejected = rows.frame, rows.rejected
        if "split" not in table.columns:
            raise DataError(f"`{place}` is not the IMDB set: it has no `train/` and `test/` folders.")
        _check(table, place)
    else:
        parts = [
            pl.read_parquet(place / f"{split}.parquet", columns=["text", "label"]).with_columns(
                pl.col("label").cast(pl.String), split=pl.lit(split)
            )
            for split in SPLITS
        ]
        table = pl.concat(parts)
        _check(table, place)
    return Rows(table, "imdb", str(place), rejected, "text", "label", "split")


def _build(archive: Path) -> pl.DataFrame:
    found = []
    for name, data in read_members(archive, MEMBER).items():
        match = MEMBER.fullmatch(name)
        assert match is not None
        split, label, number = match.groups()
        found.append((SPLITS.index(split), label, int(number), split, data.decode("utf-8", "replace")))
    schema = {"order": pl.Int64, "label": pl.String, "number": pl.Int64, "split": pl.String, "text": pl.String}
    table = pl.DataFrame(sorted(found), schema, orient="row").select("text", "label", "split")
    _check(table, archive)
    return table


def _check(table: pl.DataFrame, source: Path) -> None:
    """Raise `DataError` unless both splits have all texts of both classes."""
    counts = {(split, label): n for split, label, n in table.group_by("split", "label").len().iter_rows()}
    for split in SPLITS:
        for label in LABELS:
            n = counts.get((split, label), 0)
            if n != N_PER_CLASS:
                raise DataError(
                    f"`{source}` is not the whole of the IMDB set: it has {n:,} texts of `{split}/{label}`, "
                    f"not {N_PER_CLASS:,}."
                )
