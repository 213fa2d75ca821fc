"""A text column to tokens, in polars, whole columns at a time.

One rule for every language, so that a text gives the same tokens whatever stands beside it:

>>> import polars as pl
>>> tokenize(pl.Series(["Don't miss it :-)<br />我喜欢 👍🏽 https://example.org/a"])).values.to_list()
["don't", 'miss', 'it', ':', '-', ')', '我', '喜', '欢', '👍🏽', 'https://example.org', '/', 'a']

* Words are runs of letters, marks, digits and `_`, with apostrophes inside them (`don't`; a typographic ’ counts as ').
* Scripts written without spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese) give one token a character, so that
  n-grams of tokens are n-grams of characters.
* An emoji with its modifiers is one token, a flag too; any other sign is one token.
* A URL gives its scheme and host as one token and the words of its path.
* HTML line breaks are spaces. Soft hyphens and zero-width spaces are dropped. Everything is lower-cased.

Beside it stands the rule of Keras's ``Tokenizer``, on which its IMDB and Reuters word indexes rest:

>>> keras_words(pl.Series(["Don't miss it :-)<br />我喜欢"])).values.to_list()
["don't", 'miss', 'it', 'br', '我', '喜', '欢']
"""

import re
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_LETTERS = rf"[\w--[{_UNSPACED}]]"
_EMOJI = (
    r"[\x{1F1E6}-\x{1F1FF}]{2}"
    r"|\p{Extended_Pictographic}(?:[\x{FE0F}\x{1F3FB}-\x{1F3FF}\x{E0020}-\x{E007F}]|\x{200D}\p{Extended_Pictographic})*"
)
# The order decides: a host before its letters, an emoji before a lone sign.
TOKEN_PATTERN = rf"https?://[^\s/<>\"]+|{_LETTERS}+(?:'{_LETTERS}+)*|[{_UNSPACED}]\p{{M}}*|{_EMOJI}|[^\w\s]"
UNSPACED_PATTERN = rf"^[{_UNSPACED}]"

#: What Keras's tokenisation cuts at. All else, other white space too, stands inside words.
KERAS_SEPARATORS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n '
_SEPARATORS = "".join(rf"\x{{{ord(char):x}}}" for char in KERAS_SEPARATORS)
KERAS_PATTERN = rf"[{_UNSPACED}]\p{{M}}*|[^{_SEPARATORS}{_UNSPACED}]+"

BREAK_PATTERN = r"<br\s*/?>"
APOSTROPHE = "’"
INVISIBLE = "\u00ad\u200b\ufeff"  # soft hyphen, zero-width space, byte order mark: they would cut words
_CLEANED = (
    pl.col("text")
    .str.to_lowercase()
    .str.replace_all(BREAK_PATTERN, " ")
    .str.replace_all(APOSTROPHE, "'", literal=True)
    .str.replace_all(f"[{INVISIBLE}]", "")
)
_LISTS = _CLEANED.str.extract_all(TOKEN_PATTERN)
_KERAS_LISTS = pl.col("text").str.to_lowercase().str.extract_all(KERAS_PATTERN)
# What polars takes for white space; Python's own `\s` holds four control characters more.
_BREAK_HERE = re.compile(r"<br[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*/?>")


@dataclass(frozen=True)
class Tokens:
    """The tokens of some texts, one after the other.

    ``values`` is a String series, (n_tokens,); ``lengths`` counts the tokens of each text, (n_texts,).
    """

    values: pl.Series
    lengths: NDArray[np.int64]


def tokenize(texts: pl.Series) -> Tokens:
    """Return the tokens of a String series without nulls; a text without any gives none."""
    return _tokens(texts, _LISTS)


def token_spans(text: str) -> list[tuple[int, int]]:
    """Return where each token of ``tokenize`` stands in ``text``: (start, end) in characters, end excluded."""
    column = pl.Series([text], dtype=pl.String)
    lowered = column.str.to_lowercase()[0].replace(APOSTROPHE, "'")
    lowered = _BREAK_HERE.sub(lambda found: " " * len(found.group()), lowered)
    origin = _origin(text)
    seen = [i for i, char in enumerate(lowered) if char not in INVISIBLE]
    return _find("".join(lowered[i] for i in seen), [origin[i] for i in seen], tokenize(column).values)


def keras_words(texts: pl.Series) -> Tokens:
    """Return the words of a String series without nulls as Keras's ``text_to_word_sequence`` has them.

    Lower-cased; `KERAS_SEPARATORS` cut, so apostrophes stay. One addition: scripts written without spaces give
    one token a character (with its marks), where Keras takes a whole Chinese sentence for one word.
    """
    return _tokens(texts, _KERAS_LISTS)


def keras_word_spans(text: str) -> list[tuple[int, int]]:
    """Return where each token of ``keras_words`` stands in ``text``: (start, end) in characters, end excluded."""
    column = pl.Series([text], dtype=pl.String)
    return _find(column.str.to_lowercase()[0], _origin(text), keras_words(column).values)


def _tokens(texts: pl.Series, lists_of: pl.Expr) -> Tokens:
    lists = texts.to_frame("text").select(lists_of).to_series()  # one call: each costs a tenth of a millisecond
    lengths = lists.list.len().to_numpy().astype(np.int64)
    return Tokens(lists.explode(empty_as_null=False, keep_nulls=False), lengths)


def _origin(text: str) -> list[int]:
    """Return which character of ``text`` each of its lower-cased form comes from: İ becomes two."""
    return [i for i, char in enumerate(text) for _ in char.lower()]


def _find(lowered: str, origin: list[int], tokens: pl.Series) -> list[tuple[int, int]]:
    """Return where the tokens stand, one after the other; between two stands nothing a token could begin with."""
    spans = []
    cursor = 0
    for token in tokens:
        start = lowered.index(token, cursor)
        cursor = start + len(token)
        spans.append((origin[start], origin[cursor - 1] + 1))
    return spans
