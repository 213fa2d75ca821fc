"""What objects show of themselves in a notebook: HTML that fits light and dark themes, every value escaped.

Colours are those of the notebook's text, in part transparent, so that no theme needs to be known. GitHub drops styles;
the markup reads well without them.
"""

import re
from collections.abc import Iterable, Sequence
from html import escape

_STYLE = """
.tagline{max-width:46rem;margin:.2rem 0;padding:.7rem 1rem .8rem;border:1px solid rgba(128,128,128,.35);
border-radius:8px;font-size:13px;line-height:1.5;color:inherit}
.tagline .head{font-size:15px;margin:0 0 .4rem}
.tagline .quiet{opacity:.72}
.tagline p{margin:.4rem 0}
.tagline ul{margin:.4rem 0;padding-left:1.2rem}
.tagline .scroll{overflow-x:auto}
.tagline table{border-collapse:collapse;border:0;margin:.5rem 0;color:inherit;background:none;font-size:13px}
.tagline table tr{background:none}
.tagline table th,.tagline table td{text-align:right;padding:.15rem .9rem .15rem 0;border:0;
border-bottom:1px solid rgba(128,128,128,.25);vertical-align:top;white-space:nowrap;color:inherit}
.tagline table .text{text-align:left;white-space:normal;overflow-wrap:break-word}
.tagline table th.text{min-width:5.5em}
.tagline pre{margin:.5rem 0;padding:0;background:none;color:inherit;font-size:12px;line-height:1.25;overflow-x:auto}
.tagline table thead th{opacity:.72;font-weight:normal}
.tagline table tbody th{font-weight:600}
.tagline blockquote{margin:.5rem 0;padding:0;border:0;color:inherit;white-space:pre-wrap;overflow-wrap:anywhere}
.tagline mark{color:inherit;border-radius:3px;padding:0 1px}
.tagline .bar{display:inline-block;height:.7em;border-radius:2px;min-width:1px}
.tagline summary{cursor:pointer}
"""
FOR, AGAINST = "86,156,240", "240,140,40"  # red, green and blue: evidence for a class and against it
_FAINTEST, _STRONGEST = 0.12, 0.55  # opacities
_BAR = 120  # pixels, at most


def text(value: object, longest: int = 200) -> str:
    """Return a value as HTML, cut to ``longest`` characters; the direction of its script ends with it."""
    shown = str(value).encode("utf-8", "replace").decode()
    if len(shown) > longest:
        shown = shown[: longest - 1].rstrip() + "…"
    return f"<bdi>{escape(shown)}</bdi>"


def sentence(value: str) -> str:
    """Return a sentence as HTML, what stands in backticks as code."""
    return re.sub("`([^`]*)`", r"<code>\1</code>", text(value, 500))


def number(value: float) -> str:
    """Return a contribution with its sign and three decimals, or one digit if it is smaller.

    >>> number(1.0), number(-0.00002)
    ('+1.000', '-2e-05')
    """
    return f"{value:+.3f}" if abs(value) >= 0.0005 or not value else f"{value:+.1g}"


def card(head: str, *parts: str) -> str:
    """Return HTML parts below a headline, in a frame."""
    return f'<div class="tagline"><style>{_STYLE}</style><div class="head">{head}</div>{"".join(parts)}</div>'


def paragraph(html: str, *, quiet: bool = False) -> str:
    """Return a paragraph; ``quiet`` for explanations."""
    return f'<p class="quiet">{html}</p>' if quiet else f"<p>{html}</p>"


def items(html: Iterable[str]) -> str:
    """Return a list, or nothing if it is empty."""
    points = "".join(f"<li>{one}</li>" for one in html)
    return f"<ul>{points}</ul>" if points else ""


def details(summary: str, html: str) -> str:
    """Return what opens when its summary is clicked."""
    return f"<details><summary>{summary}</summary>{html}</details>"


def plain(value: str) -> str:
    """Return lines of text as they are."""
    return f"<pre>{_plain(value)}</pre>"


def table(rows: Iterable[Sequence[str]], header: Sequence[str] = (), texts: Sequence[int] = (0,)) -> str:
    """Return rows of HTML cells as a table, the first cell of each as its heading; ``texts`` are aligned left."""

    def cell(tag: str, column: int, html: str, scope: str = "") -> str:
        kind = ' class="text"' if column in texts else ""
        return f"<{tag}{scope}{kind}>{html}</{tag}>"

    head = "".join(cell("th", column, html, ' scope="col"') for column, html in enumerate(header))
    body = "".join(
        "<tr>"
        + "".join(
            cell("td" if column else "th", column, html, "" if column else ' scope="row"')
            for column, html in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    thead = f"<thead><tr>{head}</tr></thead>" if head else ""
    return f'<div class="scroll"><table>{thead}<tbody>{body}</tbody></table></div>'


def bar(value: float, largest: float) -> str:
    """Return a bar for a contribution, relative to the largest."""
    width = round(_BAR * abs(value) / largest) if largest else 0
    colour = FOR if value > 0 else AGAINST
    return f'<span class="bar" style="width:{width}px;background:rgba({colour},.8)"></span>'


def marked(whole: str, words: Iterable[tuple[int, int, float]], weakest: float = 0.1) -> str:
    """Return a text with its words marked by their contributions.

    ``words`` are (start, end, contribution) in order; those below the share ``weakest`` of the strongest stay plain.
    """
    given = list(words)
    strongest = max((abs(value) for _, _, value in given), default=0.0)
    parts, position = [], 0
    for start, end, value in given:
        if start < position or abs(value) <= weakest * strongest:
            continue
        opacity = _FAINTEST + (_STRONGEST - _FAINTEST) * abs(value) / strongest
        colour, line = (FOR, "solid") if value > 0 else (AGAINST, "dotted")
        style = f"background:rgba({colour},{opacity:.2f});border-bottom:2px {line} rgba({colour},.9)"
        parts.append(_plain(whole[position:start]))
        parts.append(f'<mark title="{value:+.4f}" style="{style}">{_plain(whole[start:end])}</mark>')
        position = end
    return f'<blockquote dir="auto">{"".join(parts)}{_plain(whole[position:])}</blockquote>'


def _plain(value: str) -> str:
    return escape(value.encode("utf-8", "replace").decode())
