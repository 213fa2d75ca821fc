"""Queries of requests."""

from collections import Counter
from collections.abc import Collection

from starlette.requests import Request

from tagline.serve.http.errors import ApiError


def check_not_repeated(request: Request, may_repeat: Collection[str] = ()) -> None:
    """Raise `ApiError` if a parameter is given twice, of which FastAPI would take the last one."""
    counts = Counter(name for name, _ in request.query_params.multi_items() if name not in may_repeat)
    repeated = next((name for name, n in counts.items() if n > 1), None)
    if repeated is not None:
        raise ApiError(
            "invalid_request", f"`{repeated}` is given {counts[repeated]} times: give it once.", field=repeated
        )
