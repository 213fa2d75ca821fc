"""Run the Python of the pages in docs/learn/ and write what it prints into them: no figure there is typed by hand.

::

    python docs/execute.py                            # all pages: rewrites their outputs and plots
    python docs/execute.py docs/learn/padding.md      # one page
    python docs/execute.py --check                    # writes nothing; exits with 1 if code fails, on fewer rows

The ``python`` blocks of a page run in order in one namespace, in an empty folder. What a block prints becomes the
``text`` block that follows it; SVG files under ``plots/`` that the page shows are put beside it.
"""

import argparse
import contextlib
import io
import os
import re
import shutil
import sys
import tempfile
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import tagline
from tagline.data import Dataset
from tagline.experiments.sweep import run as sweep

LEARN = Path(__file__).parent / "learn"
# A block of Python and, if nothing but blank lines is between, the text block that holds what it printed.
_BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```\n(?P<output>\n*```text\n.*?^```\n)?", re.DOTALL | re.MULTILINE)


def execute(page: str, name: str) -> str:
    """Return the text of a page with what its code prints now; ``name`` stands in tracebacks."""
    namespace = {"__name__": "__main__"}
    written, end = [], 0
    for block in _BLOCK.finditer(page):
        # Blank lines before the code make the line numbers of a traceback those of the page.
        code = "\n" * page.count("\n", 0, block.start("code")) + block["code"]
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, name, "exec"), namespace)  # noqa: S102  # the page is ours
        lines = "".join(f"{line.rstrip()}\n" for line in printed.getvalue().splitlines())
        output = f"\n```text\n{lines}```\n" if lines else ""
        written += [page[end : block.start()], f"```python\n{block['code']}```\n", output]
        end = block.end()
    return "".join([*written, page[end:]])


@contextlib.contextmanager
def empty_folder() -> Iterator[Path]:
    """Work in an empty folder, which is gone afterwards."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            yield Path(folder)
        finally:
            os.chdir(before)


@contextlib.contextmanager
def fewer_rows() -> Iterator[None]:
    """Let `tagline.load_dataset`, and sweeps, read an eighth of the training rows and half of those for testing."""
    whole = tagline.load_dataset

    def load_fewer(*arguments: Any, **options: Any) -> Dataset:
        data = whole(*arguments, **options)
        train, test = (
            split and replace(split, texts=split.texts[::n], labels=split.labels[::n])
            for split, n in ((data.train, 8), (data.test, 2))
        )
        return replace(data, train=train, test=test)

    tagline.load_dataset = sweep.load_dataset = load_fewer
    try:
        yield
    finally:
        tagline.load_dataset = sweep.load_dataset = whole


def run_page(path: Path, *, check: bool) -> bool:
    """Run the code of a page and, unless ``check``, write it anew; return whether the code ran to its end."""
    path = path.resolve()
    page = path.read_text(encoding="utf-8")
    with empty_folder() as folder, fewer_rows() if check else contextlib.nullcontext():
        try:
            executed = execute(page, str(path))
        except (Exception, SystemExit):  # noqa: BLE001  # the code of a page can raise anything; the next page is run
            traceback.print_exc()
            return False
        if not check:
            for plot in (folder / "plots").rglob("*.svg"):
                name = plot.relative_to(folder).as_posix()
                if f"]({name})" in page:
                    (path.parent / name).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(plot, path.parent / name)
            if executed != page:
                path.write_text(executed, encoding="utf-8")
    return True


def main() -> int:
    """Run the pages that the command line names; return 1 if the code of one fails."""
    parser = argparse.ArgumentParser(description="Run the Python of the pages in docs/learn/.")
    parser.add_argument("pages", nargs="*", type=Path, metavar="PAGE", help="default: all of docs/learn/")
    parser.add_argument("--check", action="store_true", help="write nothing, only report pages whose code fails")
    arguments = parser.parse_args()
    pages = arguments.pages or sorted(LEARN.glob("*.md"))
    missing = [str(page) for page in pages if not page.is_file()]
    if missing:
        parser.error(f"There is no page `{missing[0]}`: give the path of a Markdown file.")
    failed = []
    for page in pages:
        print(f"{page} ...", file=sys.stderr)
        if not run_page(page, check=arguments.check):
            failed.append(page)
    for page in failed:
        print(f"error: the code of `{page}` fails.", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
