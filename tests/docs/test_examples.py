"""The Python examples of README.md and docs/ run."""

from pathlib import Path

import pytest

from tests.docs.pages import LEARN, WITH_EXAMPLES, blocks, identify

# The examples read a file `reviews.csv`.
REVIEWS_CSV = "text,label\n" + "".join(
    f"{text} {number},{label}\n"
    for number in range(40)
    for text, label in (("a warm and wonderful film", "pos"), ("a dull and dreadful film", "neg"))
)


def marks(page: Path) -> list[pytest.MarkDecorator]:
    """Return the markers of a page; the example of a search shows what it finds in some seconds."""
    return [pytest.mark.slow, *([pytest.mark.alone] if page.stem == "tune" else [])]


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=marks(page), id=identify(page))
        for page in WITH_EXAMPLES
        if blocks(page, "python") and page not in LEARN
    ],
)
@pytest.mark.usefixtures("drawn_plots")
def test_python_examples_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run all ``python`` blocks of a page, in order, in a folder that contains `reviews.csv`."""
    (tmp_path / "reviews.csv").write_text(REVIEWS_CSV, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    program = "\n".join(blocks(page, "python"))
    exec(compile(program, str(page), "exec"), {"__name__": "__main__"})
