"""The folder of a process on a node. A process that is killed cannot remove it: the next one on that node does."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tagline.storage.locks import is_locked, lock


@contextmanager
def node_folder() -> Iterator[Path]:
    """Yield a new temporary folder, locked by this process; remove those of processes that have ended."""
    start = f"tagline-node-{os.getuid()}" if os.name == "posix" else "tagline-node"
    place = Path(tempfile.gettempdir())
    with ExitStack() as held:
        with lock(place / f"{start}.lock", create=True):
            for folder in place.glob(f"{start}-*"):
                if not is_locked(folder):
                    shutil.rmtree(folder, ignore_errors=True)
            mine = Path(tempfile.mkdtemp(prefix=f"{start}-", dir=place))
            held.enter_context(lock(mine))
        try:
            yield mine
        finally:
            shutil.rmtree(mine, ignore_errors=True)
