"""The search space: families of recipes, the settings that vary in each, and the initial trials."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from tagline.experiments.shared_data import SharedData
from tagline.features.tokenizer import Tokenizer
from tagline.features.vectorizer import unspaced_share

if TYPE_CHECKING:
    from optuna.trial import Trial

FAMILIES = {
    "fast": "word and character n-grams, scaled by naive Bayes and rarity, and a linear model",
    "tf-idf": "TF-IDF of word n-grams and a linear model",
    "characters": "character n-grams and a linear model",
    "embedding-average": "the mean of learned word vectors and a small network",
    "dense": "the words of a text as a set, and a small network",
    "cnn": "filters over learned word vectors",
}
_NETWORKS = ("embedding-average", "dense", "cnn")
_SAMPLE = 5_000  # texts that lengths and scripts are estimated from
_LONGEST = 600  # words of a text that a network uses at most
_LARGE_BYTES = 10_000_000
_HUGE_BYTES = 25_000_000
_MANY_CLASSES = 200  # from which on softmax regression by L-BFGS takes too long

Values = Mapping[str, Any]


@dataclass(frozen=True)
class DataProfile:
    """Properties of the texts that the search space depends on.

    ``maxlen``: the number of words that 95 % of the texts do not exceed. ``spaced``: words are separated by spaces. In
    ``large`` data rare n-grams are too many to count, in ``huge`` data character n-grams, too; words are enough there.
    """

    maxlen: int
    spaced: bool
    large: bool
    huge: bool
    n_classes: int

    @staticmethod
    def of(shared: SharedData) -> "DataProfile":
        """Return the profile of some texts."""
        tokens = Tokenizer().tokenize(shared.texts.head(_SAMPLE))
        longest = int(np.quantile(tokens.lengths, 0.95)) + 1
        spaced = unspaced_share(tokens.values.unique()) < 0.5
        n_bytes = int(shared.texts.str.len_bytes().sum())
        large, huge = n_bytes > _LARGE_BYTES, n_bytes > _HUGE_BYTES
        return DataProfile(min(_LONGEST, max(8, longest)), spaced, large, huge, shared.Y.shape[1])


def available_families(profile: DataProfile) -> list[str]:
    """Return the families that are available: networks need PyTorch, and character n-grams data that is not huge."""
    has_torch = find_spec("torch") is not None and find_spec("onnx") is not None
    left_out = [*(() if has_torch else _NETWORKS), *(["characters"] if profile.huge else ())]
    return [name for name in FAMILIES if name not in left_out]


def initial_trials(profile: DataProfile, allowed: list[str]) -> list[dict[str, Any]]:
    """Return the settings of the first trials: `fast` and its neighbours, then one of each family."""
    usual = {"family": "fast", "kind": "linear-svm", "tf": "log", "min_df": 2, "floor": 0.7}
    words = {**usual, "words": 3, "characters": "none"}
    both = {**usual, "words": 3, "characters": "some", "shortest": 2, "longest": 5}
    first, second = (both, words) if profile.spaced and not profile.huge else (words, both)
    bag = {"family": "tf-idf", "kind": "linear-svm", "tf": "log", "min_df": 1, "C": 1.0}
    linear: list[dict[str, Any]] = [
        {**first, "C": 1.0},
        {**second, "C": 1.0},
        {**first, "C": 0.3, "floor": 1.4, "min_df": 1},
        {**first, "kind": "logistic-regression", "C": 10.0, "min_df": 1},
        {**bag, "words": 2},
        {**usual, "family": "characters", "shortest": 1, "longest": 5, "C": 1.0},
    ]
    if profile.large:  # the fastest first, so that there is a result soon
        linear = [{**bag, "words": 1}, {**words, "words": 2, "C": 1.0}, {**words, "C": 1.0}, *linear]
    network = {"num_words": 20_000, "learning_rate": 3e-3, "batch_size": 64, "dropout": 0.3}
    networks: list[dict[str, Any]] = [
        {"family": "embedding-average", "embedding": 64, "layers": 0, "epochs": 10, **network},
        {"family": "dense", "layers": 1, "units": 64, "epochs": 5, **network},
        {"family": "cnn", "embedding": 64, "filters": 128, "width": 3, "epochs": 5, **network, "learning_rate": 1e-3},
    ]
    tried = [values for values in (*linear, *networks) if values["family"] in allowed and _is_allowed(values, profile)]
    return [
        values | {"min_df": max(2, values["min_df"])} if profile.large and "min_df" in values else values
        for values in tried
    ]


def _is_allowed(values: Values, profile: DataProfile) -> bool:
    """Return whether values are inside the space for such texts."""
    many = values.get("kind") == "logistic-regression" and profile.n_classes > _MANY_CLASSES
    return not many and not (profile.huge and values.get("characters") == "some")


def suggest(trial: "Trial", profile: DataProfile, allowed: list[str]) -> dict[str, Any]:
    """Sample the tables of a recipe."""
    family = trial.suggest_categorical("family", allowed)
    tables = _network(trial, family, profile) if family in _NETWORKS else _linear(trial, family, profile)
    tables["recipe"] = {
        "name": f"tuned-{family}",
        "summary": f"{FAMILIES[family]}; settings found by a search",
        "source": f"trial {trial.number} of a search",
    }
    return tables


def _linear(trial: "Trial", family: str, profile: DataProfile) -> dict[str, Any]:
    kinds = ["linear-svm", "logistic-regression"] if profile.n_classes <= _MANY_CLASSES else ["linear-svm"]
    kind = trial.suggest_categorical("kind", kinds)
    features: dict[str, Any] = {
        "kind": "ngrams",
        "words": 0 if family == "characters" else trial.suggest_int("words", 1, 3 if profile.large else 4),
        "characters": "none",
        "tf": trial.suggest_categorical("tf", ["log", "binary"]),
        "scale": "discriminative" if family == "fast" else "idf",
        "min_df": trial.suggest_int("min_df", 2 if profile.large else 1, 3),
        "unit": True,
    }
    if family == "fast":
        features["floor"] = round(trial.suggest_float("floor", 0.1, 5.0, log=True), 3)
    some = ["none"] if profile.huge else ["none", "some"]
    if family == "characters" or (family == "fast" and trial.suggest_categorical("characters", some) == "some"):
        features["characters"] = (trial.suggest_int("shortest", 1, 3), trial.suggest_int("longest", 3, 7))
    C = trial.suggest_float("C", 0.05, 50.0, log=True)
    return {
        "features": features,
        "model": {"kind": kind, "C": float(f"{C:.3g}")},
        "protocol": {"validation": "auto", "refit": "all", "calibration": "auto", "thresholds": "per-label"},
    }


def _network(trial: "Trial", family: str, profile: DataProfile) -> dict[str, Any]:
    num_words = trial.suggest_categorical("num_words", [5_000, 10_000, 20_000, 40_000])
    epochs = trial.suggest_int("epochs", 2, 12 if family == "cnn" else 30, log=True)
    features: dict[str, Any] = {"kind": "multihot", "num_words": num_words}
    model: dict[str, Any] = {"kind": family, "dropout": round(trial.suggest_float("dropout", 0.0, 0.6), 2)}
    if family != "dense":
        features = {
            "kind": "sequence",
            "num_words": num_words,
            "maxlen": profile.maxlen,
            "padding": "post",
            "truncating": "post",
        }
        model |= {"embedding": trial.suggest_categorical("embedding", [16, 32, 64, 128]), "masked": True}
    if family == "cnn":
        model |= {
            "filters": trial.suggest_categorical("filters", [64, 128, 256]),
            "width": trial.suggest_int("width", 2, 5),
            "layers": 0,
            "embedding_dropout": model["dropout"],
        }
    else:
        model["layers"] = trial.suggest_int("layers", 0 if family == "embedding-average" else 1, 2)
        if model["layers"]:
            model["units"] = trial.suggest_categorical("units", [16, 32, 64, 128])
    rate = trial.suggest_float("learning_rate", 3e-4, 2e-2, log=True)
    return {
        "features": features,
        "model": model,
        "training": {
            "optimizer": "adam",
            "learning_rate": float(f"{rate:.3g}"),
            "schedule": "linear",
            "batch_size": trial.suggest_categorical("batch_size", [32, 64, 128, 512]),
            "epochs": epochs,
        },
        "protocol": {"validation": 0.1, "refit": epochs, "calibration": "temperature"},
    }
