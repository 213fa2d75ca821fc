"""Train on a CSV file, evaluate, save the model, load it and predict."""

import csv
import tempfile
from pathlib import Path

from tagline import TextClassifier, load_dataset, measure

folder = Path(tempfile.mkdtemp())
sample = load_dataset("movie-snippets")
with (folder / "snippets.csv").open("w", newline="", encoding="utf-8") as file:
    rows = csv.writer(file)
    rows.writerow(["text", "label"])
    rows.writerows(zip(sample.train.texts, sample.train.labels, strict=True))

data = load_dataset(folder / "snippets.csv")
clf = TextClassifier().fit(data.train.texts, data.train.labels)
index = {name: i for i, name in enumerate(clf.classes_.tolist())}
proba = clf.predict_proba(data.test.texts)
figures = measure(
    [index[label] for label in data.test.labels], proba.argmax(axis=1), proba, list(index), task=data.task
)
low, high = figures["accuracy_ci95"]
print(f"accuracy {figures['accuracy']:.3f}, 95 % interval {low:.3f} to {high:.3f}, ECE {figures['ece']:.3f}")

clf.save(folder / "model")
print(TextClassifier.load(folder / "model").predict(["A quiet masterpiece.", "Two hours I will not get back."]))
