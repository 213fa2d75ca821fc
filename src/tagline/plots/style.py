"""How plots look and how they are saved.

Never pyplot: it is slow to import and keeps every figure. Layouts are computed from known sizes instead of
being solved by matplotlib, which would take longer than drawing.
"""

import io
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager

from tagline.metrics.formatting import display_name, text_width
from tagline.plots.colours import FAINT, INK, PAPER, QUIET
from tagline.storage.atomic import write_file

FIFTHS = (0, 0.2, 0.4, 0.6, 0.8, 1)  # ticks of an axis from 0 to 1: matplotlib would also make those outside of it
_CHARACTER = 0.07  # inches at 8 points; Cyrillic takes the most
_PNG_DPI = 110
_PNG_COMPRESSION = 3  # of 9: half the time of the usual 6, for files 15 % larger
_CJK_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",  # one file holds all of them, and matplotlib may know it by this name only
    "Noto Sans SC",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Droid Sans Fallback",
    "PingFang SC",
    "Hiragino Sans GB",
    "Microsoft YaHei",
    "SimHei",
    "Malgun Gothic",
)
_STYLE: Any = {
    # Verdana has the widths of DejaVu Sans, by which the layout is made, where a reader lacks the latter.
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
    "font.size": 9.0,
    "text.color": INK,
    "text.parse_math": False,  # a class may be named `$5$`
    "text.usetex": False,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.labelsize": 9.0,
    "axes.linewidth": 0.7,
    "axes.facecolor": PAPER,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10.0,
    "axes.titleweight": "bold",
    "axes.titlepad": 9.0,
    "axes.titley": 1.0,  # else matplotlib computes it from all that is drawn above the axes, once per drawing
    "axes.unicode_minus": False,
    "figure.facecolor": PAPER,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 8.0,
    "lines.solid_capstyle": "round",
    "svg.fonttype": "none",
    "svg.hashsalt": "tagline",
}


def _fallback_fonts() -> list[str]:
    """Return those of the fonts for Chinese, Japanese and Korean that are installed; DejaVu Sans lacks them."""
    installed = {font.name for font in fontManager.ttflist}
    return [name for name in _CJK_FONTS if name in installed]


class Plot(Figure):
    """A figure that a notebook shows as SVG, although pyplot, whose figures notebooks know, is never imported."""

    def _repr_svg_(self) -> str:
        return svg_bytes(self).decode()


@contextmanager
def style() -> Iterator[None]:
    """Draw in tagline's style, whatever the user's matplotlib is set to."""
    with mpl.rc_context(_STYLE | {"font.family": ["sans-serif", *_fallback_fonts()]}), warnings.catch_warnings():
        # A class name in a script that no font found here holds: the PNG shows boxes, the SVG is right.
        warnings.filterwarnings("ignore", message=".*[Gg]lyph")
        yield


def label(name: str, longest: int = 28) -> str:
    """Return a class name that fits beside an axis and holds nothing that breaks an SVG."""
    return display_name(name, longest)


def room_for_names(names: Iterable[str], size: float) -> float:
    """Return the inches that the longest of some names beside an axis takes in a font of ``size`` points."""
    return max(map(text_width, names), default=0.0) * _CHARACTER * size / 8


def readable_on(background: tuple[float, float, float]) -> str:
    """Return black or white, whichever stands out more from an sRGB colour: by 4.5 to 1 at least.

    Source: contrast ratio and relative luminance of WCAG 2.2; the two are equal at a luminance of 0.179.
    """
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in background]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if luminance > 0.179 else "#ffffff"


def axes_in_inches(
    width: float, height: float, *, left: float, bottom: float, right: float = 0.15, top: float = 0.42
) -> tuple[Figure, Axes]:
    """Return a figure with one pair of axes of ``width`` by ``height`` inches and margins around it."""
    figure, axes = axes_side_by_side(1, width, height, left=left, bottom=bottom, right=right, top=top)
    return figure, axes[0]


def axes_side_by_side(
    n: int, width: float, height: float, *, left: float, bottom: float, right: float = 0.15, top: float = 0.42
) -> tuple[Figure, list[Axes]]:
    """Return a figure with ``n`` pairs of axes of ``width`` by ``height`` inches and margins around each."""
    one_width, full_height = left + width + right, bottom + height + top
    figure = Plot(figsize=(n * one_width, full_height))
    share = (width / (n * one_width), height / full_height)
    lefts = [(k * one_width + left) / (n * one_width) for k in range(n)]
    return figure, [figure.add_axes((x, bottom / full_height, *share)) for x in lefts]


def title_and_legend_from_the_left(axes: Axes, title: str, *, n_columns: int) -> None:
    """Write the title and the legend above axes beside which names stand, from the left edge of the figure.

    From the axes they would run out of the figure, on the right.
    """
    edge = (0.1 * axes.figure.dpi - axes.bbox.x0) / axes.bbox.width
    axes.set_title(title, pad=24, x=edge)
    axes.legend(
        loc="lower left", bbox_to_anchor=(edge, 1.0), ncols=n_columns, borderaxespad=0.2, borderpad=0, handlelength=1.2
    )


def unit_square(axes: Axes) -> None:
    """Scale both axes from 0 to 1."""
    axes.grid(color=FAINT, linewidth=0.6)
    axes.set_xticks(FIFTHS)
    axes.set_yticks(FIFTHS)
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_axisbelow(True)


def save(figure: Figure, folder: Path, name: str) -> dict[str, str]:
    """Write ``name.svg`` and ``name.png`` and return their file names by format."""
    save_svg(figure, folder / f"{name}.svg")
    save_png(figure, folder / f"{name}.png")
    return {"svg": f"{name}.svg", "png": f"{name}.png"}


def save_svg(figure: Figure, path: Path) -> None:
    """Write a figure as SVG."""
    write_file(path, svg_bytes(figure))


def save_png(figure: Figure, path: Path) -> None:
    """Write a figure as PNG; its resolution changes."""
    png = io.BytesIO()
    with style():
        figure.set_dpi(_PNG_DPI)
        canvas: Any = FigureCanvasAgg(figure)
        canvas.print_png(png, metadata={"Software": None}, pil_kwargs={"compress_level": _PNG_COMPRESSION})
    write_file(path, png.getvalue())


def svg_bytes(figure: Figure) -> bytes:
    """Return a figure as SVG, the same bytes for the same figure."""
    svg = io.BytesIO()
    with style():
        canvas: Any = FigureCanvasSVG(figure)
        canvas.print_svg(svg, metadata={"Date": None})
    return svg.getvalue()
