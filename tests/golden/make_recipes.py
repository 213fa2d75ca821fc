"""Say what comes of the golden recipes: `python tests/golden/make_recipes.py`, once, into `expected/recipes.json`.

A recipe that a user wrote is read for ever, and trains the classifier that it trained.
"""

import json
import sys
from pathlib import Path
from typing import Any

from make_bundle import ASKED, TOPICS

from tagline import TextClassifier, load_recipe

HERE = Path(__file__).parent
EXPECTED = HERE / "expected" / "recipes.json"


def fitted(recipe: Path) -> TextClassifier:
    """Train a recipe on a few texts on two topics."""
    pairs = [
        (f"{text}{end}", topic) for end in ("", " again", "?") for topic in ("art", "sport") for text in TOPICS[topic]
    ]
    return TextClassifier(recipe, seed=3).fit([text for text, _ in pairs], [topic for _, topic in pairs])


def made_of(recipe: Path) -> dict[str, Any]:
    """Return the tables of a recipe, and what the classifier says that it trains."""
    clf = fitted(recipe)
    chosen = {key: value for key, value in clf.chosen_.items() if isinstance(value, int | float | str | list)}
    return {"tables": load_recipe(recipe).to_json(), "chosen": chosen, "proba": clf.predict_proba(ASKED).tolist()}


def main() -> None:
    if EXPECTED.exists():
        sys.exit(f"{EXPECTED} exists: what recipes come to is written down once.")
    expected = {path.name: made_of(path) for path in sorted(HERE.glob("recipe-v1-*.toml"))}
    EXPECTED.write_text(json.dumps(expected, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
