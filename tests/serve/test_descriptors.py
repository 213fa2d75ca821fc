"""The limit of open files is raised as far as it may be, and too low a limit is told."""

import resource
import subprocess
import sys
from functools import partial

from tagline.serve.descriptors import raise_limit, shortage


def limited(soft, hard):
    script = "from tagline.serve.descriptors import raise_limit; print(raise_limit(), raise_limit())"
    limit = partial(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
    return subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, preexec_fn=limit
    ).stdout.split()


def test_the_limit_is_raised_to_the_one_that_is_allowed():
    assert limited(64, 200) == ["200", "200"]
    assert limited(64, 64) == ["64", "64"]
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        assert raise_limit() in (None, before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_limit_below_the_requests_in_progress_is_told():
    assert shortage(None, 512) is None
    assert shortage(576, 512) is None
    assert "`ulimit -n` allows 575 open files, and 512 requests need 576" in shortage(575, 512)
    assert "--max-concurrent" in shortage(32, 1)
