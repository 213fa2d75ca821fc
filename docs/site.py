"""What `make site` adds to the pages in docs/: pages and files outside it, and the reference of the command line.

MkDocs calls ``on_files`` and ``on_page_markdown`` (its hooks). Links in the pages are those of the repository, so that
they work there too; a link to a file that is no page leads to a page with its content.
"""

import json
import re
from base64 import b64encode
from functools import partial
from pathlib import Path
from posixpath import join, normpath, relpath
from typing import Any

import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from typer.cli import get_docs_for_click

from tagline.cli.app import app

ROOT = Path(__file__).parents[1]
HOME, ICON = "index.md", "icon.svg"
_FILES = "files/"  # the folder of pages that show files
# Pages outside docs/, and where they are in the site.
_OUTSIDE = ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "benchmarks/RESULTS.md")
PAGES = {name: name for name in _OUTSIDE} | {"README.md": HOME}
_LINK = re.compile(r"\]\((?![a-z]+:|#)(?P<target>[^)#\s]+)(?P<anchor>#[^)\s]*)?\)")
_LANGUAGES = {".py": "python", ".toml": "toml", ".yaml": "yaml", ".yml": "yaml", ".md": "markdown"}


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages that are not in docs/."""
    for source, page in PAGES.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text(encoding="utf-8")))
    for source in _linked_files(files):
        files.append(File.generated(config, _page_of_file(source), content=_show(source)))
    icon = (ROOT / "src/tagline/web/static/icon.svg").read_bytes()
    files.append(File.generated(config, ICON, content=icon))
    command = typer.main.get_command(app)
    context = typer.Context(command, info_name="tagline")
    commands = get_docs_for_click(obj=command, ctx=context, name="tagline", title="Commands")
    files.append(File.generated(config, "reference/command-line.md", content=commands))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: object) -> str:
    """Turn the links of the repository into links of the site."""
    return _LINK.sub(partial(_link, page.file.src_uri), markdown)


def _source(page: str) -> str:
    """Return the path of a page in the repository."""
    if page.startswith(_FILES):
        return page.removeprefix(_FILES).removesuffix(".md")
    return next((source for source, target in PAGES.items() if target == page), f"docs/{page}")


def _target(page: str, target: str) -> str:
    """Return the path in the repository to which a link of a page leads."""
    return normpath(join(_source(page), "..", target))


def _linked_files(files: Files) -> list[str]:
    """Return the files and folders that pages link to and that are no part of the site."""
    pages = [file for file in files if file.is_documentation_page()]
    targets = {_target(file.src_uri, link["target"]) for file in pages for link in _LINK.finditer(file.content_string)}
    return sorted(target for target in targets if target not in PAGES and not target.startswith("docs/"))


def _page_of_file(source: str) -> str:
    return f"{_FILES}{source}.md"


def _show(source: str) -> str:
    """Return a page with the content of a file, or of the files of a folder."""
    path = ROOT / source
    if path.suffix == ".ipynb":
        return _show_notebook(json.loads(path.read_text(encoding="utf-8")))
    shown = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    parts = [f"# {source}\n"]
    for file in shown:
        title = f"## {file.relative_to(path)}\n\n" if path.is_dir() else ""
        parts.append(f"{title}````{_LANGUAGES.get(file.suffix, '')}\n{file.read_text(encoding='utf-8')}````\n")
    return "\n".join(parts)


def _show_notebook(notebook: dict[str, Any]) -> str:
    """Return a page with the cells of a notebook and their outputs."""
    parts = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        parts.append(f"````python\n{source}\n````")
        for output in cell["outputs"]:
            data = {kind: "".join(lines) for kind, lines in output.get("data", {}).items()}
            if output["output_type"] == "stream":
                parts.append(f"````text\n{''.join(output['text'])}````")
            elif "text/html" in data:
                parts.append(data["text/html"])
            elif "image/svg+xml" in data:
                picture = b64encode(data["image/svg+xml"].encode()).decode()
                parts.append(f'<img alt="Plot" src="data:image/svg+xml;base64,{picture}">')
            else:
                parts.append(f"````text\n{data['text/plain']}\n````")
    return "\n\n".join(parts) + "\n"


def _link(page: str, link: re.Match[str]) -> str:
    target = _target(page, link["target"])
    if target in PAGES:
        there = PAGES[target]
    elif target.startswith("docs/"):
        there = target.removeprefix("docs/")
    else:
        there = _page_of_file(target)
    return f"]({relpath(there, normpath(join(page, '..')))}{link['anchor'] or ''})"
