"""Make a golden bundle: `python tests/golden/make_bundle.py ngrams tests/golden/bundle-v1`.

One of n-grams and one of a network are made for each format version, once, and stay: tagline reads every version for
ever. Of format 2 there is one more for each kind of model that has code of its own, named `bundle-v2-KIND`:
`for kind in $(python tests/golden/make_bundle.py --kinds); do python tests/golden/make_bundle.py $kind
tests/golden/bundle-v2-$kind; done`. Of format 4 there are two more, `bundle-v4-abstaining` and `bundle-v4-labels`, with
the scores of held-out rows and the thresholds of labels.

`expected.json` holds the texts asked, the classes, and what the classifier said before it was saved: probabilities,
decisions, predictions, the parts of one explanation, and of format 4 where it abstains, its prediction sets and the
novelty of the texts.
"""

import json
import sys
from dataclasses import dataclass
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np

from tagline import TextClassifier, explain_text

ROWS = {
    "praise": [
        "A quiet masterpiece.",
        "A lovely, moving film!",
        "What a joy to watch",
        "Wonderful: I loved every minute",
    ],
    "blame": ["A dull mess of a film.", "Boring and far too long", "I didn't like it at all", "What an awful bore!"],
}
TOPICS = {
    "art": ["A painter and her quiet canvas", "The gallery shows a moving film", "Sculpture, music and a poem"],
    "money": ["Shares fell; the bank lost a lot", "The market: profit, budget and tax", "A dull quarter for the bank"],
    "sport": ["The striker's goal won the match", "A coach, a league, a dull match", "What a match to watch!"],
}
ASKED = [
    "",
    "A lovely masterpiece, I loved it",
    "boring, dull; awful…",
    "Ein Film 👍🏽 我喜欢",
    "I didn’t like it<br />at all",
]
ASKED_OF_TOPICS = [*ASKED, "The bank shows a painter", "match, goal & league: profit!"]

ENDINGS = ["", " again", " today", " since May", " in spring", " at last", " for once", " as ever", " now", " then"]
ASKED_OF_MANY = [
    "What a match to watch! The bank lost a lot",
    "A painter and her quiet canvas as ever",
    "Shares fell; the bank lost a lot today; a dull match",
]
LEVELS = (0.75, 0.85)

SHORT = ["features.maxlen=8", "features.num_words=60"]
TINY = [*SHORT, "model.embedding=4"]
EPOCHS = ["training.epochs=3", "training.batch_size=4"]


@dataclass(frozen=True)
class Made:
    """How a golden classifier is made: of what rows, by which recipe with which settings, and what it is asked."""

    recipe: str
    settings: list[str]
    rows: str = "reviews"
    requested: str = "texts"
    fit: tuple[tuple[str, Any], ...] = ()


CLASSIFIERS = {
    "ngrams": Made("fast", ["features.words=2", "features.characters=[2, 3]"]),
    "network": Made("bilstm", ["features.maxlen=8", "model.embedding=4", "model.memory=3", "training.epochs=3"]),
}
KINDS = {
    "linear-svm": Made("linear-svm", ["model.C=2.5"]),
    "logistic-regression": Made("logistic-regression", ["model.C=3"], "topics"),
    "naive-bayes": Made("naive-bayes", []),
    "complement-nb": Made("complement-nb", ["protocol.calibration=none"], "topics"),
    "decision-tree": Made("decision-tree", ["model.max_depth=4"], "numbered"),
    "random-forest": Made("random-forest", ["model.n_trees=5"], "topics"),
    "fast-multiclass": Made("fast", ["model.C_grid=[0.5, 2.0]"], "topics"),
    "fast-multilabel": Made("fast", ["features.characters=[1, 2]"], "several"),
    "fast-true-false": Made("fast", ["features.characters=none"], "true-false", fit=(("class_weight", "balanced"),)),
    "multihot-dense": Made("multihot-dense", ["features.num_words=60", "protocol.validation=0.25", *EPOCHS]),
    "newswire-dense": Made(
        "newswire-dense",
        ["features.num_words=60", "features.stop_words=true", "protocol.validation=none", "model.units=6", *EPOCHS],
        "topics",
    ),
    "embedding-average": Made("embedding-average", [*TINY, *EPOCHS, "model.masked=true"], "several"),
    "cnn": Made("cnn", [*TINY, *EPOCHS, "model.filters=5", "model.units=4"], "topics"),
    "gru": Made("gru", [*TINY, *EPOCHS, "model.memory=3", "model.units=4"]),
    "lstm-masked": Made("lstm-masked", [*TINY, *EPOCHS, "protocol.refit=2", "model.memory=3", "model.units=4"]),
    "ids": Made("lstm", [*TINY, *EPOCHS, "protocol.refit=2", "model.memory=3", "model.units=4"], "ids", "ids"),
}
DECIDING = {
    "abstaining": Made("fast", ["features.words=2"], "many-topics"),
    "labels": Made("fast", ["features.characters=[1, 2]"], "many-several"),
}
IDS = [[1, 14, 22, 16, 43], [1, 5, 25, 10, 5], [1, 14, 43, 8, 16], [1, 5, 9, 25, 7, 30, 31, 32, 33], [1], [1, 2, 14]]
ASKED_IDS: list[list[int]] = [[], [1], [1, 14, 22], [1, 5, 25, 59], [1, *range(4, 20)]]


def rows_of(name: str) -> tuple[list[Any], list[Any]]:
    """Return texts, or ids, and labels."""
    if name == "ids":
        return 2 * IDS, 2 * [1, 0, 1, 0, 0, 1]
    if name in ("reviews", "numbered", "true-false"):
        pairs = [(text, group) for group, texts in ROWS.items() for text in texts]
        labels = {"praise": "praise", "blame": "blame"}
        labels = labels if name == "reviews" else {"praise": 7, "blame": -1} if name == "numbered" else labels
        if name == "true-false":
            return [text for text, _ in pairs] + ["A joy"], [group == "praise" for _, group in pairs] + [True]
        return [text for text, _ in pairs], [labels[group] for _, group in pairs]
    endings = ENDINGS if name.startswith("many") else ("", " again", "?")
    pairs = [(f"{text}{end}", group) for end in endings for group in TOPICS for text in TOPICS[group]]
    if name.startswith("many"):  # texts of two topics, about which a model is unsure
        for groups in combinations(TOPICS, 2):
            two_topics = product(*(TOPICS[group] for group in groups))
            pairs += [("; ".join(texts), groups[n % 2]) for n, texts in enumerate(two_topics)]
    if name.endswith("topics"):
        return [text for text, _ in pairs], [group for _, group in pairs]
    sets = [[group, *(["dull"] if "dull" in text else [])] if "What" not in text else [] for text, group in pairs]
    return [text for text, _ in pairs], sets


def expected_of(clf: TextClassifier, requested: list[Any]) -> dict[str, Any]:
    """Return what a classifier says, as JSON knows it; floats in JSON come back to the last bit."""
    found = {
        "texts": requested,
        "task": clf.task_,
        "classes": clf.classes_.tolist(),
        "threshold": np.asarray(clf.threshold_).tolist(),
        "positive": clf.positive_,
        "n_features": clf.n_features_,
        "proba": clf.predict_proba(requested).tolist(),
        "decision_function": clf.decision_function(requested).tolist(),
        "predict": clf.predict(requested).tolist(),
    }
    if isinstance(requested[0], str):
        said = explain_text(clf, requested[1])
        found["explanation"] = {
            "class": said.class_name,
            "scale": said.scale,
            "intercept": said.intercept,
            "score": said.score,
            "contributions": [[part.name, part.value] for part in said.contributions],
            "words": [list(word) for word in said.words()],
        }
    if clf.held_out_ is not None:
        found["decisions"] = decisions_of(clf, requested)
    if clf.novelty_ is not None:
        found["novelty"] = clf.novelty_p_values(requested).tolist()
    return found


def decisions_of(clf: TextClassifier, requested: list[str]) -> list[dict[str, Any]]:
    """Return where a classifier abstains, and its prediction sets, at each level."""
    return [
        {
            "level": level,
            "by_class": by_class,
            "abstention_threshold": np.asarray(clf.abstention_threshold(level, by_class=by_class)).tolist(),
            "selective": clf.predict_selective(requested, accuracy=level, by_class=by_class).tolist(),
            "set_threshold": np.asarray(clf.set_threshold(level, by_class=by_class)).tolist(),
            "sets": clf.predict_sets(requested, level, by_class=by_class).tolist(),
        }
        for level in LEVELS
        for by_class in (False, True)
    ]


def main() -> None:
    if sys.argv[1:] == ["--kinds"]:
        sys.exit(print(*KINDS))
    made, folder = (CLASSIFIERS | KINDS | DECIDING)[sys.argv[1]], Path(sys.argv[2])
    if folder.exists():
        sys.exit(f"{folder} exists: a golden bundle is made once.")
    rows, labels = rows_of(made.rows)
    options = dict(made.fit)
    clf = TextClassifier(made.recipe, settings=made.settings, **options).fit(rows, labels)
    clf.save(folder / "model", facts={"made_by": "tests/golden/make_bundle.py"})
    requested: list[Any] = ASKED if made.rows == "reviews" else ASKED_OF_TOPICS
    requested = requested + (ASKED_OF_MANY if made.rows.startswith("many") else [])
    expected = expected_of(clf, ASKED_IDS if made.requested == "ids" else requested)
    content = json.dumps(expected, ensure_ascii=False, indent=1) + "\n"
    (folder / "expected.json").write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
