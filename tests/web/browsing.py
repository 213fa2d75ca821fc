"""The real service in a process of its own, and what a page in a browser says."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import ConsoleMessage, Error, Page, expect

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
QUIET = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
KEY = "open-sesame-0123456789"
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
REVIEW = "The good film 👩‍👩‍👧 was dull, a lovely ending"

Opener = Callable[..., Page]


@contextmanager
def serving(models: dict[str, Path], log: Path, key: str | None = None) -> Iterator[str]:
    """Run ``tagline serve`` on a free port; yield its address."""
    named = [part for name, path in models.items() for part in ("--model", f"{name}={path}")]
    command = [sys.executable, "-m", "tagline", "serve", "--port", "0", *named]
    environment = {**os.environ, "NO_COLOR": "1"} | ({} if key is None else {"TAGLINE_API_KEY": key})
    with log.open("w") as written:
        process = subprocess.Popen(command, stdout=written, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stderr is not None
        told = []
        for line in process.stderr:
            told.append(line)
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            if found:
                break
        else:
            pytest.fail(f"`tagline serve` ended: {''.join(told)}")
        yield found[0] + "/"
    finally:
        process.terminate()
        process.communicate(timeout=60)


def ready(page: Page) -> Page:
    """Wait until the page shows its model."""
    expect(page.locator("#subtitle")).not_to_be_empty()
    return page


@dataclass
class Heard:
    """Console messages and errors of a page; a test removes those that it expects."""

    words: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> Page:
        page.on("pageerror", self._failed)
        page.on("console", self._said)
        return page

    def leave(self, page: Page) -> None:
        page.remove_listener("pageerror", self._failed)
        page.remove_listener("console", self._said)

    def _failed(self, error: Error) -> None:
        self.words.append(str(error))

    def _said(self, message: ConsoleMessage) -> None:
        self.words.append(message.text)
