"""The word vectors that a network starts from: read or learned, put into its table, and what they cover."""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagline.bundle import Bundle, read_bundle, write_bundle
from tagline.errors import BundleError, InputError
from tagline.features.encoder import Encoder
from tagline.features.sequences import INDEX_FROM, PAD, START, Ids, Sequences
from tagline.features.vectors.load import Vectors, check_vectors, load_vectors
from tagline.features.vectors.skip_gram import EPOCHS, LEAST, check_gensim, learn_vectors
from tagline.learners.base import FitOptions
from tagline.recipes import EmbeddingModel, Recipe
from tagline.task import Ints

if TYPE_CHECKING:
    from tagline.training import Callback


def check_start(recipe: Recipe, *, unlabelled: bool) -> None:
    """Check the word vector settings of a recipe before training.

    Raises:
        InputError: it cannot, or a file or package is not there.

    """
    name, model = recipe.recipe.name, recipe.model
    if not isinstance(model, EmbeddingModel):
        if unlabelled:
            raise InputError(
                f"`{name}` has no word vectors that could be learned from unlabelled texts: take a network with an "
                "embedding, for example `embedding-average` or `lstm-masked`."
            )
        return
    if unlabelled:
        if model.vectors != "none":
            raise InputError(
                f"`{name}` starts from `{model.vectors}`, so there is nothing to learn from unlabelled texts: set "
                "`model.vectors` to `none`, or leave the unlabelled texts out."
            )
        check_gensim()
    elif model.vectors != "none":
        check_vectors(model.vectors)
    elif model.frozen:
        raise InputError(
            "`model.frozen` keeps word vectors as they were handed over, and none are: name some in `model.vectors`, "
            "for example `glove-6b-50d`, or give unlabelled texts."
        )


def find_vectors(
    model: EmbeddingModel,
    encoders: Sequence[Encoder],
    texts: pl.Series | Sequences,
    unlabelled: pl.Series | None,
    options: FitOptions,
) -> Vectors | None:
    """Return the vectors to start from for the words of all ``encoders``, or None if the start is drawn at random.

    ``texts``, (n_texts,), are those of the rows that the first training learns from.
    """
    if unlabelled is not None:
        assert isinstance(model.embedding, int)
        if isinstance(texts, Sequences):
            raise InputError("Unlabelled texts go with training texts, not with sequences of ids: give the texts.")
        return _learned(pl.concat([texts, unlabelled]), model.embedding, options)
    if model.vectors == "none":
        return None
    indexes = [encoder.index for encoder in encoders]
    if any(index is None for index in indexes):
        raise InputError(
            f"`{model.vectors}` has vectors of words, and these are ids without words: give texts, or a `word_index`."
        )
    words = pl.concat([index.words for index in indexes if index is not None]).unique(maintain_order=True)
    vectors = load_vectors(model.vectors, words)
    if model.embedding not in ("vectors", vectors.size):
        raise InputError(
            f"The vectors of `{vectors.source}` have {vectors.size:,} numbers, and `model.embedding` is "
            f"{model.embedding:,}: set it to {vectors.size}, or to `vectors`, as many as they have."
        )
    return vectors


def notify(callbacks: "Sequence[Callback]", hook: str, *values: Any) -> None:
    """Call a hook of `tagline.training.VectorsCallback` on the callbacks that have it."""
    for callback in callbacks:
        if (method := getattr(callback, hook, None)) is not None:
            method(*values)


def _learned(texts: pl.Series, size: int, options: FitOptions) -> Vectors:
    """Return vectors learned from texts; a training that is resumed finds those that it started from."""
    seed, checkpoints = options.seed, options.checkpoints
    of = f"{fingerprint(texts)} {size} {seed} {EPOCHS} {LEAST}"
    folder = None if checkpoints is None else checkpoints / "vectors"
    if folder is not None and folder.exists():
        try:
            kept = read_bundle(folder)
            if kept.header["of"] == of:
                return Vectors("skip-gram", pl.Series(kept.texts["words.txt"].split("\n")), kept.arrays["vectors"])
        except (BundleError, KeyError):
            raise InputError(f"`{folder}` is damaged: remove it and train again.") from None
        raise InputError(f"`{folder}` was learned from other texts or by other settings: remove it and train again.")

    def progress(done: int, total: int) -> None:
        notify(options.callbacks, "on_learning_vectors", done, total)

    vectors = learn_vectors(texts, size, seed=seed, progress=progress)
    if folder is not None:
        # No word of Keras's holds a newline.
        words = {"words.txt": "\n".join(vectors.words)}
        write_bundle(folder, Bundle({"of": of}, {"vectors": vectors.table}, words))
    return vectors


def fingerprint(texts: pl.Series) -> str:
    """Return a digest of texts, (n_texts,)."""
    digest = hashlib.sha256(texts.str.len_bytes().to_numpy().tobytes())
    for batch in texts.to_frame().iter_slices(10_000):
        digest.update("".join(batch.to_series()).encode())
    return digest.hexdigest()[:16]


def start_table(vectors: Vectors, encoder: Encoder, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the table that a network starts from, (n_ids, size).

    An id whose word has no vector is drawn from a normal distribution with mean and deviation of the others, column by
    column: it starts as a word like any. Padding is 0.
    """
    places = _places(vectors, encoder)
    known = places >= 0
    mean, deviation = vectors.table.mean(axis=0), vectors.table.std(axis=0)  # (size,)
    table = (mean + deviation * rng.standard_normal((len(places), vectors.size))).astype(np.float32)
    table[known] = vectors.table[places[known]]
    table[PAD] = 0.0
    return np.asarray(table)  # (n_ids, size)


def cover(vectors: Vectors, encoder: Encoder, X: Ids, *, frozen: bool) -> dict[str, Any]:
    """Return ``chosen["vectors"]``: their source, and how much of the vocabulary and of the rows they cover.

    ``X`` are the padded ids of the texts learned from, (n_texts, maxlen): running words are those that it reads.
    """
    known = _places(vectors, encoder) >= 0
    read = X[X > START]
    return {
        "source": vectors.source,
        "size": vectors.size,
        "words": int(known.sum()),
        "of": encoder.num_words - INDEX_FROM - 1,
        "running_words": round(float(known[read].mean()), 6) if len(read) else 0.0,
        "frozen": frozen,
        "fingerprint": vectors.fingerprint,
    }


def _places(vectors: Vectors, encoder: Encoder) -> Ints:
    """Return the row of the vectors of each id, (n_ids,), -1 for those that have none."""
    places = np.full(encoder.num_words, -1, dtype=np.int64)
    assert encoder.index is not None
    words = encoder.index.restrict(encoder.num_words).words
    places[INDEX_FROM + 1 :][: len(words)] = vectors.places(words)
    return places
