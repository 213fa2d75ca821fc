"""A Ray cluster of several nodes on this machine, each in a network namespace of its own if that is permitted."""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import psutil

from tests.serve.service import waited

ROOT = Path(__file__).parents[3]
PORT = 6399
_NETWORK = "10.213.77"
_SECONDS_TO_START = 120
_STORE_BYTES = 80_000_000


class RayCluster:
    """Nodes 1 (the head), 2 and 3, with a token and one CPU each; a context manager that ends all their processes."""

    def __init__(self) -> None:
        self._opened = ExitStack()
        self.folder = Path(tempfile.mkdtemp(prefix="ray", dir="/tmp"))  # short: sockets are in it
        self._opened.callback(waited, self._removed, _SECONDS_TO_START)
        self._nodes: dict[int, subprocess.Popen[bytes]] = {}
        self._seen: set[psutil.Process] = set()  # also those whose parent has ended
        self.token = secrets.token_hex(32)
        self._namespaces = self._opened.enter_context(_Namespaces()).names

    def __enter__(self) -> "RayCluster":
        try:
            self._start(1, "--head", f"--port={PORT}", "--include-dashboard=false")
            self._wait(1)
            for node in (2, 3):
                self._start(node, f"--address={self.address}")
            self._wait(2)
            self._wait(3)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for node in self._nodes:
            self._processes(node)
        for process in self._seen:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        for started in self._nodes.values():
            started.wait()
        psutil.wait_procs(list(self._seen))
        self._opened.close()

    @property
    def address(self) -> str:
        """The address of the head."""
        return f"{self._host(1)}:{PORT}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a process that may use the cluster."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        return kept | {
            "HOME": str(self.folder),
            "PYTHONPATH": str(ROOT / "src"),
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": self.token,
        }

    def command(self, *words: str | Path, **changes: Any) -> subprocess.Popen[str]:
        """Start ``tagline`` on the machine of the head."""
        return self._python("-m", "tagline", *words, **changes)

    def run(self, *words: str | Path, **changes: Any) -> subprocess.CompletedProcess[str]:
        """Run ``tagline`` on the machine of the head."""
        return self.run_python("-m", "tagline", *words, **changes)

    def run_python(self, *words: str | Path, **changes: Any) -> subprocess.CompletedProcess[str]:
        """Run Python on the machine of the head."""
        with self._python(*words, **changes) as process:
            out, err = process.communicate(timeout=_SECONDS_TO_START)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def _python(self, *words: str | Path, **changes: Any) -> subprocess.Popen[str]:
        given = {"env": self.environment, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | changes
        return subprocess.Popen([*self._inside(1), sys.executable, *map(str, words)], **given)

    def kill_raylet(self) -> None:
        """Kill the raylet of a node, the last one; its other processes end by themselves or are ended."""
        node = max(node for node in self._nodes if self._raylets(node))
        assert node > 1, [self._log(lost).read_text()[-2000:] for lost in self._nodes if lost > 1]
        (raylet,) = self._raylets(node)
        raylet.kill()
        raylet.wait()

    def start_again(self) -> None:
        """Start nodes in place of those whose raylets have been killed."""
        lost = [node for node in self._nodes if not self._raylets(node)]
        for node in lost:
            self._end(node)
            shutil.rmtree(self._folder_of(node), ignore_errors=True)
            self._start(node, f"--address={self.address}")
        for node in lost:
            self._wait(node)

    def _end(self, node: int) -> None:
        """End all processes of a node."""
        for process in self._processes(node):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._nodes[node].wait()

    def _raylets(self, node: int) -> list[psutil.Process]:
        found = []
        for process in self._processes(node):
            with suppress(psutil.NoSuchProcess):
                if process.name() == "raylet" and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def _start(self, node: int, *options: str) -> None:
        settings = {
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_health_check_period_ms": "1000",  # a node is lost after five of them
        }
        command = [
            *(*self._inside(node), Path(sys.executable).parent / "ray", "start", "--block", "--num-cpus=1"),
            *(f"--node-ip-address={self._host(node)}", f"--object-store-memory={_STORE_BYTES}"),
            # In one folder, nodes that start at the same time would choose the same names for their sockets.
            *(f"--temp-dir={self._folder_of(node)}", *options),
        ]
        with self._log(node).open("wb") as log:
            self._nodes[node] = subprocess.Popen(
                command, env=self.environment | settings, stdout=log, stderr=log, start_new_session=True
            )

    def _wait(self, node: int) -> None:
        def has_started() -> bool:
            assert self._nodes[node].poll() is None, self._log(node).read_text()
            return "Ray runtime started" in self._log(node).read_text()

        waited(has_started, _SECONDS_TO_START)

    def _processes(self, node: int) -> list[psutil.Process]:
        try:
            parent = psutil.Process(self._nodes[node].pid)
            found = [parent, *parent.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []
        self._seen.update(found)
        return found

    def _removed(self) -> bool:
        """Remove the folder. Processes that nobody saw, as those of a killed raylet, write into it until they end."""
        shutil.rmtree(self.folder, ignore_errors=True)
        return not self.folder.exists()

    def _folder_of(self, node: int) -> Path:
        return self.folder / str(node)

    def _log(self, node: int) -> Path:
        return self.folder / f"node-{node}.log"

    def _host(self, node: int) -> str:
        return f"{_NETWORK}.{node}" if self._namespaces else "127.0.0.1"

    def _inside(self, node: int) -> list[str]:
        return ["ip", "netns", "exec", self._namespaces[node - 1]] if self._namespaces else []


class _Namespaces:
    """Three network namespaces on a bridge; a context manager. Without the permission to make them there are none."""

    def __init__(self) -> None:
        self._tag = f"tl{os.getpid()}"
        self.names: list[str] = []

    def __enter__(self) -> "_Namespaces":
        names = [f"{self._tag}-{number}" for number in (1, 2, 3)]
        commands = [f"link add {self._tag} type bridge", f"link set {self._tag} up"]
        for number, name in enumerate(names, 1):
            commands += [
                f"netns add {name}",
                f"link add {self._tag}v{number} type veth peer name eth0 netns {name}",
                f"link set {self._tag}v{number} master {self._tag} up",
                f"-n {name} addr add {_NETWORK}.{number}/24 dev eth0",
                f"-n {name} link set lo up",
                f"-n {name} link set eth0 up",
                f"-n {name} route add default dev eth0",
            ]
        if shutil.which("ip"):
            self.names = names
            if not all(self._succeeds(command) for command in commands):
                self.__exit__()
        return self

    def __exit__(self, *_: object) -> None:
        if self.names:
            for name in self.names:
                self._succeeds(f"netns del {name}")
            self._succeeds(f"link del {self._tag}")
        self.names = []

    @staticmethod
    def _succeeds(command: str) -> bool:
        return subprocess.run(["ip", *command.split()], capture_output=True, check=False).returncode == 0
