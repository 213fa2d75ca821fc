"""The page of a comparison: whole in itself, harmless, and with all that the comparison found."""

import pytest

from tagline.plots.colours import PAPER
from tagline.plots.searches.pareto import plot_pareto
from tagline.report.comparison import render_comparison, write_comparison
from tagline.report.conclusion import conclusion
from tests.report.pages import Page


def example(text=None, *, sets=False):
    label, wrong = (["neg"], ["neg", "pos"]) if sets else ("neg", "pos")
    shown = {} if text is None else {"text": text}
    return {"row": 12, "label": label, "wrong": wrong, "about": "pos", "probabilities": [0.123, 0.987]} | shown


def document(n_runs=2, *, text="a dull film", name="run", timed=True, task="binary"):
    """Return a comparison as `compare_runs` makes it."""
    figures = ["accuracy", "macro_f1", *(["micro_f1"] if task == "multilabel" else [])]
    runs = [
        {
            "letter": "ABC"[k],
            "name": f"{name}-{k}",
            "path": f"runs/{name}-{k}",
            "recipe": "fast",
            "seed": 0,
            **dict.fromkeys(figures, 0.9 + 0.01 * k),
            **{f"{figure}_ci95": [0.88 + 0.01 * k, 0.92 + 0.01 * k] for figure in figures},
            "ms_per_text": (k + 1) * 0.4 if timed else None,
            "texts_per_second": 20_000.0 if timed else None,
            "megabytes": (k + 1) * 1.5,
            "fit_seconds": 2.5,
            "dominated_by": [],
        }
        for k in range(n_runs)
    ]
    pairs = []
    for i in range(n_runs):
        for j in range(i + 1, n_runs):
            gap = 0.01 * (j - i)
            block = {"difference": gap, "difference_ci95": [gap - 0.02, gap + 0.02], "p": 0.2, "p_corrected": 0.2}
            cells = {"both_right": 1700, "only_first_right": 100, "only_second_right": 120, "both_wrong": 80}
            pairs.append(
                {"first": i, "second": j}
                | dict.fromkeys(figures, block)
                | {"mcnemar": cells | {"p": 0.2, "p_corrected": 0.2}}
                | {"agreement": 0.89, "kappa": 0.78, "smallest_difference": 0.0162}
                | {
                    "per_class": {
                        c: {"f1_difference": gap, "f1_difference_ci95": [0.001, 0.02]} for c in ("neg", "pos")
                    }
                }
                | {
                    "examples": {
                        way: [example(text, sets=task == "multilabel")] for way in ("first_right", "second_right")
                    }
                }
            )
    made = {
        "task": task,
        "classes": ["neg", "pos"],
        "rows": 2000,
        "folds": None,
        "dataset": "reviews",
        "test_looks": 7,
        "texts_shown": text is not None,
        "timed_on": 100 if timed else 0,
        "runs": runs,
        "pairs": pairs,
        "per_class": {c: {"rows": 1000, "f1": [0.9 + 0.01 * k for k in range(n_runs)]} for c in ("neg", "pos")},
    }
    return made | {"conclusion": conclusion(made)}


def test_the_page_holds_what_was_found_and_nothing_from_outside(tmp_path):
    given = document()
    html = write_comparison(tmp_path / "page.html", given).read_text(encoding="utf-8")
    page = Page(html)
    assert not page.all("script") + page.all("link")
    assert "@import" not in html
    assert "url(" not in html
    assert not page.all("img")
    assert len(page.pictures()) == 2
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert {attrs["href"].removeprefix("#") for attrs in page.all("a")} <= set(ids)
    top = page.words("top")
    for sentence in given["conclusion"]:
        assert sentence.replace("`", "") in top
    assert "A run-0 fast 90.0 % 88.0 to 92.0 0.900" in page.words("figures")
    assert "evaluated this test set 7 times" in page.words("figures")
    pairs = page.words("pairs")
    assert "A → B Accuracy +1.0 -1.0 to +3.0 McNemar p = 0.20" in pairs
    assert "A → B 1,700 100 120 80 89.0 % 0.780 1.6 points" in pairs
    assert "neg 1,000 0.900 0.910 +0.010 +0.001 to +0.020" in page.words("classes")
    differ = page.words("differ")
    assert (
        "A right, B wrong: 100 Row 12, labelled neg; B predicted pos. Probability of pos: B 98.7 %, A 12.3 %." in differ
    )
    assert "B right, A wrong: 120" in differ
    assert "a dull film" in differ
    given["pairs"][0]["examples"]["first_right"][0] |= {"file": "a.csv", "line": 1007}
    placed = Page(render_comparison(given)).words("differ")
    assert "A right, B wrong: 100 Line 1,007 of a.csv, labelled neg" in placed


@pytest.mark.parametrize(("n_runs", "task"), [(3, "binary"), (2, "multilabel"), (3, "multilabel")])
def test_several_runs_and_label_sets(n_runs, task):
    page = Page(render_comparison(document(n_runs, task=task)))
    assert page.words("pairs").count("McNemar p") == n_runs * (n_runs - 1) // 2
    assert ("corrected for 3 pairs" in page.words("pairs")) == (n_runs == 3)
    assert ("Micro F1" in page.words("figures")) == (task == "multilabel")


def test_hostile_names_and_texts_stay_text():
    hostile = "<script>alert(1)</script>\u202e\x00"
    html = render_comparison(document(text=hostile, name=hostile))
    assert not Page(html).all("script")
    assert "\u202e" not in html
    assert "\x00" not in html


def test_without_texts_and_times():
    page = Page(render_comparison(document(text=None, timed=False)))
    assert "The texts are not shown" in page.words("differ")
    assert "Speed was not measured" in page.words("figures")
    assert len(page.pictures()) == 1  # of size


def test_points_that_another_beats_are_hollow():
    figure = plot_pareto(
        ["A", "B", "C"], [0.9, 0.92, 0.89], [[0.88, 0.92], None, [0.87, 0.91]], [1, 30, 2], cost="Time, ms"
    )
    [axes] = figure.axes
    points = {
        tuple(line.get_xydata()[0]): line.get_markerfacecolor() for line in axes.lines if line.get_marker() == "o"
    }
    assert {place for place, colour in points.items() if colour == PAPER} == {(2, 0.89)}
    assert [text.get_text() for text in axes.texts] == ["A", "B", "C"]
    low, high = axes.get_xlim()
    assert all(low < x < high for x, _ in points)


def test_points_in_one_place_share_a_label():
    figure = plot_pareto(["A", "B", "C"], [0.9, 0.9, 0.8], [None] * 3, [1, 1.001, 9], cost="Time, ms")
    assert [text.get_text() for text in figure.axes[0].texts] == ["A, B", "C"]
