"""The description of the service as a page for people, without a script and without anything from elsewhere."""

from html import escape
from typing import Any


def documentation_page(description: dict[str, Any]) -> str:
    """Return an OpenAPI description as HTML."""
    parts = [
        "<!doctype html><html lang=en><head><meta charset=utf-8><title>tagline: the HTTP service</title>"
        "<meta name=viewport content='width=device-width, initial-scale=1'>"
        "<link rel=stylesheet href=/static/style.css></head><body><main>",
        f"<h1>{escape(description['info']['title'])} {escape(description['info']['version'])}</h1>",
        "<p>For programs: <a href=/openapi.json>openapi.json</a>. <a href=/>The page</a>.</p>",
    ]
    for path, methods in description["paths"].items():
        for method, about in methods.items():
            parts.append(f"<h2><code>{method.upper()} {escape(path)}</code></h2>")
            parts.append(f"<p>{escape(about.get('description') or about.get('summary', ''))}</p>")
    parts.append("</main></body></html>")
    return "".join(parts)
