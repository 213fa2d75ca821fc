"""A complete description of the steps from a text to the inputs of a graph, for programs other than tagline."""

from collections.abc import Callable
from typing import Any

from tagline.bundle import EXPORT
from tagline.errors import InputError
from tagline.features.base import Featurizer
from tagline.features.encoder import Encoder
from tagline.features.sequences import INDEX_FROM, PAD, START, UNKNOWN
from tagline.features.stop_words import STOP_WORDS
from tagline.features.vectorizer import Block, Vectorizer

WORDS = "words.txt"
_SYNTAX = "Regular expressions are those of the crate `regex` of Rust, with Unicode."
_NUMBERING = (
    "A text has one symbol per token; for character n-grams, one per character of each token with a space on both "
    "sides. An unknown symbol breaks n-grams, and no n-gram crosses the end of the text, or of the token. The number "
    "of an n-gram of order 1 is its symbol. An n-gram of order k is an n-gram of order k - 1, with the number p, and a "
    "last symbol. The known ones are sorted by p, then by last symbol: the array `followers` of order k holds their "
    "number for each p, and `last` the last symbol of each. The number of an n-gram is its position in that list, from "
    "0; n-grams that are not in the list are ignored, and so are longer ones that start with them. The column of an "
    "n-gram of order `shortest` to `longest` is `first_column` + the number of n-grams of lower orders from `shortest` "
    "on + its number."
)


def describe(features: Featurizer) -> dict[str, Any]:
    """Return the steps from a text to the inputs of the graph, as JSON values.

    Raises:
        InputError: other programs cannot take these steps.

    """
    if features.kind not in _DESCRIBE:
        raise InputError(f"Models of {features.unit_name} have no ONNX form: train one of n-grams, for example `fast`.")
    return _DESCRIBE[features.kind](features)


def _of_ngrams(features: Vectorizer) -> dict[str, Any]:
    blocks, first_column = [], 0
    for block in features.blocks:
        blocks.append(_block(block, first_column))
        first_column += block.table.n_columns
    steps = features.tokenizer.to_json()
    return {
        "syntax": _SYNTAX,
        **steps,
        "tokens": steps["tokens"] | {"note": "At each place the first alternative that fits is a token."},
        "ngrams": {"numbering": _NUMBERING, "blocks": blocks},
        "inputs": {
            "rows": "int64, (n_entries,): the number of the text, from 0; ascending",
            "columns": "int64, (n_entries,): a column with a count above 0; each once per text",
            "counts": "float32, (n_entries,): its count",
            "n_texts": "int64, a scalar",
        },
        "in_the_graph": {"term_frequency": features.tf, "scales": True, "rows_of_length_1": features.unit},
    }


def _block(block: Block, first_column: int) -> dict[str, Any]:
    of = block.of
    longest = len(block.table.keys) + 1
    symbols = (
        {"file": WORDS, "note": "The token in line i, from 0, has the symbol i. Lines end with a line feed alone."}
        if of == "words"
        else {"file": EXPORT.arrays, "array": "characters.alphabet", "note": "Code points; place i has the symbol i."}
    )
    return {
        "of": of,
        "shortest": block.table.min_n,
        "longest": longest,
        "first_column": first_column,
        "n_columns": block.table.n_columns,
        "symbols": symbols,
        "tables": [
            {
                "order": order,
                "file": EXPORT.arrays,
                "followers": f"{of}.{order}.followers",
                "last": f"{of}.{order}.last",
            }
            for order in range(2, longest + 1)
        ],
    }


def _of_ids(features: Encoder) -> dict[str, Any]:
    words = {} if features.index is None else _words(features)
    rows = (
        {
            "rows": "int64, (n_entries,): the number of the text, from 0; ascending",
            "columns": "int64, (n_entries,): an id in the text; each once per text",
            "n_texts": "int64, a scalar",
        }
        if features.kind == "multihot"
        else {"ids": f"int64, (n_texts, {features.maxlen}): the ids, truncated and padded"}
    )
    return words | {
        "ids": {
            "padding": PAD,
            "start": START,
            "unknown": UNKNOWN,
            "first_word": INDEX_FROM + 1,
            "below": features.num_words,
            "note": "A text is the id `start`, then the ids of its words in order.",
        },
        "length": None
        if features.kind == "multihot"
        else {
            "maxlen": features.maxlen,
            "truncate": features.truncating,
            "pad": features.padding,
            "note": "`pre` truncates and pads at the start, `post` at the end; the id `start` may be truncated.",
        },
        "inputs": rows,
    }


def _words(features: Encoder) -> dict[str, Any]:
    steps = features.tokenizer.to_json()
    return {
        "syntax": _SYNTAX,
        **steps,
        "tokens": steps["tokens"] | {"leave_out": list(STOP_WORDS) if features.stop_words else []},
        "words": {
            "file": WORDS,
            "note": f"The word in line i, from 0, has the id i + {INDEX_FROM + 1}; any other is `unknown`. Lines end "
            "with a line feed alone.",
        },
    }


_DESCRIBE: dict[str, Callable[[Any], dict[str, Any]]] = {
    "ngrams": _of_ngrams,
    "multihot": _of_ids,
    "sequence": _of_ids,
}
