"""Render templates and write pages atomically."""

import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from tagline.errors import InputError
from tagline.run_folder import refusing
from tagline.storage.atomic import check_file, write_file

_TEMPLATES = Path(__file__).parent / "templates"
_FIGURE = re.compile(r"[≥<>]?\s?[\d.,]+ (%|s|MB)")
_BACKTICKS = re.compile("`([^`]+)`")
_LONGEST_WORD = 16  # characters of a name, above which it breaks anywhere
_LONGEST_OPTION = 40  # characters that are not broken, at a hyphen for instance


def render_page(template: str, **values: Any) -> str:
    """Lay values out by a template; one that is missing is an error."""
    return _environment().get_template(template).render(**values)


def compile_template(template: str) -> None:
    """Compile a template, so that `render_page` need not."""
    _environment().get_template(template)


@cache
def _environment() -> Environment:
    """Return the environment of all pages: it keeps compiled templates, which take longer to compile than to fill."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_unbroken,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["prose"] = prose
    environment.filters["name"] = name
    return environment


def _unbroken(value: Any) -> Any:
    """Keep a figure and its unit on one line."""
    is_figure = isinstance(value, str) and _FIGURE.fullmatch(value)
    return value.replace(" ", "\N{NO-BREAK SPACE}") if is_figure else value


def check_page(path: Path) -> None:
    """Raise `InputError` if no page can be written at a place, before the work for it; a full disk is an `OSError`."""
    if path.is_dir():
        raise InputError(f"`{path}` cannot be written: it is a folder; name the page to write.")
    if not path.absolute().parent.is_dir():
        raise InputError(f"`{path}` cannot be written: the folder `{path.parent}` does not exist.")
    with refusing(path):
        check_file(path)


def write_page(path: Path, page: str) -> None:
    """Write a page atomically; a lone surrogate, which UTF-8 cannot encode, becomes a question mark."""
    write_file(path, page.encode(errors="replace"))


def prose(sentence: str) -> Markup:
    """Set text in backticks as code, and keep per cent signs and p-values in one piece; escape the rest."""
    whole = re.sub(r"(?<=\d) %|\bp [<=] (?=\d)", lambda found: found[0].replace(" ", "\N{NO-BREAK SPACE}"), sentence)
    return Markup(_BACKTICKS.sub(_code, str(escape(whole))))  # noqa: S704 (escaped just before)


def name(value: str) -> Markup:
    """Isolate a name, such as that of a class, which breaks after ``_`` rather than within a word.

    >>> name("card_not_<b>")
    Markup('<bdi class="whole">card_<wbr>not_<wbr>&lt;b&gt;</bdi>')
    """
    is_whole = all(len(word) <= _LONGEST_WORD for word in re.split(r"[_\s]+", value))
    parts = Markup("<wbr>").join(re.findall("[^_]*_+(?=.)|.+$", value, re.DOTALL))
    isolated = Markup('<bdi class="whole">{}</bdi>') if is_whole else Markup("<bdi>{}</bdi>")
    return isolated.format(parts)


def _code(found: re.Match[str]) -> str:
    is_option = found[1].startswith("--") and len(found[1]) <= _LONGEST_OPTION
    return f'<code class="option">{found[1]}</code>' if is_option else f"<code>{found[1]}</code>"
