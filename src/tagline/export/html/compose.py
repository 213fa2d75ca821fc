"""Composes the HTML file: user interface, scripts, model, and a policy that forbids everything else."""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from tagline.web import asset

_MODEL_SCRIPTS = ("tokenizer.js", "ngrams.js", "novelty.js", "model.js", "payload.js")
CSV_SCRIPTS = ("records.js", "dialect.js", "decisions.js", "csv.js")
_BACKEND_SCRIPTS = ("encoding.js", *CSV_SCRIPTS, "backend-local.js")
_MODEL_TAG = '<script id="tagline-model" type="application/octet-stream">'
_SCRIPTS_TAG = '<script id="tagline-scripts">'
_END = "</script>"


@cache
def read_script(name: str) -> str:
    """Return one of the page's scripts."""
    return (files("tagline.export.html") / "scripts" / name).read_text("utf-8")


def model_script() -> str:
    """Return the script that classifies and explains, which the export verifies; it defines only `taglineModel`."""
    parts = "\n".join(read_script(name) for name in _MODEL_SCRIPTS)
    return f"const taglineModel = (() => {{\n{parts}\nreturn {{ openModel, tokenize, classify, explain }};\n}})();\n"


def _backend_script() -> str:
    parts = "\n".join(read_script(name) for name in _BACKEND_SCRIPTS)
    return f"(() => {{\n{parts}\n}})();\n"


def compose(payload: bytes, about: Mapping[str, Any]) -> str:
    """Return the page.

    ``payload`` is gzipped; ``about`` holds the facts on the model that the page shows, and how it reads CSV files.
    Style and scripts are inline, each allowed by its hash; the policy forbids any loading and connecting.
    """
    scripts = [model_script(), _backend_script(), asset("ui.js")]
    style = asset("style.css")
    for text in (*scripts, style):
        assert "</script" not in text.lower(), "a script must not end its own element"
        assert "</style" not in text.lower(), "a style must not end its own element"
    html = _without_links(asset("index.html"))
    policy = "; ".join(
        [
            "default-src 'none'",
            "connect-src 'none'",
            f"script-src {' '.join(map(_hash, scripts))}",
            f"style-src {_hash(style)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    icon = base64.b64encode(asset("icon.svg").encode()).decode()
    head = (
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f'<meta name="referrer" content="no-referrer">\n<style>{style}</style>\n'
        f'<link rel="icon" href="data:image/svg+xml;base64,{icon}">\n'
    )
    body = [
        f'<script id="tagline-about" type="application/json">{_inert_json(about)}{_END}',
        f"{_MODEL_TAG}{base64.b64encode(payload).decode()}{_END}",
        f"{_SCRIPTS_TAG}{scripts[0]}{_END}",
        *(f"<script>{script}{_END}" for script in scripts[1:]),
    ]
    # The policy comes first: it applies only to what follows.
    html = _after(html, r"<meta charset=[^>]*>", "\n" + head)
    return _before(html, "</body>", "\n".join(body) + "\n")


def model_of(html: str) -> tuple[str, bytes]:
    """Return the script of the model and the gzipped payload of a page."""
    script = html.split(_SCRIPTS_TAG, 1)[1].split(_END, 1)[0]
    return script, base64.b64decode(html.split(_MODEL_TAG, 1)[1].split(_END, 1)[0])


def _without_links(html: str) -> str:
    """Remove references to other files: style, icon and scripts are inline."""
    html = re.sub(r"[ \t]*<link\b[^>]*>\n?", "", html)
    return re.sub(r"[ \t]*<script\b[^>]*\bsrc=[^>]*></script>\n?", "", html)


def _after(html: str, pattern: str, addition: str) -> str:
    found = re.search(pattern, html)
    assert found, f"the page has no {pattern}"
    return html[: found.end()] + addition + html[found.end() :]


def _before(html: str, mark: str, addition: str) -> str:
    start, found, end = html.rpartition(mark)
    assert found, f"the page has no {mark}"
    return start + addition + found + end


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _inert_json(value: Mapping[str, Any]) -> str:
    """Return JSON that cannot end the HTML element around it."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")
