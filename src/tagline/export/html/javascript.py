"""Runs the scripts of a page in V8, the engine of Chromium, to verify what the page will show."""

import json
import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from tagline.errors import InputError, MissingExtraError
from tagline.export.verification import Predictions

_CALLS = """
const page = {
  tokenize: (texts) => texts.map((text) => taglineModel.tokenize(text, page.model.characters).values),
  classify: (texts) => texts.map((text) => {
    const { prediction, probabilities } = taglineModel.classify(text, page.model);
    return [prediction, probabilities];
  }),
  explain: (text, className) => taglineModel.explain(text, className, page.model),
};
"""
_MAX_CHARACTERS = 500_000


def require_v8() -> None:
    """Raise `MissingExtraError` if V8 is not installed, and `InputError` under `ulimit -v`, which crashes it."""
    if find_spec("py_mini_racer") is None:
        raise MissingExtraError("Exporting a page, which is verified in a browser's engine,", "page")
    if sys.platform != "win32":
        import resource

        if resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY:  # it reserves a terabyte
            raise InputError("Exporting a page needs `ulimit -v unlimited`: it is verified in a browser's engine.")


class V8:
    """The scripts of a page with its uncompressed payload, running in V8.

    Raises:
        InputError: the page lacks something that the model needs.
        MissingExtraError: mini-racer is not installed.

    """

    def __init__(self, script: str, payload: bytes) -> None:
        require_v8()
        from py_mini_racer import JSEvalException, MiniRacer

        self._engine = MiniRacer()
        self._engine.eval(script + _CALLS)
        self._engine.eval(f"const memory = new ArrayBuffer({len(payload)})")
        memory: Any = self._engine.eval("memory")
        memory[:] = payload
        try:
            self._engine.eval("page.model = taglineModel.openModel(new Uint8Array(memory)); null")
        except JSEvalException as error:
            reason = str(error).split("Error: ")[-1].partition("\n")[0]
            raise InputError(f"A page cannot hold this model: {reason} Export it with `--format onnx`.") from None

    def _call(self, function: str, *arguments: Any) -> Any:
        # JSON in both directions keeps any text intact, NUL included.
        given = ", ".join(json.dumps(json.dumps(argument)) for argument in arguments)
        parsed = f"[{given}].map((given) => JSON.parse(given))"
        return json.loads(str(self._engine.eval(f"JSON.stringify(page.{function}(...{parsed}))")))

    def tokenize(self, texts: Sequence[str]) -> list[list[str]]:
        """Return the tokens of each text."""
        return [tokens for part in _parts(texts) for tokens in self._call("tokenize", part)]

    def classify(self, texts: Sequence[str]) -> Predictions:
        """Return labels and probabilities."""
        answers = [answer for part in _parts(texts) for answer in self._call("classify", part)]
        proba = np.array([proba for _, proba in answers], dtype=np.float64)
        return Predictions(proba, [label for label, _ in answers])

    def explain(self, text: str, class_name: str | None = None) -> dict[str, Any]:
        """Return an explanation as the page shows it."""
        explanation: dict[str, Any] = self._call("explain", text, class_name)
        return explanation


def _parts(texts: Sequence[str]) -> Iterator[list[str]]:
    """Return the texts in lists that the engine handles in one call."""
    part: list[str] = []
    size = 0
    for text in texts:
        if part and size + len(text) > _MAX_CHARACTERS:
            yield part
            part, size = [], 0
        part.append(text)
        size += len(text)
    if part:
        yield part
