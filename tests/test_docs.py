"""What README.md and docs/ say is there: files behind links, commands and their options, Python that runs."""

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
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
LEARN = sorted((ROOT / "docs" / "learn").glob("*.md"))  # their Python is run by docs/execute.py
WITH_EXAMPLES = [page for page in PAGES if page.name != "architecture.md"]  # which shows shapes, not code to run

# What examples may read: the page's reader has such a file, the tests write this one.
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
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as said, redirect_stderr(StringIO()):
        patch.setenv("COLUMNS", "200")  # else long options are cut
        status = main([*command, "--help"])
    return said.getvalue() if status == 0 else None


@pytest.mark.parametrize("page", PAGES, ids=identify)
def test_links_lead_to_files(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    missing = [t for t in targets if "://" not in t and not (page.parent / t).exists()]
    assert not missing


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
        helped = help_of(*command)
        assert helped is not None, f"there is no such command: {line}"
        options = [word.partition("=")[0] for word in words[1:] if word.startswith("--") and word != "--help"]
        assert all(option in helped for option in options), f"no such option: {line}"


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [page for page in WITH_EXAMPLES if blocks(page, "python") and page not in LEARN], ids=identify
)
def test_python_examples_run(page: Path, tmp_path: Path) -> None:
    """All of a page's ``python`` blocks, one after the other, in a folder that holds `reviews.csv`."""
    (tmp_path / "reviews.csv").write_text(REVIEWS_CSV, encoding="utf-8")
    program = "\n".join(blocks(page, "python"))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def execute(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run docs/execute.py with warnings as errors."""
    command = [sys.executable, "-W", "error", ROOT / "docs" / "execute.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def runs(page: Path) -> list[pytest.MarkDecorator]:
    """Return how a page to learn from is marked: by what it says that it needs."""
    original = "*Needs the original" in page.read_text(encoding="utf-8")
    return [pytest.mark.slow, *([pytest.mark.original_data] if original else [])]


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=runs(page), id=page.stem) for page in LEARN if blocks(page, "python")]
)
def test_pages_to_learn_from_run(page: Path) -> None:
    before = page.read_bytes()
    done = execute("--check", page)
    assert done.returncode == 0, done.stderr
    assert page.read_bytes() == before


def test_the_index_names_all_pages_to_learn_from() -> None:
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


def test_executing_a_page_writes_what_its_code_prints(tmp_path: Path) -> None:
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


def test_a_page_whose_code_fails_is_named_with_the_line_and_left_alone(tmp_path: Path) -> None:
    bad, good = tmp_path / "bad.md", tmp_path / "good.md"
    bad.write_text("# Bad\n\n```python\nprint(1)\n```\n\n```python\nprint(missing)\n```\n", encoding="utf-8")
    good.write_text("```python\nprint(2)\n```\n", encoding="utf-8")
    before = bad.read_bytes()
    done = execute(bad, good)
    assert done.returncode == 1
    assert f'"{bad}", line 8' in done.stderr
    assert "name 'missing' is not defined" in done.stderr
    assert f"error: the code of `{bad}` fails." in done.stderr
    assert bad.read_bytes() == before
    assert blocks(good, "text") == ["2\n"]
    assert execute(tmp_path / "none.md").returncode == 2


def test_no_placeholder_is_left() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    assert not [page.name for page in pages if re.search(r"@[A-Z]+@", page.read_text(encoding="utf-8"))]
