"""The page's own scripts in V8, the engine of Chromium, so that Python can ask them what the page will say."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.errors import MissingExtraError

_ASKED = """
const page = {
  tokenize: (texts) => texts.map((text) => taglineModel.tokenize(text, page.model.characters).values),
  classify: (texts) => texts.map((text) => {
    const { prediction, probabilities } = taglineModel.classify(text, page.model);
    return [prediction, probabilities];
  }),
  explain: (text, className) => taglineModel.explain(text, className, page.model),
};
"""
_CHARACTERS_TOGETHER = 500_000


@dataclass(frozen=True)
class Answers:
    """``labels`` (n_texts,), lists where there may be several; ``proba`` (n_texts, n_classes)."""

    labels: list[Any]
    proba: NDArray[np.float64]


def require_v8() -> None:
    """Raise `MissingExtraError` if there is no V8 to replay texts in."""
    if find_spec("py_mini_racer") is None:
        raise MissingExtraError("Exporting a page, which is first tried in a browser's engine,", "page")


class V8:
    """A page's scripts and its uncompressed payload, running.

    Raises:
        MissingExtraError: mini-racer is not installed.

    """

    def __init__(self, script: str, payload: bytes) -> None:
        require_v8()
        from py_mini_racer import MiniRacer

        self._engine = MiniRacer()
        self._engine.eval(script + _ASKED)
        self._engine.eval(f"const memory = new ArrayBuffer({len(payload)})")
        memory: Any = self._engine.eval("memory")
        memory[:] = payload
        self._engine.eval("page.model = taglineModel.openModel(new Uint8Array(memory)); null")

    def _ask(self, function: str, *arguments: Any) -> Any:
        # JSON both ways: so any text comes through whole, NUL and all.
        given = ", ".join(json.dumps(json.dumps(argument)) for argument in arguments)
        parsed = f"[{given}].map((given) => JSON.parse(given))"
        return json.loads(str(self._engine.eval(f"JSON.stringify(page.{function}(...{parsed}))")))

    def tokenize(self, texts: Sequence[str]) -> list[list[str]]:
        """Return the tokens of each text."""
        return [tokens for part in _parts(texts) for tokens in self._ask("tokenize", part)]

    def classify(self, texts: Sequence[str]) -> Answers:
        """Return labels and probabilities."""
        answers = [answer for part in _parts(texts) for answer in self._ask("classify", part)]
        return Answers([label for label, _ in answers], np.array([proba for _, proba in answers], dtype=np.float64))

    def explain(self, text: str, class_name: str | None = None) -> dict[str, Any]:
        """Return an explanation as the page's interface has it."""
        explanation: dict[str, Any] = self._ask("explain", text, class_name)
        return explanation


def _parts(texts: Sequence[str]) -> Iterator[list[str]]:
    """Cut texts into lists that the engine takes in one go."""
    part: list[str] = []
    size = 0
    for text in texts:
        if part and size + len(text) > _CHARACTERS_TOGETHER:
            yield part
            part, size = [], 0
        part.append(text)
        size += len(text)
    if part:
        yield part
