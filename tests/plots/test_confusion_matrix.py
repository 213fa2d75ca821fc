"""Contents of confusion matrices; their look was checked by eye."""

import numpy as np
import pytest

from tagline.plots.confusion_matrix import plot_confusion_matrix, plot_label_counts


def luminance(colour):
    """Relative luminance by WCAG 2.2."""
    c = np.asarray(colour)
    return float(np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("n", range(10, 1001, 30))
def test_counts_stand_out_from_their_cells(n):
    axes = plot_confusion_matrix([[n, 1000 - n], [0, 1]], ["a", "b"]).axes[0]
    image = axes.images[0]
    for text in axes.texts:
        column, row = map(int, text.get_position())
        background = luminance(image.cmap(image.norm(image.get_array()[row, column]))[:3])
        ink = luminance(np.array(tuple(int(text.get_color()[i : i + 2], 16) for i in (1, 3, 5))) / 255)
        contrast = (max(ink, background) + 0.05) / (min(ink, background) + 0.05)
        assert contrast >= 4.5, text.get_text()  # level AA


def test_rows_are_counted_in_whole_numbers():
    axes = plot_label_counts([[[80, 5], [2, 14]], [[90, 1], [1, 3]]], ["a", "b"]).axes[0]
    assert all(tick == round(tick) for tick in axes.get_xticks())
