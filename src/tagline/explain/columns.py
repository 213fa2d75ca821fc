"""Contributions of n-grams, or of whatever else the columns of a row are."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tagline.explain.explanation import Attribution, Contribution, Span, WordContribution, Words
from tagline.features.base import Featurizer
from tagline.features.located import Located
from tagline.models.base import Contributions
from tagline.task import Floats, Ints


def attribute_columns(features: Featurizer, text: str, X: Any, found: Contributions) -> Attribution:
    """Return what each feature of ``text`` adds, from the contributions of the columns of ``X``, its row."""
    occurrences = _Occurrences.of(features.locate(text), found)
    located, part, first, last = occurrences.located, occurrences.part, occurrences.first, occurrences.last
    order = np.argsort(-np.abs(found.values), kind="stable")
    names = dict(zip(order.tolist(), features.names(found.columns[order]), strict=True))
    spans: dict[int, set[Span]] = {i: set() for i in names}
    for i, start, end in zip(part.tolist(), first.tolist(), last.tolist(), strict=True):
        spans[i].add((located.tokens[start][0], located.tokens[end][1]))
    parts = {i: Contribution(name, float(found.values[i]), tuple(sorted(spans[i]))) for i, name in names.items()}

    single = first == last
    in_words = _fold(parts, part[single], first[single], occurrences.each[single], located.words, located.tokens)
    inside_words = set(part[single].tolist())
    others = [WordContribution(p.name, p.value, p.spans, (p,)) for i, p in parts.items() if i not in inside_words]
    by_word = sorted([*in_words, *others], key=lambda word: -abs(word.value))
    return Attribution(found.intercept, found.score, tuple(parts.values()), tuple(by_word), occurrences.words())


def words_of_columns(features: Featurizer, text: str, X: Any, found: Contributions) -> Words:
    """Return the words of what `attribute_columns` returns, without naming the features."""
    return _Occurrences.of(features.locate(text), found).words()


@dataclass(frozen=True, eq=False)
class _Occurrences:
    """Where features occur in a text, (n_found,) each: the feature ``part``, its tokens, and what each of them adds."""

    located: Located
    part: Ints
    first: Ints
    last: Ints
    each: Floats

    @classmethod
    def of(cls, located: Located, found: Contributions) -> "_Occurrences":
        """Return the occurrences of the features that contribute."""
        part, known = _parts(found.columns, located.columns)
        part, first, last = part[known], located.first[known], located.last[known]
        covered = np.bincount(part, last - first + 1, minlength=len(found.columns))  # tokens, over all occurrences
        return cls(located, part, first, last, found.values[part] / covered[part])

    def words(self) -> Words:
        """Return start, end and contribution of each token."""
        shares = np.zeros(len(self.located.tokens))
        for place in range(int((self.last - self.first).max(initial=-1)) + 1):
            inside = self.first + place <= self.last
            np.add.at(shares, self.first[inside] + place, self.each[inside])
        return tuple((*span, share) for span, share in zip(self.located.tokens, shares.tolist(), strict=True))


def _parts(columns: Ints, occurrences: Ints) -> tuple[Ints, Any]:
    """Return the index in ``columns`` of each occurrence, (n_found,), and which occurrences have one."""
    if not len(columns):
        return np.zeros(len(occurrences), np.int64), np.zeros(len(occurrences), np.bool_)
    order = np.argsort(columns, kind="stable")
    at = np.minimum(np.searchsorted(columns[order], occurrences), len(columns) - 1)
    return order[at], columns[order[at]] == occurrences


def _fold(
    parts: dict[int, Contribution], part: Ints, token: Ints, values: Floats, words: list[str], tokens: list[Span]
) -> list[WordContribution]:
    """Fold the features that occur in single tokens into the words that these tokens are.

    ``part``, ``token`` and ``values`` are of each occurrence, (n_found,): the key in ``parts``, the index in ``words``
    and ``tokens``, and what the occurrence adds.
    """
    ids: dict[str, int] = {}
    spans: list[list[Span]] = []
    for word, span in zip(words, tokens, strict=True):
        if ids.setdefault(word, len(spans)) == len(spans):
            spans.append([])
        spans[ids[word]].append(span)
    word_of = np.array([ids[word] for word in words], dtype=np.int64)[token]
    pairs, which = np.unique(word_of * max(1, len(parts)) + part, return_inverse=True)
    sums = np.bincount(which, values, len(pairs))
    found: list[list[Contribution]] = [[] for _ in ids]
    for pair, value in zip(pairs.tolist(), sums.tolist(), strict=True):
        word, i = divmod(pair, max(1, len(parts)))
        found[word].append(Contribution(parts[i].name, value, tuple(spans[word])))
    return [
        WordContribution(
            word,
            float(sum(p.value for p in found[i])),
            tuple(spans[i]),
            tuple(sorted(found[i], key=lambda p: -abs(p.value))),
        )
        for word, i in ids.items()
        if found[i]
    ]
