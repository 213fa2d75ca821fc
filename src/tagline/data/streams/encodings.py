"""Text encodings: everything is converted to UTF-8.

A byte order mark decides. Without one a file is UTF-8, unless most of its first lines that are not ASCII are not UTF-8
either: then `chardet` detects the encoding. Lines of such a file that are UTF-8 stay so: files that were
appended to by several programs are common. Where the detected encoding leaves implausible text, the one is taken that
leaves hardly any. ISO-2022 and HZ consist of ASCII characters and are recognised by their shifts. UTF-7 is never
detected: ordinary text such as ``cat+dog`` is UTF-7 too.
"""

import codecs
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import chain
from typing import BinaryIO

from tagline.data.streams.chunks import chunks_of, peek, stream_of
from tagline.data.streams.plausibility import implausible_share
from tagline.errors import InputError

UTF_8 = "utf-8"
Announce = Callable[[str], None]
_BOMS = (  # that of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MULTIBYTE = {
    "cp932",
    "shift_jis",
    "euc_jp",
    "gb18030",
    "gbk",
    "gb2312",
    "big5",
    "big5hkscs",
    "cp949",
    "euc_kr",
    "johab",
}
_USUAL = "Windows-1252"
_LATIN = ("cp1252", "cp1250", "cp1254", "cp1257", "mac-roman", "cp850", "cp437")
# So few different letters and symbols are little evidence: the most common encoding is taken, if it gives no Icelandic
# letter (they stand where Turkish has its own), no capital or symbol inside a word and no unknown character.
_FEW = 4
_IMPLAUSIBLE = re.compile(r"[ýþðÝÞÐ\ufffd]|(?<=[a-zà-ÿ])[À-ÞŠŽŒŸ]|(?<=[a-z])[¡-¿](?=[a-z])")
# More of the characters beyond ASCII are hardly right; another encoding must have left much less of them.
_SUSPECT, _MUCH_LESS = 0.02, 0.25
_OTHERS = (
    *("Windows-1252", "Windows-1250", "ISO-8859-2", "cp850", "cp852", "cp857", "MacRoman", "Windows-1251", "KOI8-R"),
    *("cp866", "ISO-8859-5", "Windows-1253", "Windows-1255", "Windows-1256", "ISO-8859-6"),
    *("GB18030", "Big5", "CP932", "EUC-JP", "CP949"),
)
_JUDGED = 20_000  # bytes of which it is judged how plausible their text is
_SHIFTS = (
    (re.compile(rb"\x1b\$\)C"), "iso2022_kr"),
    (re.compile(rb"\x1b(?:\$[@B]|\(J)"), "iso2022_jp_2"),
    (re.compile(rb"~\{(?:[!-}][!-~])+?~\}"), "hz"),
)
_FEWEST_SHIFTS = 3
_NOT_ASCII = re.compile(rb"[\x80-\xff]+")
_SAMPLE = 200_000  # bytes that the detection takes


def to_utf8(stream: BinaryIO, encoding: str | None, announce: Announce) -> BinaryIO:
    """Return the text of a stream as UTF-8 without a byte order mark, with LF or CR LF at its line ends.

    Args:
        stream: a buffered stream.
        encoding: what the text is encoded in; None to detect it.
        announce: called with the name of a detected encoding.

    """
    start = peek(stream, 1 << 12)
    marked = next((name for bom, name in _BOMS if start.startswith(bom)), None)
    if start.startswith(codecs.BOM_UTF8):
        stream.read(len(codecs.BOM_UTF8))
        chunks = chunks_of(stream)
    elif marked or encoding:
        chunks = _decoded(chunks_of(stream), marked or checked_encoding(encoding or ""))
    elif unmarked := _unmarked_utf16(start):
        announce(unmarked.upper())
        chunks = _decoded(chunks_of(stream), unmarked)
    else:
        chunks = _detected(chunks_of(stream), announce)
    return stream_of(_line_feeds(chunks))


def marked_encoding(start: bytes) -> str | None:
    """Return the encoding, with its byte order, that a byte order mark of UTF-16 or UTF-32 names; None without one."""
    found = next(((bom, name) for bom, name in _BOMS if start.startswith(bom)), None)
    return None if found is None else f"{found[1]}-{'le' if found[0][0] == 0xFF else 'be'}"


def checked_encoding(name: str) -> str:
    """Return the name of an encoding as Python spells it; raise `InputError` for an unknown one."""
    with suppress(UnicodeDecodeError):  # a single byte is no UTF-16
        try:
            b"a".decode(name)
        except LookupError:
            common = "common ones are `utf-8`, `cp1252` and `utf-16`"
            raise InputError(f"`--encoding {name}`: unknown encoding; {common}.") from None
    return codecs.lookup(name).name


def detect_encoding(data: bytes) -> str | None:
    """Return the encoding of whole lines of text that is not UTF-8; None if most of them are."""
    lines = [line for line in data.split(b"\n") if not line.isascii()]
    others = [line for line in lines if not is_utf8(line)]
    if 2 * len(others) <= len(lines):
        return None
    sample = b"\n".join(others)[:_SAMPLE]
    runs = _NOT_ASCII.findall(sample)
    # Accents stand alone, letters of other scripts side by side: a few accents are no evidence of Greek or Korean.
    latin = sum(map(len, runs)) < 1.5 * len(runs)
    if latin and len(set(b"".join(runs))) <= _FEW and _is_usual(sample):
        return _USUAL
    import chardet

    found = chardet.detect(
        sample,
        encoding_era=chardet.EncodingEra.MODERN_WEB | chardet.EncodingEra.LEGACY_MAC | chardet.EncodingEra.DOS,
        prefer_superset=True,
        include_encodings=_LATIN if latin else None,
    )["encoding"]
    # Letters may be the same in several encodings: then it is the most common one.
    if found is None or sample.decode(found, "replace") == sample.decode(_USUAL, "replace"):
        found = _USUAL
    return _more_plausible(found, sample)


def _more_plausible(encoding: str, sample: bytes) -> str:
    """Return the encoding, or another that leaves much less implausible text where it leaves much."""
    if len(sample) > _JUDGED:
        sample = sample[:_JUDGED].rpartition(b"\n")[0] or sample[:_JUDGED]
    share = implausible_share(sample.decode(encoding, "replace"))
    if share <= _SUSPECT:
        return encoding
    shares = {}
    few = len(set(b"".join(_NOT_ASCII.findall(sample)))) <= _FEW
    for other in _OTHERS:
        if few and codecs.lookup(other).name in _MULTIBYTE:
            continue
        with suppress(UnicodeDecodeError):
            shares[other] = implausible_share(sample.decode(other))
    best = min(shares, key=lambda other: shares[other], default=encoding)
    return best if shares.get(best, 1) <= _MUCH_LESS * share else encoding


def shifted_encoding(data: bytes) -> str | None:
    """Return the encoding of ASCII characters in which shifts stand for others, if text has any."""
    if not any(mark in data for mark in (b"\x1b", b"~{")):  # much faster than the expressions below
        return None
    for shift, encoding in _SHIFTS:
        if shift.search(data) and (encoding != "hz" or len(shift.findall(data)) >= _FEWEST_SHIFTS):
            with suppress(UnicodeDecodeError):
                data.decode(encoding)
                return encoding
    return None


def encoding_note(what: str, encoding: str) -> str:
    """Say that a file is not UTF-8, and what to do if the encoding was detected wrongly."""
    return f"{what}: not UTF-8, read as {encoding}. If letters look wrong, name the encoding with `--encoding`."


def decode(content: bytes, encoding: str) -> str:
    """Decode text in a detected encoding, or as UTF-8 if it is UTF-8; what neither has becomes U+FFFD.

    Text of a single-byte encoding is hardly ever UTF-8 by accident. Short text of a multi-byte encoding can be.
    """
    for candidate in (encoding, UTF_8) if codecs.lookup(encoding).name in _MULTIBYTE else (UTF_8,):
        with suppress(UnicodeDecodeError):
            return content.decode(candidate)
    return content.decode(encoding, "replace")


def is_utf8(content: bytes) -> bool:
    """Say whether bytes are UTF-8."""
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_usual(sample: bytes) -> bool:
    text = sample.decode(_USUAL, "replace")
    return _IMPLAUSIBLE.search(text) is None and implausible_share(text) <= _SUSPECT


def _unmarked_utf16(start: bytes) -> str | None:
    """Recognise UTF-16 of mostly Latin letters: every other byte is zero."""
    pairs = len(start) // 2
    if pairs < 2:
        return None
    zero_first, zero_second = start[::2].count(0), start[1::2].count(0)
    if zero_second > 0.7 * pairs and zero_first < 0.1 * pairs:
        return "utf-16-le"
    return "utf-16-be" if zero_first > 0.7 * pairs and zero_second < 0.1 * pairs else None


def _decoded(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    for part in chunks:
        yield decoder.decode(part).encode()
    yield decoder.decode(b"", final=True).encode()


def _detected(chunks: Iterator[bytes], announce: Announce) -> Iterator[bytes]:
    """Pass UTF-8 on, and convert another encoding; the first lines that are not ASCII decide."""
    blocks = _whole_lines(chunks)
    encoding = None
    for block in blocks:
        if encoding is None and block.isascii() and (shifted := shifted_encoding(block)):
            announce(shifted.upper())
            yield from _decoded(chain([block], blocks), shifted)
            return
        if encoding is None and not block.isascii():
            encoding = detect_encoding(block)
            if encoding is None:
                yield block
                yield from blocks
                return
            announce(encoding)
        if encoding is None:
            yield block
        else:
            yield b"\n".join(decode(line, encoding).encode() for line in block.split(b"\n"))


def _whole_lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    carry: list[bytes] = []
    for part in chunks:
        end = part.rfind(b"\n") + 1
        if end:
            yield b"".join([*carry, part[:end]])
            carry = [part[end:]]
        else:
            carry.append(part)
    yield b"".join(carry)


def _line_feeds(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Write LF for the bare carriage returns that old spreadsheets end lines with."""
    first = next(chunks, b"")
    bare = b"\r" in first and b"\n" not in first
    for part in chain([first], chunks):
        yield part.replace(b"\r", b"\n") if bare else part
