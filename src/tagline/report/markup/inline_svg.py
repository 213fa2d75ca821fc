"""SVG files of plots as part of a page: harmless, in the colours of the page.

Only what draws is kept: elements, attributes and styles that `tagline.plots` writes, and links within the file.
Nothing can run, load, or act on the page around it.
"""

import re
from dataclasses import dataclass
from html import escape
from html.parser import HTMLParser
from pathlib import Path

from tagline.plots.colours import CSS_VARIABLES
from tagline.report.markup.excerpts import harmless

_ELEMENTS = frozenset(("g", "path", "defs", "use", "rect", "circle", "line", "polyline", "polygon", "text", "tspan"))
_PLACES = ("x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "width", "height")
_ATTRIBUTES = frozenset(("d", "points", "transform", *_PLACES))
_STYLES = re.compile(r"(?:fill|stroke|opacity|font|text-anchor)[a-z-]*")
_STYLE_VALUE = re.compile(r"[\w#.,% -]*")
_PIXELS_IN_A_POINT = 96 / 72
_Attributes = list[tuple[str, str | None]]


@dataclass(frozen=True)
class InlineSvg:
    """An SVG as a page holds it: what is within its outermost element, the ``viewBox``, and its size in CSS pixels."""

    content: str
    view_box: str
    width: int
    height: int


def inline_svg(source: str, prefix: str) -> InlineSvg:
    """Return an SVG file for a page; ``prefix`` makes its ids unique there.

    >>> svg = inline_svg('<svg viewBox="0 0 9 9" width="9pt" height="9pt"><path d="M 0 0" style="fill: #1c2430"/>', "a")
    >>> svg.content, svg.view_box, svg.width
    ('<path d="M 0 0" style="fill:var(--ink)"></path>', '0 0 9 9', 12)
    """
    cleaner = _Cleaner(prefix, _clips(source), set(re.findall(r'href="#([^"]+)"', source)))
    cleaner.feed(source)
    cleaner.close()
    return InlineSvg("".join(cleaner.parts), cleaner.view_box, *cleaner.size)


def read_svg(path: Path, prefix: str) -> InlineSvg:
    """Return an SVG file for a page, see `inline_svg`."""
    return inline_svg(path.read_text(encoding="utf-8", errors="replace"), prefix)


def _clips(source: str) -> dict[str, tuple[str, ...]]:
    """Return x, y, width and height of the clip paths of a file by id: matplotlib's are rectangles."""
    found = {}
    for name, rectangle in re.findall(r'<clipPath id="(\w+)">\s*<rect ([^>]*)>', source):
        sizes = dict(re.findall(r'(\w+)="([\d.-]+)"', rectangle))
        if set(sizes) >= {"x", "y", "width", "height"}:
            found[name] = tuple(sizes[side] for side in ("x", "y", "width", "height"))
    return found


class _Cleaner(HTMLParser):
    """Collects the permitted elements; what is within others is left out."""

    def __init__(self, prefix: str, clips: dict[str, tuple[str, ...]], linked: set[str]) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.view_box, self.size = "", (640, 480)
        self._prefix, self._clips, self._linked = prefix, clips, linked
        self._open: list[tuple[str, str]] = []  # the elements, and what ends them
        self._left_out = 0

    def handle_starttag(self, tag: str, attrs: _Attributes) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "svg" and not self._open:
            self.size = (_pixels(given.get("width", ""), 640), _pixels(given.get("height", ""), 480))
            self.view_box = _numbers(given.get("viewbox", ""))
            self._open.append((tag, ""))
            return
        if self._left_out or tag not in _ELEMENTS:
            self._left_out += 1
            self._open.append((tag, ""))
            return
        before, after = self._clip(given.get("clip-path", ""))
        kept = {name: harmless(value) for name, value in given.items() if name in _ATTRIBUTES}
        if given.get("id", "") in self._linked:
            kept["id"] = f"{self._prefix}-{given['id']}"
        link = given.get("xlink:href") or given.get("href") or ""
        if tag == "use" and link.startswith("#"):
            kept["href"] = f"#{self._prefix}-{link[1:]}"
        if style := _style(given.get("style", "")):
            kept["style"] = style
        written = "".join(f' {name}="{escape(value)}"' for name, value in kept.items())
        self.parts.append(f"{before}<{tag}{written}>")
        self._open.append((tag, f"</{tag}>{after}"))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1][0] != tag:
            return
        _, end = self._open.pop()
        if end:
            self.parts.append(end)
        elif self._left_out:
            self._left_out -= 1

    def handle_data(self, data: str) -> None:
        if self._open and not self._left_out and self._open[-1][0] in ("text", "tspan"):
            self.parts.append(escape(harmless(data)))

    def close(self) -> None:
        super().close()
        while self._open:
            self.handle_endtag(self._open[-1][0])

    def _clip(self, clip_path: str) -> tuple[str, str]:
        """Return what stands around an element that is clipped: a part of the picture, which hides what is outside."""
        found = self._clips.get(clip_path.removeprefix("url(#").removesuffix(")"))
        if found is None:
            return "", ""
        x, y, width, height = found
        place = f'x="{x}" y="{y}" width="{width}" height="{height}" viewBox="{x} {y} {width} {height}"'
        return f"<svg {place}>", "</svg>"


def _style(style: str) -> str:
    """Return the permitted declarations of a style, with the page's colours."""
    kept = []
    for declaration in style.split(";"):
        name, _, value = (part.strip() for part in declaration.replace("'", "").partition(":"))
        if _STYLES.fullmatch(name) and _STYLE_VALUE.fullmatch(value):
            variable = CSS_VARIABLES.get(value.lower())
            kept.append(f"{name}:{f'var({variable})' if variable else value}")
    return ";".join(kept)


def _pixels(length: str, default: int) -> int:
    """Return a length in points as CSS pixels."""
    found = re.fullmatch(r"([\d.]+)pt", length)
    return round(float(found[1]) * _PIXELS_IN_A_POINT) if found else default


def _numbers(text: str) -> str:
    return text if re.fullmatch(r"[\d. -]+", text) else ""
