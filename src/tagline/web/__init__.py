"""The web page: its files, and the description of a model that it shows."""

from functools import cache
from importlib.resources import files

from tagline.web.about import about_model

__all__ = ["ASSETS", "about_model", "asset"]

#: The page's files and their media types. The offline page has another backend in place of `backend-http.js`.
ASSETS = {
    "index.html": "text/html; charset=utf-8",
    "style.css": "text/css; charset=utf-8",
    "ui.js": "text/javascript; charset=utf-8",
    "backend-http.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
_STATIC = files("tagline.web") / "static"
_UI_PARTS = (
    "elements",
    "texts",
    "tables",
    "charts",
    "explanation",
    "answering",
    "predict",
    "spreadsheet",
    "predict_file",
    "figures",
    "start",
)


@cache
def asset(name: str) -> str:
    """Return a file of the page, one of ``ASSETS``; ``ui.js`` is the concatenation of its parts in one function.

    Raises:
        KeyError: There is no such file.

    """
    if name not in ASSETS:
        raise KeyError(name)
    if name != "ui.js":
        return (_STATIC / name).read_text("utf-8")
    parts = "\n".join((_STATIC / "ui" / f"{part}.js").read_text("utf-8") for part in _UI_PARTS)
    return f'(() => {{\n"use strict";\n{parts}\n}})();\n'
