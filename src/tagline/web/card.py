"""A model card and a description of its data, in sentences."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import numpy as np

from tagline.classifier import TextClassifier
from tagline.data.wording import counted, have
from tagline.decisions.rule import describe_threshold
from tagline.metrics.formatting import display_name, listed
from tagline.report.conclusion import reuse_sentence, summary_of_recipe
from tagline.report.sections.provenance import training_sentences

_NAMED_CLASSES = 10


def card_sentences(clf: TextClassifier, run: Mapping[str, Any], metrics: Mapping[str, Any]) -> list[str]:
    """Say what a model does, how it was trained, and what its limits are; its metrics stand above the card.

    ``run`` and ``metrics`` are ``run.json`` and ``metrics.json``, empty where there is no run.
    """
    recipe = clf.recipe_.recipe
    sentences = [
        _decides(clf),
        f"Its recipe is `{recipe.name}`: {summary_of_recipe(recipe.summary, clf.chosen_)}.",
        *([f"The recipe follows {recipe.source}."] if recipe.source else []),
        *training_sentences(run, metrics),
        reuse_sentence(metrics),
        *map(str, run.get("notes") or []),
        _threshold(clf),
        "It is valid for texts like its training texts. Texts of another kind or in another language may be"
        " misclassified with high confidence.",
    ]
    return [sentence for sentence in sentences if sentence]


def data_sentences(dataset: Mapping[str, Any]) -> list[str]:
    """Describe the data, from ``dataset`` of ``run.json`` or of the header of a bundle."""
    facts = dataset.get("facts") or {}
    rows = {name: n for name, n in (dataset.get("rows") or {}).items() if n}
    lengths = (facts.get("lengths") or {}).get("train")
    duplicates = facts.get("duplicates") or {}
    found = []
    if dataset.get("name"):
        # The name of a file without its folder, which is private.
        source = str(dataset.get("source") or "")
        source = source if "://" in source else PurePath(source).name
        source = "" if PurePath(source).stem == dataset["name"] else f", from {source}" if source else ""
        found.append(f"The data is `{dataset['name']}`{source}.")
    if rows:
        named = [f"{n:,} {'training' if name == 'train' else name} rows" for name, n in rows.items()]
        split = f"; the split is {facts['split']}" if facts.get("split") else ""
        found.append(f"It has {listed(named)}{split}.")
    if facts.get("chosen"):
        found.append(f"Of its columns, {facts['chosen']}.")
    if lengths:
        found.append(
            f"The training texts have these lengths in characters: median {lengths['median']:,.0f}, 95th percentile"
            f" {lengths['p95']:,.0f}, maximum {lengths['max']:,.0f}."
        )
    if facts.get("class_counts"):
        found += _balance(facts["class_counts"].get("train") or {})
    if duplicates.get("copies"):
        found.append(f"{counted(duplicates['copies'], 'row')} {have(duplicates['copies'])} the text of an earlier row.")
    # Warnings name the other duplicates.
    found += [str(warning) for warning in facts.get("warnings") or []]
    if dataset.get("fingerprint"):
        found.append(f"Its fingerprint is `{dataset['fingerprint'][:16]}`.")
    return found


def _decides(clf: TextClassifier) -> str:
    names = [f"`{display_name(str(name), 40)}`" for name in clf.classes_]
    many = len(names) > _NAMED_CLASSES
    if clf.task_ == "multilabel":
        return f"This model assigns any of {f'{len(names):,} labels' if many else listed(names, 'or')} to a text."
    return f"This model classifies texts as {f'one of {len(names):,} classes' if many else listed(names, 'or')}."


def _threshold(clf: TextClassifier) -> str:
    if clf.task_ == "multiclass" and clf.costs_ is not None:
        return "It predicts the class with the smallest expected cost, as wrong predictions have the costs given to it."
    if clf.positive_ is not None:
        otherwise = "" if clf.task_.has_positive else ", otherwise the most probable one of the other classes"
        name = display_name(str(clf.positive_), 40)
        return f"It predicts `{name}` if its probability is above {clf.threshold_:.3g}{otherwise}."
    if not clf.task_.has_threshold:
        return "It predicts the most probable class."
    value = describe_threshold(clf.threshold_)
    above = f"a threshold of its own, {value}" if isinstance(clf.threshold_, np.ndarray) else value
    return f"A label is assigned if its probability is above {above}."


def _balance(counts: Mapping[str, int]) -> list[str]:
    if not counts:
        return []
    rarest = min(counts, key=lambda name: counts[name])
    commonest = max(counts, key=lambda name: counts[name])
    if counts[rarest] == counts[commonest]:
        return [f"Every class has {counts[rarest]:,} training rows."]
    least, most = (f"`{display_name(name, 40)}` with {counts[name]:,}" for name in (rarest, commonest))
    return [f"The most frequent class in training is {most} rows, the least frequent {least}."]
