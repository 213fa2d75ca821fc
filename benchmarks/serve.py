"""Load test of the service with the `fast` recipe, compared with a FastAPI handler around a Keras model.

`wrk` sends requests from the same machine, one review truncated to 1,000 characters per request, on 1, 32 and 256
connections. The handler is that of the tutorials: `model.predict` of one text in a `def` endpoint, with the model of
Keras's text classification tutorial (TextVectorization, Embedding 16, average, Dense). It is not trained, which does
not affect its speed.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import measure

CONNECTIONS = (1, 32, 256)
REVIEW_CHARACTERS = 1000
READY_SECONDS = 120
SCRIPT = """
local bodies, turn = {}, 0
for line in io.lines("BODIES") do bodies[#bodies + 1] = line end
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
request = function()
  turn = turn % #bodies + 1
  return wrk.format(nil, nil, nil, bodies[turn])
end
done = function(summary, latency)
  local errors = summary.errors
  io.stderr:write(string.format('{"requests": %d, "seconds": %f, "p50_ms": %f, "p99_ms": %f, "errors": %d}',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""
HANDLER = """
import sys
import keras
import numpy as np
import tensorflow as tf
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

texts = [line for line in open(sys.argv[2], encoding="utf-8")]
vectorize = keras.layers.TextVectorization(max_tokens=10_000, output_sequence_length=250)
vectorize.adapt(texts)
model = keras.Sequential([
    keras.Input(shape=(1,), dtype="string"), vectorize, keras.layers.Embedding(10_000, 16),
    keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(1, activation="sigmoid"),
])
app = FastAPI()

class Review(BaseModel):
    text: str

@app.post("/v1/predict")
def predict(review: Review):
    score = float(model.predict(tf.constant([[review.text]]), verbose=0)[0][0])
    return {"prediction": "pos" if score > 0.5 else "neg", "probability": score}

uvicorn.run(app, port=int(sys.argv[1]), log_level="warning")
"""


def free_port() -> int:
    """Return a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(command: list[str], port: int) -> Iterator[tuple[int, float]]:
    """Run a server; yield its process id and the seconds until its first response."""
    begin = time.perf_counter()
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        try:
            while not responds(port):
                if process.poll() is not None or time.perf_counter() - begin > READY_SECONDS:
                    log.seek(0)
                    sys.exit(f"the server did not start:\n{log.read().decode()}")
                time.sleep(0.005)
            yield process.pid, time.perf_counter() - begin
        finally:
            process.terminate()
            process.wait()


def responds(port: int) -> bool:
    """Return whether the server predicts a review."""
    body = json.dumps({"text": "a great film"}).encode()
    url = f"http://127.0.0.1:{port}/v1/predict"
    try:
        urllib.request.urlopen(urllib.request.Request(url, body, {"Content-Type": "application/json"}), timeout=60)
    except OSError:
        return False
    return True


def load(port: int, connections: int, seconds: int, script: Path) -> dict[str, float]:
    """Run `wrk` and return its figures."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "--latency", "-s", str(script)]
    done = subprocess.run([*command, f"http://127.0.0.1:{port}/v1/predict"], capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stderr)
    return found


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def main() -> None:
    """Train, serve, run the load, and print a table."""
    parser = measure.parser(__doc__.splitlines()[0], rounds=1)
    parser.add_argument("--seconds", type=int, default=60, help="duration of each load (default %(default)s)")
    parser.add_argument("--keras-python", help="a Python with keras, tensorflow, fastapi and uvicorn")
    options = parser.parse_args()
    if not shutil.which("wrk"):
        sys.exit("error: `wrk` is missing. Run `apt-get install wrk`.")
    rows = [["server", "connections", "requests/s", "p50, ms", "p99, ms", "errors", "RSS before, MB", "after, MB"]]
    starts = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        train, test, what = measure.imdb_files(folder)
        measure.run_process(measure.train_command(train, test, folder / "run"))
        bodies, texts, script = folder / "bodies.jsonl", folder / "texts.txt", folder / "load.lua"
        measure.run_process([sys.executable, __file__, "bodies", str(test), str(bodies), str(texts)])
        script.write_text(SCRIPT.replace("BODIES", str(bodies)))
        (folder / "handler.py").write_text(HANDLER)
        servers = {"tagline serve": measure.tagline("serve", str(folder / "run"), "--port")}
        if options.keras_python:
            servers["FastAPI + Keras"] = [options.keras_python, str(folder / "handler.py")]
        for server, command in servers.items():
            port = free_port()
            more = [str(port), str(texts)] if server == "FastAPI + Keras" else [str(port)]
            with serving([*command, *more], port) as (pid, seconds):
                starts.append(f"{server} {seconds:.2f} s")
                load(port, 8, 2, script)  # warm-up
                for connections in CONNECTIONS:
                    before = memory_mb(pid)
                    found = load(port, connections, options.seconds, script)
                    print(f"{server}, {connections} connections: {found}", file=sys.stderr)
                    rows.append(
                        [
                            server,
                            str(connections),
                            f"{found['requests'] / found['seconds']:.0f}",
                            f"{found['p50_ms']:.1f}",
                            f"{found['p99_ms']:.1f}",
                            f"{found['errors']:.0f}",
                            f"{before:.0f}",
                            f"{memory_mb(pid):.0f}",
                        ]
                    )
    text = (
        f"{what} Load and server share the machine; {options.seconds} s each. From process start to the first "
        f"response: {', '.join(starts)}.\n\n{measure.table(rows)}"
    )
    measure.publish("The service under load", text, options.record)


def write_bodies(test: str, bodies: str, texts: str) -> None:
    """Write reviews as request bodies, one per line, and as lines of text."""
    import polars as pl

    reviews = [text[:REVIEW_CHARACTERS] for text in pl.read_parquet(test)["text"].head(5000)]
    Path(bodies).write_text("".join(json.dumps({"text": text}) + "\n" for text in reviews))
    Path(texts).write_text("".join(" ".join(text.split()) + "\n" for text in reviews), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["bodies"]:
        write_bodies(*sys.argv[2:])
    else:
        main()
