"""README.md and docs/: links lead to files, commands and options exist, Python code runs, prose is wrapped."""

import re
import shlex
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path

import pytest

from tagline.cli import main

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(f for d in ("docs", "examples", "benchmarks") for f in (ROOT / d).rglob("*.md"))])
PROSE_WIDTH = 100
LEARN = sorted((ROOT / "docs" / "learn").glob("*.md"))  # docs/execute.py runs their Python code
WITH_EXAMPLES = [
    page for page in PAGES if page.name != "architecture.md"
]  # architecture.md shows signatures, not code to run

# The examples read a file `reviews.csv`.
REVIEWS_CSV = "text,label\n" + "".join(
    f"{text} {number},{label}\n"
    for number in range(40)
    for text, label in (("a warm and wonderful film", "pos"), ("a dull and dreadful film", "neg"))
)


def identify(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, *languages: str) -> list[str]:
    """Return the fenced blocks of a page in the given languages."""
    found = re.findall(r"^```(\w*)[^\n]*\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [body for language, body in found if language in languages]


@cache
def help_of(*command: str) -> str | None:
    """Return the help of a `tagline` command, or None if there is no such command."""
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as output, redirect_stderr(StringIO()):
        patch.setenv("COLUMNS", "200")  # otherwise long options are truncated
        status = main([*command, "--help"])
    return output.getvalue() if status == 0 else None


@pytest.mark.parametrize("page", PAGES, ids=identify)
def test_links_lead_to_files(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    missing = [t for t in targets if "://" not in t and not (page.parent / t).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=identify)
def test_prose_is_wrapped_at_100_characters(page: Path) -> None:
    """Tables, code blocks, and lines that cannot be broken, such as one link or command, may be longer."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    long = [line for line in text.splitlines() if len(line) > PROSE_WIDTH and not line.startswith(("|", "#"))]
    unbreakable = re.compile(r"\s*(?:[*-] )?(?:!?\[[^\]]*\]\(\S+\)|`[^`]+`|\S+)[;.,]?\s*")
    assert not [line for line in long if not unbreakable.fullmatch(line)]


@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=identify)
def test_commands_and_options_exist(page: Path) -> None:
    lines = [
        line.removeprefix("$ ")
        for block in blocks(page, "", "sh", "bash", "console", "shell")
        for line in block.replace("\\\n", " ").splitlines()
    ]
    for line in lines:
        if not line.startswith(("tagline ", "make ")):
            continue
        words = shlex.split(re.split(r" [|>] ", line)[0], comments=True)
        if words[0] == "make":
            targets = [word for word in words[1:] if "=" not in word]
            assert all(re.search(rf"^{t}:", (ROOT / "Makefile").read_text(), re.MULTILINE) for t in targets), line
            continue
        command = [word for word in words[1:2] if not word.startswith("-")]
        help_text = help_of(*command)
        assert help_text is not None, f"there is no such command: {line}"
        options = [word.partition("=")[0] for word in words[1:] if word.startswith("--") and word != "--help"]
        assert all(option in help_text for option in options), f"no such option: {line}"


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [page for page in WITH_EXAMPLES if blocks(page, "python") and page not in LEARN], ids=identify
)
def test_python_examples_run(page: Path, tmp_path: Path) -> None:
    """Run all ``python`` blocks of a page, in order, in a folder that contains `reviews.csv`."""
    (tmp_path / "reviews.csv").write_text(REVIEWS_CSV, encoding="utf-8")
    program = "\n".join(blocks(page, "python"))
    completed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert completed.returncode == 0, completed.stderr


def execute(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run docs/execute.py with warnings as errors."""
    command = [sys.executable, "-W", "error", ROOT / "docs" / "execute.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def marks(page: Path) -> list[pytest.MarkDecorator]:
    """Return the markers of a page in docs/learn, from the requirements that it states."""
    original = "*Needs the original" in page.read_text(encoding="utf-8")
    return [pytest.mark.slow, *([pytest.mark.original_data] if original else [])]


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=marks(page), id=page.stem) for page in LEARN if blocks(page, "python")]
)
def test_learn_pages_run(page: Path) -> None:
    before = page.read_bytes()
    completed = execute("--check", page)
    assert completed.returncode == 0, completed.stderr
    assert page.read_bytes() == before


def test_learn_index_links_every_page() -> None:
    index = (ROOT / "docs" / "learn" / "README.md").read_text(encoding="utf-8")
    assert not [page.name for page in LEARN if page.name != "README.md" and f"]({page.name})" not in index]


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


def test_pages_have_no_placeholders() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    assert not [page.name for page in pages if re.search(r"@[A-Z]+@", page.read_text(encoding="utf-8"))]
