"""The Large Movie Review Dataset (Maas et al., ACL 2011, https://ai.stanford.edu/~amaas/data/sentiment/)."""

import re
import tarfile
from pathlib import Path

import polars as pl

from tagline.datasets.download import RemoteFile, cache_folder, data_folders, fetch
from tagline.datasets.folders import read_folder
from tagline.datasets.rows import Rows
from tagline.errors import DataError

ARCHIVE = RemoteFile(
    name="aclImdb_v1.tar.gz",
    url="https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
    sha256="c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe",
    size=84_125_825,
    licence="free for research, with citation of Maas et al. 2011; the reviews belong to their authors",
)
SPLITS = ("train", "test")
MEMBER = re.compile(r"(?:.*/)?(train|test)/(neg|pos)/(\d+)_(\d+)\.txt")


def read_imdb() -> Rows:
    """Read train and test, 25,000 reviews each, labels ``neg`` and ``pos``, negative first, by number.

    Each folder of `TAGLINE_DATA` is looked in first, for ``imdb/{train,test}.parquet``, the folder
    ``aclImdb`` or the archive; then the cache folder; then the archive is downloaded, and kept as Parquet in
    the cache folder.
    """
    for folder in data_folders():
        for place in (folder / "imdb", folder):
            if _has_tables(place):
                return _read_tables(place)
            if (place / "aclImdb").is_dir():
                return _named(read_folder(place / "aclImdb"), place / "aclImdb")
            if (place / ARCHIVE.name).is_file():
                return _read_archive(place / ARCHIVE.name)
    built = cache_folder() / "imdb"
    if _has_tables(built):
        return _read_tables(built)
    return _read_archive(fetch(ARCHIVE))


def _has_tables(folder: Path) -> bool:
    return all((folder / f"{split}.parquet").is_file() for split in SPLITS)


def _read_tables(folder: Path) -> Rows:
    parts = [
        pl.read_parquet(folder / f"{split}.parquet", columns=["text", "label"]).with_columns(
            pl.col("label").cast(pl.String), split=pl.lit(split)
        )
        for split in SPLITS
    ]
    return Rows(pl.concat(parts), "imdb", str(folder), text="text", label="label", split="split")


def _named(rows: Rows, source: Path) -> Rows:
    return Rows(rows.frame, "imdb", str(source), rows.rejected, "text", "label", "split")


def _read_archive(archive: Path) -> Rows:
    """Build the tables out of the archive, write them to the cache folder and read them."""
    folder = cache_folder() / "imdb"
    if not _has_tables(folder):
        found: dict[str, list[tuple[int, str, str, int]]] = {split: [] for split in SPLITS}
        with tarfile.open(archive) as tar:
            for member in tar:
                match = MEMBER.fullmatch(member.name)
                stream = tar.extractfile(member) if match else None
                if match and stream:
                    split, label, number, rating = match.groups()
                    found[split].append((int(number), stream.read().decode(), label, int(rating)))
        for split, reviews in found.items():
            if not reviews:
                raise DataError(f"`{archive}` is not the IMDB archive: it has no `{split}/pos` or `{split}/neg` texts.")
            table = pl.DataFrame(
                sorted(reviews, key=lambda review: (review[2], review[0])),
                {"id": pl.Int32, "text": pl.String, "label": pl.String, "rating": pl.Int8},
                orient="row",
            )
            write_parquet(table, folder / f"{split}.parquet")
    return _read_tables(folder)


def write_parquet(table: pl.DataFrame, path: Path) -> None:
    """Write a table so that a reader sees all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.part")
    table.write_parquet(partial)
    partial.replace(path)
