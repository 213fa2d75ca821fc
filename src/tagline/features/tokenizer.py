"""`Tokenizer`: a text column to tokens, whole columns at a time, by compiled code (``features/_core``) or in polars.

There are two rules, see `RULES`. ``"unicode"``, for n-grams, is the same for every language:

* Words are runs of letters, marks, digits and `_`, with apostrophes inside them (`don't`; a typographic ’ counts as ').
* Scripts written without spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese) give one token per character, so that
  n-grams of tokens are n-grams of characters.
* An emoji with its modifiers is one token, a flag too; any other sign is one token.
* A URL gives its scheme and host as one token and the words of its path.
* HTML line breaks are spaces. Soft hyphens and zero-width spaces are dropped. Everything is lower-cased.

``"keras"``, for word ids, is that of Keras's ``text_to_word_sequence``, on which its IMDB and Reuters word indexes
rest: lower-cased and split at `KERAS_SEPARATORS`, so apostrophes stay. One addition: scripts written without spaces
give one token per character (with its marks), where Keras takes a whole Chinese sentence for one word.

Before either rule, text is normalized to NFC, so that é is one character however it was typed.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagline.compiled import COMPILED
from tagline.errors import InputError
from tagline.features.located import Span

#: The Unicode version of the compiled tables: the classes of characters and NFC; lower case is that of Unicode 17.
UNICODE = "16.0"

_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
UNSPACED_PATTERN = rf"^[{_UNSPACED}]"
_LETTERS = rf"[\w--[{_UNSPACED}]]"
_EMOJI = (
    r"[\x{1F1E6}-\x{1F1FF}]{2}"
    r"|\p{Extended_Pictographic}(?:[\x{FE0F}\x{1F3FB}-\x{1F3FF}\x{E0020}-\x{E007F}]|\x{200D}\p{Extended_Pictographic})*"
)
#: Soft hyphen, zero-width space and byte order mark: they would split words.
INVISIBLE = "\u00ad\u200b\ufeff"

#: What Keras's tokenizer splits at. Everything else, other white space too, is part of a word.
KERAS_SEPARATORS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n '
_SEPARATORS = "".join(rf"\x{{{ord(char):x}}}" for char in KERAS_SEPARATORS)

# Characters that NFC replaces or composes with others; normalizing the texts without any would take half of the time.
_NOT_NFC = (
    r"[\p{M}\x{374}\x{37E}\x{387}\x{958}-\x{95F}\x{9DC}-\x{9DF}\x{A33}-\x{A5E}\x{B5C}\x{B5D}\x{F43}-\x{F69}"
    r"\x{1161}-\x{11C2}\x{1F71}-\x{1FFD}\x{2000}\x{2001}\x{2126}-\x{212B}\x{2329}\x{232A}\x{2ADC}\x{F900}-\x{FAFF}"
    r"\x{FB1D}-\x{FB4E}\x{16D67}\x{1D15E}-\x{1D1C0}\x{2F800}-\x{2FA1D}]"
)

# White space to polars; Python's own `\s` has four control characters more.
_POLARS_SPACE = r"[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"


@dataclass(frozen=True)
class Replacement:
    r"""Every match of ``find`` becomes ``by``.

    ``find`` is a string if ``literal``, otherwise a regular expression that Rust and Python read alike but for ``\s``.
    """

    find: str
    by: str
    literal: bool = False

    def to_expression(self, column: pl.Expr) -> pl.Expr:
        """Return the replacement as a polars expression."""
        return column.str.replace_all(self.find, self.by, literal=self.literal)

    def to_python(self) -> re.Pattern[str]:
        """Return ``find`` as a pattern of Python with the same matches."""
        return re.compile(re.escape(self.find) if self.literal else self.find.replace(r"\s", _POLARS_SPACE))


@dataclass(frozen=True)
class Rule:
    """How a lower-cased text is split: the replacements in order, then every match of ``pattern`` is a token.

    ``pattern`` is a regular expression of Rust's crate ``regex``; at each place its first alternative that matches
    wins.
    """

    replacements: tuple[Replacement, ...]
    pattern: str


RULES = {
    "unicode": Rule(
        (Replacement(r"<br\s*/?>", " "), Replacement("’", "'", literal=True), Replacement(f"[{INVISIBLE}]", "")),
        # The order matters: a host before its letters, an emoji before a single sign.
        rf"https?://[^\s/<>\"]+|{_LETTERS}+(?:'{_LETTERS}+)*|[{_UNSPACED}]\p{{M}}*|{_EMOJI}|[^\w\s]",
    ),
    "keras": Rule((), rf"[{_UNSPACED}]\p{{M}}*|[^{_SEPARATORS}{_UNSPACED}]+"),
}


@dataclass(frozen=True)
class Tokens:
    """The tokens of some texts, one after the other.

    ``values`` is a String series, (n_tokens,); ``lengths`` counts the tokens of each text, (n_texts,).
    """

    values: pl.Series
    lengths: NDArray[np.int64]


@dataclass(frozen=True)
class Tokenizer:
    """Splits texts into tokens by one of `RULES`; a text gives the same tokens alone and in a batch.

    >>> text = "Don't miss it :-)<br />我喜欢 👍🏽 https://example.org/a"
    >>> tokenizer = Tokenizer()
    >>> tokenizer.tokenize(pl.Series([text])).values.to_list()
    ["don't", 'miss', 'it', ':', '-', ')', '我', '喜', '欢', '👍🏽', 'https://example.org', '/', 'a']
    >>> [text[start:end] for start, end in tokenizer.spans(text)][:3]
    ["Don't", 'miss', 'it']
    >>> Tokenizer.restore(tokenizer.settings()) == tokenizer
    True
    >>> Tokenizer("keras").tokenize(pl.Series([text])).values.to_list()
    ["don't", 'miss', 'it', 'br', '我', '喜', '欢', '👍🏽', 'https', 'example', 'org', 'a']

    ``nfc``: normalize first; models saved before that was introduced do not. ``stop_words``: tokens to leave out.

    Raises `InputError` for a rule that does not exist.
    """

    rule: str = "unicode"
    nfc: bool = True
    stop_words: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            known = ", ".join(f"`{name}`" for name in RULES)
            raise InputError(f"Unknown tokenizer rule `{self.rule}`: use one of {known}, or upgrade tagline.")

    def tokenize(self, texts: pl.Series) -> Tokens:
        """Return the tokens of a String series without nulls; a text without any has length 0."""
        tokens = self._split(texts, nfc=self.nfc)
        if not self.stop_words:
            return tokens
        kept = (~tokens.values.is_in(self.stop_words)).to_numpy()
        text_of = np.repeat(np.arange(len(texts)), tokens.lengths)[kept]
        return Tokens(
            tokens.values.filter(pl.Series(kept)), np.bincount(text_of, minlength=len(texts)).astype(np.int64)
        )

    def _split(self, texts: pl.Series, *, nfc: bool) -> Tokens:
        """Return the tokens of texts, stop words too."""
        if not COMPILED:
            return split_in_polars(texts, self.rule, nfc=nfc)
        from tagline.features.token_ids import split

        return Tokens(*split(texts, self.rule, nfc=nfc))

    def spans(self, text: str) -> list[Span]:
        """Return the span of each token of ``text``: (start, end) in characters, end excluded."""
        pieces = _composed(text) if self.nfc else [(char, char) for char in text]
        sources = [len(source) for source, piece in pieces for _ in piece]
        ends = [
            end for (_, piece), end in zip(pieces, accumulate(len(s) for s, _ in pieces), strict=True) for _ in piece
        ]
        composed = "".join(piece for _, piece in pieces)
        column = pl.Series([composed], dtype=pl.String)
        cleaned = column.str.to_lowercase()[0]
        origin = [i for i, char in enumerate(composed) for _ in char.lower()]  # İ becomes two characters
        for replacement in self._replacements:
            cleaned, origin = _replace(replacement, cleaned, origin)
        tokens = self._split(column, nfc=False).values.to_list()
        found = [
            None if place is None else (ends[origin[place[0]]] - sources[origin[place[0]]], ends[origin[place[1] - 1]])
            for place in self._places(tokens, cleaned)
        ]
        spans = _without_gaps(found)
        return [span for token, span in zip(tokens, spans, strict=True) if token not in self.stop_words]

    def _places(self, tokens: Sequence[str], cleaned: str) -> Sequence[Span | None]:
        """Return the span of each token in the text that was split."""
        places = []
        cursor = 0
        for token in tokens:  # nothing between two tokens contains the next one
            start = cleaned.index(token, cursor)
            cursor = start + len(token)
            places.append((start, cursor))
        return places

    @property
    def _replacements(self) -> tuple[Replacement, ...]:
        return RULES[self.rule].replacements

    def settings(self) -> dict[str, Any]:
        """Return what a bundle's header stores."""
        stop_words = {"stop_words": list(self.stop_words)} if self.stop_words else {}
        return {"rule": self.rule, "nfc": self.nfc, "unicode": UNICODE, **stop_words}

    @classmethod
    def restore(cls, settings: Mapping[str, Any]) -> "Tokenizer":
        """Return the tokenizer that ``settings`` came from.

        Raises `InputError` for a setting, a rule or a version of Unicode that this version does not know: tokens would
        differ.
        """
        settings = dict(settings)
        if (
            version := settings.pop("unicode", "16.0")
        ) != UNICODE:  # models of before this setting have the tables of 16.0
            raise InputError(f"Unknown Unicode version `{version}`: upgrade with `pip install -U tagline`.")
        unknown = sorted(settings.keys() - cls.__dataclass_fields__.keys())
        if unknown:
            raise InputError(f"Unknown tokenizer setting `{unknown[0]}`: upgrade with `pip install -U tagline`.")
        stop_words = settings.get("stop_words", [])
        if not isinstance(stop_words, list) or not all(isinstance(word, str) for word in stop_words):
            raise InputError("The tokenizer's `stop_words` are not a list of words.")
        return cls(**({"nfc": False} | settings | {"stop_words": tuple(stop_words)}))

    def to_json(self) -> dict[str, Any]:
        """Return the steps from a text to its tokens, complete, for programs in other languages.

        ``clean`` lists the steps in order; ``tokens.find_all`` is the pattern of a token, and ``tokens.leave_out``, if
        it is there, lists the stop words.
        """
        rule = RULES[self.rule]
        return {
            "clean": [
                *([_NFC] if self.nfc else []),
                _LOWERCASE,
                *({"find": step.find, "replace": step.by} for step in rule.replacements),
            ],
            "tokens": {
                "find_all": rule.pattern,
                **({"leave_out": list(self.stop_words)} if self.stop_words else {}),
            },
        }


#: The rule of Keras, which word indexes and word vectors follow.
KERAS = Tokenizer("keras")

_NFC = {"normalize": "NFC"}
_LOWERCASE = {
    "lowercase": "Every character by the full mapping of Unicode, which has two characters for İ; a Σ is ς at the end "
    "of a word and σ elsewhere: `str::to_lowercase` of Rust."
}


@cache
def _lists_of(name: str) -> pl.Expr:
    """Return the expression that turns the column ``text`` into lists of tokens by a rule."""
    rule = RULES[name]
    column = pl.col("text").str.to_lowercase()
    for replacement in rule.replacements:
        column = replacement.to_expression(column)
    return column.str.extract_all(rule.pattern)


def split_in_polars(texts: pl.Series, rule: str, *, nfc: bool) -> Tokens:
    """Return the tokens of texts by a rule, without compiled code, which gives the same."""
    frame = (normalized(texts) if nfc else texts).to_frame("text")
    lists = frame.select(_lists_of(rule)).to_series()  # one call: each costs a tenth of a ms
    lengths = lists.list.len().to_numpy().astype(np.int64)
    return Tokens(lists.explode(empty_as_null=False, keep_nulls=False), lengths)


def normalized(texts: pl.Series) -> pl.Series:
    """Return the texts in NFC."""
    changed = texts.str.contains(_NOT_NFC).arg_true()
    return texts.clone().scatter(changed, texts.gather(changed).str.normalize("NFC")) if len(changed) else texts


def _composed(text: str) -> list[tuple[str, str]]:
    """Return the parts of a text that NFC turns into others independently: each as it is and in NFC."""
    if text.isascii() or pl.Series([text], dtype=pl.String).str.normalize("NFC")[0] == text:  # parts of NFC are NFC
        return [(char, char) for char in text]
    parts: list[str] = []
    for char in text:
        if parts and (unicodedata.combining(char) or not _is_boundary(parts[-1], char)):
            parts[-1] += char
        else:
            parts.append(char)
    composed = pl.Series(parts, dtype=pl.String).str.normalize("NFC").to_list()
    pairs: list[tuple[str, str]] = []
    for part, piece in zip(parts, composed, strict=True):
        same = 0  # characters in front that stay, such as a sign before a mark, are parts of their own
        while same < len(part) and same < len(piece) and part[same] == piece[same]:
            pairs.append((part[same], piece[same]))
            same += 1
        if part[same:]:
            pairs.append((part[same:], piece[same:]))
    return pairs


def _is_boundary(before: str, char: str) -> bool:
    if before.isascii() and char.isascii():
        return True
    nfc = unicodedata.normalize("NFC", before + char)
    return nfc == unicodedata.normalize("NFC", before) + unicodedata.normalize("NFC", char)


def _without_gaps(spans: Sequence[Span | None]) -> list[Span]:
    """Return the spans with an empty one, between its neighbours, for each token that the text lacks."""
    ends: list[int] = []  # of the last token found so far
    for span in spans:
        ends.append(span[1] if span is not None else ends[-1] if ends else 0)
    filled: list[Span] = []
    following = None  # where the next token starts, maybe before the end of the one before it
    for span, end in zip(reversed(spans), reversed(ends), strict=True):
        if span is None:
            place = end if following is None else min(end, following)
            filled.append((place, place))
        else:
            filled.append(span)
            following = span[0]
    return filled[::-1]


def _replace(replacement: Replacement, text: str, origin: list[int]) -> tuple[str, list[int]]:
    """Return ``text`` after a replacement, and the original position of each of its characters."""
    parts, positions, end = [], [], 0
    for match in replacement.to_python().finditer(text):
        parts += [text[end : match.start()], replacement.by]
        positions += origin[end : match.start()] + [origin[match.start()]] * len(replacement.by)
        end = match.end()
    return "".join([*parts, text[end:]]), positions + origin[end:]
