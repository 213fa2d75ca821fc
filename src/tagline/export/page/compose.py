"""One HTML file: the user interface, the scripts, the model."""

import re
from functools import cache
from importlib.resources import files

MODEL_SCRIPTS = ("tokenizer.js", "ngrams.js", "model.js", "payload.js")
PAGE_SCRIPTS = ("csv.js", "backend-local.js")


@cache
def read_script(name: str) -> str:
    """Return one of the page's scripts."""
    return (files("tagline.export.page") / "scripts" / name).read_text("utf-8")


def model_script() -> str:
    """Return what the page runs to answer, and what the export replays."""
    return "\n".join(read_script(name) for name in MODEL_SCRIPTS)
