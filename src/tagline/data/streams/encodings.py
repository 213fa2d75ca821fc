"""Text encodings: everything is converted to UTF-8.

A byte order mark decides, or how often zero bytes stand beside ASCII characters. Otherwise a file is UTF-8, unless
several of its lines that are not ASCII are not UTF-8 either: then `chardet` detects their encoding. Lines that are
UTF-8 stay so: files that were appended to by several programs are common. Where the detected encoding leaves
implausible text, the one is taken that leaves hardly any. ISO-2022 and HZ
consist of ASCII characters and are recognised by their shifts. UTF-7 is never detected: ordinary text such as
``cat+dog`` is UTF-7 too.
"""

import codecs
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO

from tagline.data.streams.chunks import chunks_of, peek, stream_of
from tagline.data.streams.plausibility import implausible_share
from tagline.errors import InputError

UTF_8 = "utf-8"
#: Takes the name of a detected encoding, and if only some of the lines are in it, the others UTF-8.
Announce = Callable[[str, bool], None]
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
# Other lines of a UTF-8 file are in one encoding if they are several, at least 2 %, and hardly any is cut UTF-8.
_FEWEST_LINES, _SMALLEST_PART, _MOST_CUT = 3, 0.02, 0.1
_JUDGED = 20_000  # bytes of which it is judged how plausible their text is
_SHIFTS = (
    (re.compile(rb"\x1b\$\)C"), "iso2022_kr"),
    (re.compile(rb"\x1b(?:\$[@B]|\(J)"), "iso2022_jp_2"),
    (re.compile(rb"~\{(?:[!-}][!-~])+?~\}"), "hz"),
)
_FEWEST_SHIFTS = 3
_SEPARATORS = re.compile('[\\s,;:|."]')
_SUSPECT_UTF16 = 0.1
_NOT_ASCII = re.compile(rb"[\x80-\xff]+")
_MARKS = re.compile(rb"^(?:\xef\xbb\xbf)+", re.MULTILINE)
_QUOTED = re.compile(rb'"[^"]*"')
_CARRIAGE_RETURNS = re.compile(rb"(\r+)(\n?)")
_BARE_CR = re.compile(rb"\r(?![\r\n])")
_SPLIT_LINES, _NEARLY_ALL = 2000, 0.9
_SAMPLE = 200_000  # bytes that the detection takes


def to_utf8(stream: BinaryIO, encoding: str | None, announce: Announce) -> BinaryIO:
    """Return the text of a stream as UTF-8 without a byte order mark, with LF or CR LF at its line ends.

    Args:
        stream: a buffered stream.
        encoding: what the text is encoded in; None to detect it.
        announce: called with a detected encoding, see `Announce`.

    """
    start = peek(stream, 1 << 12)
    marked = next((name for bom, name in _BOMS if start.startswith(bom)), None)
    if start.startswith(codecs.BOM_UTF8):
        stream.read(len(codecs.BOM_UTF8))
        chunks = chunks_of(stream)
    elif marked or encoding:
        chunks = _decoded(chunks_of(stream), marked or _with_byte_order(checked_encoding(encoding or ""), start))
    elif unmarked := unmarked_utf16(start):
        announce(unmarked.upper(), False)
        chunks = _decoded(chunks_of(stream), unmarked)
    else:
        chunks = _detected(chunks_of(stream), announce)
    return stream_of(_without_inner_marks(_line_feeds(chunks)))


def marked_encoding(start: bytes) -> str | None:
    """Return the encoding, with its byte order, that a byte order mark of UTF-16 or UTF-32 names; None without one."""
    found = next(((bom, name) for bom, name in _BOMS if start.startswith(bom)), None)
    return None if found is None else f"{found[1]}-{'le' if found[0][0] == 0xFF else 'be'}"


def _with_byte_order(encoding: str, start: bytes) -> str:
    """Return UTF-16 and UTF-32 with the byte order of a text without a mark, little-endian if it does not show."""
    if encoding == "utf-16":  # Python's decoder raises an error
        return unmarked_utf16(start) or "utf-16-le"
    if encoding == "utf-32":
        return "utf-32-be" if start.startswith(b"\0\0") else "utf-32-le"
    return encoding


def checked_encoding(name: str) -> str:
    """Return the name of an encoding as Python spells it; raise `InputError` for an unknown one."""
    with suppress(UnicodeDecodeError):  # a single byte is no UTF-16
        try:
            b"a".decode(name)
        except LookupError:
            common = "common ones are `utf-8`, `cp1252` and `utf-16`"
            raise InputError(f"`--encoding {name}`: unknown encoding; {common}.") from None
    return codecs.lookup(name).name


@dataclass(frozen=True)
class Detected:
    """The encoding of the lines that are not UTF-8; ``in_part`` if the other lines are."""

    encoding: str
    in_part: bool


def detect_encoding(data: bytes) -> Detected | None:
    """Return the encoding of whole lines of text that are not UTF-8; None if hardly any is, as in a damaged file."""
    lines = [line for line in data.split(b"\n") if not line.isascii()]
    others = [line for line in lines if not is_utf8(line)]
    if 2 * len(others) > len(lines):
        return Detected(_detect(others), len(others) < len(lines))
    if len(others) < max(_FEWEST_LINES, _SMALLEST_PART * len(lines)):
        return None
    # UTF-8 whose characters were cut is no other encoding.
    n_cut = sum(not line.decode(errors="ignore").isascii() for line in others)
    if n_cut > _MOST_CUT * len(others):
        return None
    encoding = _detect(others)
    share = implausible_share(b"\n".join(others)[:_JUDGED].decode(encoding, "replace"))
    return Detected(encoding, in_part=True) if share <= _SUSPECT else None


def _detect(lines: list[bytes]) -> str:
    """Return the encoding of lines that are not UTF-8."""
    sample = b"\n".join(lines)[:_SAMPLE]
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


def encoding_note(what: str, encoding: str, *, in_part: bool = False) -> str:
    """Say that a file, or some of its lines, are not UTF-8, and what to do if the encoding was detected wrongly."""
    subject = "some lines are not UTF-8," if in_part else "not UTF-8,"
    return f"{what}: {subject} read as {encoding}. If letters look wrong, name the encoding with `--encoding`."


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


def unmarked_utf16(start: bytes) -> str | None:
    """Recognise UTF-16: every other byte is zero, or enough are beside ASCII, such as line ends, in other scripts."""
    n_pairs = len(start) // 2
    if n_pairs < 2 or 0 not in start:
        return None
    zero_first, zero_second = start[::2].count(0), start[1::2].count(0)
    if zero_second > 0.7 * n_pairs and zero_first < 0.1 * n_pairs:
        return "utf-16-le"
    if zero_first > 0.7 * n_pairs and zero_second < 0.1 * n_pairs:
        return "utf-16-be"
    enough = max(2, 0.01 * n_pairs, (zero_first + zero_second) / 2)
    for encoding in ("utf-16-le", "utf-16-be"):
        # A character of four bytes may be cut at the end.
        text = codecs.getincrementaldecoder(encoding)("replace").decode(start)
        n_ascii = sum(" " <= character <= "~" or character in "\t\r\n" for character in text)
        if n_ascii >= enough and implausible_share(text) <= _SUSPECT_UTF16:
            return encoding
    return None


def _decoded(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    for part in chunks:
        yield decoder.decode(part).encode(errors="replace")  # UTF-7 can write lone surrogates
    yield decoder.decode(b"", final=True).encode(errors="replace")


def _detected(chunks: Iterator[bytes], announce: Announce) -> Iterator[bytes]:
    """Pass UTF-8 on, and convert another encoding; the first lines that are not ASCII decide, or later ones."""
    blocks = _whole_lines(chunks)
    encoding = None
    is_ascii = True
    for block in blocks:
        if is_ascii and block.isascii() and (shifted := shifted_encoding(block)):
            announce(shifted.upper(), False)
            yield from _decoded(chain([block], blocks), shifted)
            return
        is_ascii = is_ascii and block.isascii()
        if encoding is None and not is_utf8(block) and (found := detect_encoding(block)):
            encoding = found.encoding
            announce(encoding, found.in_part)
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
    if not _ends_lines_with_cr(first):
        yield from chain([first], chunks)
        return
    carry = b""
    for part in chain([first], chunks):
        part = carry + part
        end = len(part.rstrip(b"\r"))  # the LF of a CR LF may follow
        carry = part[end:]
        yield _CARRIAGE_RETURNS.sub(_as_line_feeds, part[:end])
    yield _CARRIAGE_RETURNS.sub(_as_line_feeds, carry)


def _as_line_feeds(found: re.Match[bytes]) -> bytes:
    return found[2] or b"\n" * len(found[1])


def _ends_lines_with_cr(start: bytes) -> bool:
    """Say whether carriage returns end lines in another way than before LF.

    Bare ones do if the rows between those outside quotes are as wide as the first; LF may end others, or be in cells.
    """
    if b"\r" not in start:
        return False
    if b"\n" not in start.rstrip() or 2 * start.count(b"\r\r\n") > start.count(b"\n"):
        return True
    unquoted = _QUOTED.sub(b"", start)
    if not _BARE_CR.search(unquoted):
        return False
    both = _share_as_wide(re.split(rb"[\r\n]+", unquoted))
    return both >= _NEARLY_ALL and both > _share_as_wide([line.strip(b"\r") for line in unquoted.split(b"\n")])


def _share_as_wide(lines: list[bytes]) -> float:
    """Return the share of rows that have as many cells as the first line, 0 if that has one."""
    head, *rows = [line for line in lines[:_SPLIT_LINES] if line] or [b""]
    n, separator = max((head.count(each), each) for each in (b",", b";", b"\t", b"|"))
    return sum(row.count(separator) == n for row in rows) / len(rows) if n and rows else 0.0


def _without_inner_marks(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Drop the byte order marks at the beginning of lines: files that were joined have them."""
    for block in _whole_lines(chunks):
        # The search for one byte takes a tenth of the time.
        marked = codecs.BOM_UTF8[:1] in block and codecs.BOM_UTF8 in block
        yield _MARKS.sub(b"", block) if marked else block
