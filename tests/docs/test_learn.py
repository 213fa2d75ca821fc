"""docs/execute.py, and the pages in docs/learn/ whose code it runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import tagline
from tagline.experiments import SweepSettings
from tagline.experiments.sweep import run
from tests.docs.pages import EXECUTE, LEARN, blocks, execute_module


def execute(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run docs/execute.py with warnings as errors."""
    command = [sys.executable, "-W", "error", EXECUTE, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def marks(page: Path) -> list[pytest.MarkDecorator]:
    """Return the markers of a page in docs/learn, from the requirements that it states."""
    original = "*Needs the original" in page.read_text(encoding="utf-8")
    return [pytest.mark.slow, *([pytest.mark.original_data] if original else [])]


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=marks(page), id=page.stem) for page in LEARN if blocks(page, "python")]
)
@pytest.mark.usefixtures("drawn_plots")
def test_learn_pages_run(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process: what the pages import takes longer than most of them."""
    module = execute_module()
    monkeypatch.setattr(sys, "argv", [str(EXECUTE), "--check", str(page)])
    before = page.read_bytes()
    assert module.main() == 0
    assert page.read_bytes() == before


@pytest.mark.slow
def test_pages_and_sweeps_read_fewer_rows_for_a_check(tmp_path: Path) -> None:
    with execute_module().reduced():
        data = tagline.load_dataset("movie-reviews")
        settings = SweepSettings(("naive-bayes",), grid=("model.alpha=0.1,1",), seeds=3, processes=1)
        results = run.run_sweep("movie-reviews", settings, out=tmp_path / "sweep").results
    assert data.test is not None
    assert max(len(data.train), len(data.test), results.judged) < 2000
    assert results.n_trials == 2


SMALL_PAGE = """# A page

```python
import pathlib

n = 1
print("one  ")
pathlib.Path("plots").mkdir()
pathlib.Path("plots/a.svg").write_text("<svg/>")
pathlib.Path("plots/b.svg").write_text("<svg/>")
```

```text
stale
```

![Shown](plots/a.svg)

```python
print(n + 1)
```

```python
n = 3
```

```text
no longer printed
```

After.

```text
prose, not output
```
"""


def test_execute_writes_outputs_and_plots(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(SMALL_PAGE, encoding="utf-8")
    assert execute("--check", page).returncode == 0
    assert page.read_text(encoding="utf-8") == SMALL_PAGE
    assert list(tmp_path.iterdir()) == [page]

    assert execute(page).returncode == 0
    assert blocks(page, "text") == ["one\n", "2\n", "prose, not output\n"]
    assert blocks(page, "python") == re.findall(r"^```python\n(.*?)^```", SMALL_PAGE, re.DOTALL | re.MULTILINE)
    assert [plot.name for plot in (tmp_path / "plots").iterdir()] == ["a.svg"]
    once = page.read_text(encoding="utf-8")
    assert execute(page).returncode == 0
    assert page.read_text(encoding="utf-8") == once


def test_execute_reports_failing_pages_and_leaves_them_unchanged(tmp_path: Path) -> None:
    bad, good = tmp_path / "bad.md", tmp_path / "good.md"
    bad.write_text("# Bad\n\n```python\nprint(1)\n```\n\n```python\nprint(missing)\n```\n", encoding="utf-8")
    good.write_text("```python\nprint(2)\n```\n", encoding="utf-8")
    before = bad.read_bytes()
    completed = execute(bad, good)
    assert completed.returncode == 1
    assert f'"{bad}", line 8' in completed.stderr
    assert "name 'missing' is not defined" in completed.stderr
    assert f"error: the code of `{bad}` failed." in completed.stderr
    assert bad.read_bytes() == before
    assert blocks(good, "text") == ["2\n"]
    assert execute(tmp_path / "none.md").returncode == 2
