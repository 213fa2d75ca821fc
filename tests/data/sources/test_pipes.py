"""Named pipes as files: read like files, whatever their suffix, and Ctrl-C ends a wait for data."""

import os
import signal
import threading
import time
from pathlib import Path

import polars as pl
import pytest

from tagline.data.sources.files import read_file
from tagline.errors import DataError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="no named pipes")
FRAME = pl.DataFrame({"text": ["superb", "dull"], "label": ["pos", "neg"]})


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ""])
def test_a_pipe_is_read(suffix: str, tmp_path: Path) -> None:
    content, pipe = tmp_path / f"content{suffix or '.parquet'}", tmp_path / f"pipe{suffix}"
    {".csv": FRAME.write_csv}.get(suffix, FRAME.write_parquet)(content)
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(content.read_bytes()))
    writer.start()
    assert read_file(pipe).frame.to_dicts() == FRAME.to_dicts()
    writer.join()


def test_excel_is_not_read_from_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.xlsx")
    with pytest.raises(DataError, match=r"pipe.xlsx` is a pipe: Excel files are read from the disk only"):
        read_file(tmp_path / "pipe.xlsx")


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("start", [b"", b"text,label\nsuperb,pos\n"])
def test_ctrl_c_ends_the_wait_for_data_at_once(suffix: str, start: bytes, tmp_path: Path) -> None:
    pipe = tmp_path / f"pipe{suffix}"
    os.mkfifo(pipe)
    stalled = os.open(pipe, os.O_RDWR)  # never closed while it is read, so that there is no end
    os.write(stalled, start)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.siginterrupt(signal.SIGINT, False)  # so does polars when it is imported
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    rescue = threading.Timer(10, os.close, (stalled,))
    rescue.start()
    started = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            read_file(pipe)
    finally:
        rescue.cancel()
        signal.signal(signal.SIGINT, before)
    assert time.monotonic() - started < 5
    os.close(stalled)
