"""How many files and connections the server may have open."""

import sys
from contextlib import suppress

_OWN = 64  # descriptors for the log, the loop, models and uploads


def raise_limit() -> int | None:
    """Raise the limit of open files to the one that the system allows, and return it; None if there is none."""
    if sys.platform == "win32":
        return None
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(OSError, ValueError):  # macOS calls it unlimited, and allows less
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    return None if soft == resource.RLIM_INFINITY else soft


def shortage(limit: int | None, max_concurrent: int) -> str | None:
    """Return a warning if connections will be closed before ``max_concurrent`` requests are in progress."""
    if limit is None or limit >= max_concurrent + _OWN:
        return None
    return (
        f"`ulimit -n` allows {limit:,} open files, and {max_concurrent:,} requests need {max_concurrent + _OWN:,}: "
        "connections beyond that are closed at once. Raise the limit, or lower `--max-concurrent`."
    )
