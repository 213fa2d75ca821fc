"""Draw the plots of a run and write them: SVG and PNG files with the same bytes for the same data."""

from collections.abc import Callable, Iterable
from pathlib import Path

from tagline.plots.registry import PLOTS, PlotData
from tagline.plots.style import save_png, save_svg


def save_plots(folder: Path, data: PlotData, *, skip_existing: bool = False) -> dict[str, dict[str, str]]:
    """Draw all plots of the registry that the data allow and write each as SVG and PNG.

    Of more than 500 classes only plots of confidences are drawn, and no plot of predictions of more than 500 labels.

    Args:
        folder: Created if a plot is drawn and it does not exist.
        data: What is plotted.
        skip_existing: Draw only plots whose SVG file does not exist.

    Returns:
        File names in ``folder`` by plot and format:
        ``{"confusion_matrix": {"svg": "confusion_matrix.svg", "png": …}, "roc": …, "training_loss": …}``.

    """
    names = [name for name in plots_of(data) if not (skip_existing and (folder / f"{name}.svg").exists())]
    return {name: {"svg": f"{name}.svg", "png": f"{name}.png"} for name in save_named_plots(folder, data, names)}


def plots_of(data: PlotData) -> list[str]:
    """Return the names of the plots that are drawn from such data."""
    return [name for name, plot in PLOTS.items() if plot.applies(data)]


def save_named_plots(
    folder: Path, data: PlotData, names: Iterable[str], *, vectors_drawn: Callable[[], None] = lambda: None
) -> list[str]:
    """Draw some of the plots, as `save_plots` does, and return the names of those that the data allow.

    ``vectors_drawn`` is called when their SVG files are there, before the first PNG file, which takes longer.
    """
    figures = {}
    for name in names:
        figure = PLOTS[name].draw(data)
        if figure is not None:
            folder.mkdir(parents=True, exist_ok=True)
            save_svg(figure, folder / f"{name}.svg")
            figures[name] = figure
    vectors_drawn()
    for name, figure in figures.items():
        save_png(figure, folder / f"{name}.png")
    return list(figures)
