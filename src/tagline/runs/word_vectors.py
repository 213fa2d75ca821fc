"""What a run has to do with word vectors: the file they stand in, and the texts that they are learnt from."""

from typing import TYPE_CHECKING

from tagline.data import Rejected, read_texts
from tagline.data.columns import join_texts
from tagline.data.rows import check_rejected
from tagline.errors import DataError, InputError
from tagline.features.vectors.load import BUILT_IN_VECTORS
from tagline.recipes import EmbeddingModel, Recipe
from tagline.runs.fit import Log
from tagline.runs.resume import absolute
from tagline.runs.settings import TrainSettings

if TYPE_CHECKING:
    import polars as pl


def check_vectors_of(recipe: Recipe, settings: TrainSettings) -> None:
    """Check what recipe and settings say of word vectors, before anything is read.

    Raises:
        InputError: they do not go together, or a file or package is missing.

    """
    if settings.unlabelled == "-":
        raise InputError("`--unlabelled -`: unlabelled texts are read from a file, not from standard input.")
    if settings.unlabelled is not None or isinstance(recipe.model, EmbeddingModel):
        from tagline.learners.word_vectors import check_start  # what n-grams do without takes a while to import

        check_start(recipe, unlabelled=settings.unlabelled is not None)


def from_the_root(recipe: Recipe) -> Recipe:
    """Return the recipe with a file of vectors named from the root, so that it is found from another folder."""
    model = recipe.model
    if not isinstance(model, EmbeddingModel) or model.vectors == "none" or model.vectors in BUILT_IN_VECTORS:
        return recipe
    return recipe.model_copy(update={"model": model.model_copy(update={"vectors": absolute(model.vectors)})})


def read_unlabelled(settings: TrainSettings, log: Log) -> "pl.Series":
    """Return the texts of the file of unlabelled ones, (n_texts,), read as files to predict are.

    One text column may go by another name than in the training data; several must all be there.

    Raises:
        DataError: the file cannot be read, or it holds no texts.

    """
    import polars as pl

    path, named = str(settings.unlabelled), settings.text
    rejected: list[Rejected] = []
    texts = [
        join_texts(batch.rows, named).fill_null("") if set(named) <= set(batch.rows.columns) and named else batch.texts
        for batch in read_texts(path, text=named if len(named) > 1 else None, rejected=rejected)
    ]
    found = pl.concat([pl.Series("text", [], dtype=pl.String), *texts])
    check_rejected(rejected, len(found), strict=settings.strict)
    if rejected:
        log(f"{len(rejected):,} rows of {path} cannot be read and are left out")
    if found.is_empty():
        raise DataError(f"`{path}` holds no texts.")
    return found
