"""A process that draws the plots of a run: it imports matplotlib while the model is trained, on another core.

Importing and drawing take as long as training on a few thousand texts. `python -m tagline.plots.process` is the
process. It receives its data through a pipe and exits with its parent. On Linux a copy of it shares the drawing.
"""

import atexit
import gc
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from tagline.parallel import cores
from tagline.plots.registry import PlotData

_MOST_BYTES = 50_000_000  # of probabilities that are copied for the process
_VECTORS_DRAWN = b"."
# Elsewhere a process that has loaded the system's libraries cannot be relied on to work in a copy.
_DRAWING = 2 if sys.platform == "linux" else 1  # processes


class PlotProcess:
    """Draws plots in another process; in this one if there is a single core, or if the process cannot do it.

    A context manager, at whose end the process has ended.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._left: tuple[Path, PlotData] | None = None  # what is still to be drawn here if the process fails

    def __enter__(self) -> "PlotProcess":
        if cores() > 1 and sys.executable:
            paths = os.pathsep.join(path for path in sys.path if path)
            with suppress(OSError):
                self._process = subprocess.Popen(  # noqa: S603 (this very interpreter)
                    [sys.executable, "-P", "-m", __name__],  # `-P`: no modules from the folder of the user
                    env=os.environ | {"PYTHONPATH": paths, "OPENBLAS_NUM_THREADS": "1"},  # threads are not copied
                    process_group=0,  # with its copy
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                )
        return self

    def __exit__(self, *_: object) -> None:
        process, self._process = self._process, None
        if process is not None:
            with suppress(OSError), process:  # which closes the pipes; data may be left in one
                _kill(process)  # at once: it has ended, or nobody waits for its plots

    def draw(self, folder: Path, data: PlotData) -> None:
        """Begin to draw the plots of ``data`` into a folder; `wait_for_vectors` and `wait` wait for them."""
        self._left = folder, data
        if self._process is None or self._process.stdin is None or _size(data) > _MOST_BYTES:
            self._draw_here()
            return
        if data.predictions is not None:
            _ = data.predictions.coverage  # is sent along: SciPy takes the process as long to import as matplotlib
        with suppress(OSError):  # the process has ended, which `wait_for_vectors` notices
            pickle.dump((folder.absolute(), data), self._process.stdin)
            self._process.stdin.close()

    def wait_for_vectors(self) -> None:
        """Wait until the SVG files are there; the PNG files may be missing still."""
        if self._left is None or self._process is None or self._process.stdout is None:
            return
        if self._process.stdout.read(_DRAWING) != _VECTORS_DRAWN * _DRAWING:
            self._draw_here()

    def wait(self) -> None:
        """Wait until all files are there."""
        if self._left is not None and self._process is not None and self._process.wait() != 0:
            self._draw_here()
        self._left = None

    def _draw_here(self) -> None:
        from tagline.plots.save import save_plots

        assert self._left is not None
        save_plots(*self._left)
        self._left = None


def _size(data: PlotData) -> int:
    predictions = data.predictions
    return 0 if predictions is None or predictions.proba is None else predictions.proba.nbytes


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    if sys.platform == "win32":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)


def _draw(pipe: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the other process decides what Ctrl-C means
    gc.disable()  # this process ends before its garbage matters
    atexit.register(gc.freeze)  # so that the end does not search for garbage either, which takes a fifth of a second
    import matplotlib.artist

    matplotlib.artist.kwdoc = lambda artist: ""  # composing docstrings takes a third of the import of matplotlib
    from tagline.plots.save import plots_of, save_named_plots

    folder, data = pickle.load(pipe)  # noqa: S301 (from the process that started this one)
    names = _queue(plots_of(data))

    def vectors_drawn() -> None:
        sys.stdout.buffer.write(_VECTORS_DRAWN)
        sys.stdout.buffer.flush()

    def draw() -> None:
        save_named_plots(folder, data, names, vectors_drawn=vectors_drawn)

    if _DRAWING == 1:
        draw()
    else:
        _do_in_two_processes(draw)


def _queue(names: Sequence[str]) -> Iterator[str]:
    """Return an iterator over names that copies of this process share: each name is taken by one of them."""
    left, filled = os.pipe()
    os.write(filled, bytes(range(len(names))))
    os.close(filled)
    return (names[taken[0]] for taken in iter(partial(os.read, left, 1), b""))


def _do_in_two_processes(work: Callable[[], None]) -> None:
    """Do a work in this process and in a copy of it, and exit with status 1 if it fails in the copy."""
    copy = os.fork()
    failed = True
    try:
        work()
        failed = False
    finally:
        if copy == 0:
            os._exit(failed)
        _, status = os.waitpid(copy, 0)
    if status != 0:
        sys.exit(1)


if __name__ == "__main__":
    with suppress(EOFError):  # the other process needs no plots, or has ended
        _draw(sys.stdin.buffer)
