"""Small labelled data, made as it is needed."""

import csv
import random

GOOD = ["good", "great", "wonderful", "superb", "moving", "brilliant"]
BAD = ["bad", "dull", "terrible", "boring", "awful", "weak"]
OTHER = ["the", "film", "plot", "actor", "scene", "music", "story", "with", "and", "of"]


def write_reviews(path, n=240, seed=0, mark=""):
    rng = random.Random(seed)
    signs = [i % 2 == 0 for i in range(n)]
    rng.shuffle(signs)
    with path.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["id", "review", "stars"])
        for i in range(n):
            good = signs[i]
            ours, theirs = (GOOD, BAD) if good else (BAD, GOOD)
            words = [rng.choice(OTHER) for _ in range(10)]
            words += [rng.choice(ours if rng.random() < 0.7 else theirs) for _ in range(2)]
            rng.shuffle(words)
            rows.writerow([i, f"{mark}{' '.join(words)} no{i}", "pos" if good else "neg"])
    return path


TOPICS = {"sport": "goal", "money": "bank", "art": "paint"}


def write_topics(path, n=30):
    rows = [f"{word} number {i} here,{topic}" for i in range(n) for topic, word in TOPICS.items()]
    path.write_text("text,label\n" + "\n".join(rows) + "\n")
    return path


def names(folder):
    """Return the names of all that stands in a folder, hidden files included."""
    return sorted(path.name for path in folder.iterdir())
