"""Inputs of the fuzz targets: `Choices` makes structures of bytes, `mutated` changes bytes."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any, TypeVar

Item = TypeVar("Item")

_MOST_LEVELS = 60

#: Scalars at the limits of types and formats, for cells, JSON values and labels.
STRINGS = (
    "", "a", "good film", "bad film", "0", "1", "-1", "1.0", "1e999", "-0.0", "NaN", "nan", "null", "None", "true",
    "9" * 30, "1" + "0" * 400, "2024-01-01", "99999-12-31", "2024-02-30T25:61:61Z", " x ", "\0", "\x00\x1f", "a\nb",
    "a\r\nb", "a\tb", "\u2028", "\ufeff", "é", "e\u0301", "\U0001f44d\U0001f3fd", "\u202e", "我喜欢", "[" * 70, "[]",
    "['a', 'b']", '["a", 1, null]', '{"a": 1}', "[[[1]]]", "array(['a'], dtype=object)", "a|b", "a;b", "a, b", "=1+1",
    '="007"', '"', '""', "'", "\\", "__label__a", "__label__a good", "# comment", "---", "<br />", "x" * 2000,
)  # fmt: skip
NUMBERS = (0, 1, -1, 2, 255, 2**31, 2**53 + 1, 2**63, -(2**63), 2**64, 10**30, 0.5, 1.0, -0.0, 1e300, 5e-324)


class Choices:
    """Decisions read from bytes; after the last byte every decision is the first alternative."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def below(self, n: int) -> int:
        """Return a number from 0 to n - 1."""
        size = 1 if n <= 256 else 4
        read = self._data[self._at : self._at + size]
        self._at += size
        return int.from_bytes(read, "little") % n

    def pick(self, items: Sequence[Item]) -> Item:
        """Return one of some items."""
        return items[self.below(len(items))]

    def once_in(self, n: int) -> bool:
        """Return True for one of ``n`` values of the next byte."""
        return self.below(n) == n - 1

    def rest(self) -> bytes:
        """Return the bytes that were not read."""
        return self._data[self._at :]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Go through the places of a JSON value, from the outside to the inside, in its outer levels."""
    if len(path) > _MOST_LEVELS:
        return
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in items:
        yield (*path, key)
        yield from places(child, (*path, key))


def has(value: Any, key: Any) -> bool:
    """Say whether a JSON value has a member or an item."""
    return (
        key in value
        if isinstance(value, dict)
        else isinstance(value, list) and isinstance(key, int) and key < len(value)
    )


def mutated(draw: Random, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """Return a seed with some changes."""
    data = bytearray(draw.choice(seeds))
    for _ in range(draw.choice((1, 1, 2, 3, 5, 8))):
        at = draw.randrange(len(data) + 1)
        length = min(draw.choice((1, 1, 2, 4, 16, 64)), len(data) - at)
        change = draw.randrange(8)
        if change == 0 and at < len(data):
            data[at] ^= 1 << draw.randrange(8)
        elif change == 1 and at < len(data):
            data[at] = draw.choice((0, 10, 13, 34, 44, 127, 128, 255, draw.randrange(256)))
        elif change == 2:
            data[at:at] = draw.randbytes(draw.choice((1, 4, 16)))
        elif change == 3:
            del data[at : at + length]
        elif change == 4:
            data[at:at] = data[at : at + length] * draw.choice((1, 2, 50))
        elif change == 5:
            other = draw.choice(seeds)
            start = draw.randrange(len(other) + 1)
            data[at : at + length] = other[start : start + draw.choice((8, 64, 512))]
        elif change == 6:
            data[at : at + draw.choice((0, length))] = draw.choice(words) if words else b""
        else:
            del data[at + draw.randrange(1, 64) :]
    return bytes(data)
