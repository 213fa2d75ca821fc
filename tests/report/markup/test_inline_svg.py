"""Plots within a page: as matplotlib drew them, in the colours of the page, and harmless."""

import re

import pytest
from matplotlib.figure import Figure

from tagline.plots.colours import BLUE, INK, PAPER
from tagline.plots.style import style, svg_bytes
from tagline.report.markup.inline_svg import inline_svg
from tests.report.pages import Page


def drawn() -> str:
    with style():
        figure = Figure(figsize=(2, 1), facecolor=PAPER)
        axes = figure.add_axes((0.2, 0.2, 0.7, 0.7))
        axes.plot([0, 1, 2], [0, 5, 1], color=BLUE, marker="o")
        axes.set(ylim=(0, 2), xlabel="a < b & c")
        axes.title.set(text="title", color=INK)
    return svg_bytes(figure).decode()


def test_what_matplotlib_draws_is_kept() -> None:
    source = drawn()
    svg = inline_svg(source, "one")
    assert (svg.width, svg.height, svg.view_box) == (192, 96, "0 0 144 72")
    page = Page(f"<svg>{svg.content}</svg>")
    for tag in ("text", "use", "path"):
        assert len(page.all(tag)) == len(re.findall(rf"<{tag}\b", source)), tag
    assert "a < b & c" in page.words("top")
    assert "#" not in svg.content.replace('href="#one-', "")
    assert {"var(--blue)", "var(--ink)", "var(--card)"} <= set(re.findall(r"var\([a-z-]+\)", svg.content))


def test_a_clipped_line_stays_within_its_axes() -> None:
    content = inline_svg(drawn(), "one").content
    [clip] = set(re.findall(r"<svg [^>]*>", content))
    assert "url(" not in content
    x, y, width, height = (float(re.search(rf' {side}="([\d.]+)"', clip)[1]) for side in ("x", "y", "width", "height"))
    assert (x, y, width, height) == pytest.approx((28.8, 7.2, 100.8, 50.4))


def test_ids_of_several_plots_differ() -> None:
    contents = [inline_svg(drawn(), prefix).content for prefix in ("one", "two")]
    ids = [set(re.findall(r' id="([^"]+)"', content)) for content in contents]
    links = [set(re.findall(r' href="#([^"]+)"', content)) for content in contents]
    assert ids == links
    assert ids[0]
    assert not ids[0] & ids[1]


def test_nothing_in_a_file_acts_on_the_page() -> None:
    hostile = (
        '<svg viewBox="0 0 1 1" onload="alert(1)"><script>alert(1)</script><style>p{display:none}</style>'
        '<foreignObject><p onclick="x()">no</p></foreignObject><image href="data:image/png;base64,AA"/>'
        '<a href="https://a.example"><text>no</text></a><use href="https://a.example/b.svg#c"/>'
        '<path d="M0 0" onclick="x()" style="fill: url(https://a.example); position: fixed; stroke: #0072b2"/>'
        '<animate attributeName="href"/><text>a<tspan>b</tspan>&lt;b&gt;\u202e</text></svg><p>after</p>'
    )
    svg = inline_svg(hostile, "p")
    assert svg.content == (
        '<use></use><path d="M0 0" style="stroke:var(--blue)"></path><text>a<tspan>b</tspan>&lt;b&gt;\ufffd</text>'
    )


def test_a_damaged_file_gives_whole_elements() -> None:
    for source in ("", "no picture", '<svg><g><text>a</g></text><path d="M', "<svg/>", '<svg viewBox="0 0 1 1"><g>'):
        Page(f"<svg>{inline_svg(source, 'p').content}</svg>")
