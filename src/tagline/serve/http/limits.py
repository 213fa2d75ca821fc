"""Limits of a request."""

from dataclasses import dataclass

from starlette.types import Scope

from tagline.serve.http.errors import ApiError

# Browsers and proxies send some thirty headers and a few kilobytes.
MAX_URL = 32_768  # bytes
MAX_HEADERS, MAX_HEADER_BYTES = 100, 65_536


@dataclass(frozen=True)
class Limits:
    """How much one request, and all together, may use.

    ``max_body`` and ``max_file`` are bytes, of a JSON body and of an uploaded file; ``max_chars`` characters of one
    text; ``max_texts`` texts of a request; ``max_concurrent`` concurrent requests; ``timeout`` seconds, for the headers
    to arrive, for the body and for the answer (for each megabyte of a file).
    """

    max_body: int = 10_000_000
    max_file: int = 100_000_000
    max_texts: int = 1_000
    max_chars: int = 100_000
    max_concurrent: int = 512
    timeout: float = 30.0

    def apply(self, texts: list[str], *, truncate: bool) -> tuple[list[str], list[bool]]:
        """Return the texts, shortened if ``truncate`` allows it, and which of them were.

        Raises:
            ApiError: there are too many texts, or one is too long.

        """
        if len(texts) > self.max_texts:
            raise ApiError(
                "too_many_texts",
                f"There are {len(texts):,} texts, and a request may have {self.max_texts:,}.",
                limit=self.max_texts,
            )
        long = [len(text) > self.max_chars for text in texts]
        if True in long:
            if not truncate:
                row = long.index(True)
                raise ApiError(
                    "text_too_long",
                    f"Text {row} has {len(texts[row]):,} characters, and a text may have {self.max_chars:,}. Shorten "
                    "it, or set `truncate`.",
                    limit=self.max_chars,
                    row=row,
                )
            texts = [text[: self.max_chars] for text in texts]
        return texts, long


def check_head(scope: Scope) -> None:
    """Raise `ApiError` if the URL of a request is too long, or its headers are too many or too large."""
    if len(scope["raw_path"]) + len(scope["query_string"]) > MAX_URL:
        raise ApiError("uri_too_long", f"The URL is longer than {MAX_URL:,} bytes.", limit=MAX_URL)
    headers = scope["headers"]
    if len(headers) > MAX_HEADERS:
        raise ApiError("headers_too_large", f"The request has more than {MAX_HEADERS} headers.", limit=MAX_HEADERS)
    n_bytes = 0
    for name, value in headers:  # takes half the time of a generator
        n_bytes += len(name) + len(value)
    if n_bytes > MAX_HEADER_BYTES:
        message = f"The headers are larger than {MAX_HEADER_BYTES:,} bytes."
        raise ApiError("headers_too_large", message, limit=MAX_HEADER_BYTES)
