"""What README.md and docs/ say is there: files behind links, commands and their options, Python that runs."""

import os
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
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
    program = Path(sys.executable).with_name("tagline")
    env = os.environ | {"COLUMNS": "200"}  # else long options are cut
    done = subprocess.run([program, *command, "--help"], capture_output=True, text=True, check=False, env=env)
    return done.stdout if done.returncode == 0 else None


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
@pytest.mark.parametrize("page", [page for page in WITH_EXAMPLES if blocks(page, "python")], ids=identify)
def test_python_examples_run(page: Path, tmp_path: Path) -> None:
    """All of a page's ``python`` blocks, one after the other, in a folder that holds `reviews.csv`."""
    (tmp_path / "reviews.csv").write_text(REVIEWS_CSV, encoding="utf-8")
    program = "\n".join(blocks(page, "python"))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_no_placeholder_is_left() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    assert not [page.name for page in pages if re.search(r"@[A-Z]+@", page.read_text(encoding="utf-8"))]
