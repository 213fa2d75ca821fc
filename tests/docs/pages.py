"""The pages of the documentation, and the blocks of code in them."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(f for d in ("docs", "examples", "benchmarks") for f in (ROOT / d).rglob("*.md"))])
LEARN = sorted((ROOT / "docs" / "learn").glob("*.md"))  # docs/execute.py runs their Python code
WITH_EXAMPLES = [
    page for page in PAGES if page.name != "architecture.md"
]  # architecture.md shows signatures, not code to run


def identify(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, *languages: str) -> list[str]:
    """Return the fenced blocks of a page in the given languages."""
    found = re.findall(r"^```(\w*)[^\n]*\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [body for language, body in found if language in languages]
