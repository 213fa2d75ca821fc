"""Make a golden bundle: `python tests/golden/make_bundle.py ngrams tests/golden/bundle-v1`.

One of n-grams and one of a network are made for each format version, once, and stay: tagline reads every version for
ever.
"""

import json
import sys
from pathlib import Path

from tagline import TextClassifier

ROWS = {
    "praise": [
        "A quiet masterpiece.",
        "A lovely, moving film!",
        "What a joy to watch",
        "Wonderful: I loved every minute",
    ],
    "blame": ["A dull mess of a film.", "Boring and far too long", "I didn't like it at all", "What an awful bore!"],
}
ASKED = [
    "",
    "A lovely masterpiece, I loved it",
    "boring, dull; awful…",
    "Ein Film 👍🏽 我喜欢",
    "I didn’t like it<br />at all",
]


CLASSIFIERS = {
    "ngrams": ("fast", ["features.words=2", "features.characters=[2, 3]"]),
    "network": ("bilstm", ["features.maxlen=8", "model.embedding=4", "model.memory=3", "training.epochs=3"]),
}


def main() -> None:
    (recipe, settings), folder = CLASSIFIERS[sys.argv[1]], Path(sys.argv[2])
    if folder.exists():
        sys.exit(f"{folder} exists: a golden bundle is made once.")
    texts = [text for group in ROWS.values() for text in group]
    labels = [label for label, group in ROWS.items() for _ in group]
    clf = TextClassifier(recipe, settings=settings).fit(texts, labels)
    clf.save(folder / "model", facts={"made_by": "tests/golden/make_bundle.py"})
    expected = {"texts": ASKED, "classes": clf.classes_.tolist(), "proba": clf.predict_proba(ASKED).tolist()}
    content = json.dumps(expected, ensure_ascii=False, indent=1) + "\n"
    (folder / "expected.json").write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
