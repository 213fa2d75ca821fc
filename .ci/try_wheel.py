"""What cibuildwheel runs with each wheel: import the compiled extensions, then fit and predict ten texts."""

from importlib import import_module

from tagline import TextClassifier
from tagline.compiled import COMPILED, EXTENSIONS

assert COMPILED
for name in EXTENSIONS:
    import_module("tagline." + name.replace("/", "."))
texts = [f"{word} film {number}" for number in range(5) for word in ("good", "bad")]
classifier = TextClassifier().fit(texts, ["pos", "neg"] * 5)
assert list(classifier.predict(["a good one", "a bad one"])) == ["pos", "neg"]
