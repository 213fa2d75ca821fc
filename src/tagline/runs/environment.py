"""Time, memory and versions of the process, and the machine, as a run records them; no host or user names, no paths."""

import os
import platform
import sys
import time
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from tagline.parallel import cores

_RECORDED = ("tagline", "numpy", "polars", "scikit-learn")


def process_seconds() -> float:
    """Return the age of this process in seconds; 0 if the system does not report it."""
    try:
        # The 22nd field, in clock ticks since boot; the 2nd, the command, may hold spaces and parentheses.
        fields = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - started)
    except (OSError, ValueError, IndexError, AttributeError):
        return 0.0


def peak_rss_mb() -> float | None:
    """Return the peak memory of this process in megabytes, None if the system does not report it."""
    try:
        # `getrusage` starts with the memory of the parent process.
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) * 1024 / 1e6, 1)
    except (OSError, ValueError, IndexError):
        pass
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1e6 if sys.platform == "darwin" else 1e6 / 1024), 1)


def versions() -> dict[str, str]:
    """Return the versions that influence a result; of PyTorch, which trains networks, if it is installed."""
    torch = {"torch": version("torch")} if find_spec("torch") else {}
    return {"python": platform.python_version(), **{name: version(name) for name in _RECORDED}, **torch}


def machine() -> dict[str, str | int]:
    """Return processor, cores and platform."""
    return {
        "processor": _processor(),
        "cores": cores(),
        "platform": f"{platform.system()} {platform.machine()}".strip(),
    }


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
