"""A text to its tokens, by the rules of `tagline.features.tokenizer.RULES`, in three passes over a piece of the text.

A piece is composed (NFC, if it is not) and cleaned (lower case and replacements) by `clean_piece`, and split by
`read_tokens`. `pieces` says where texts are cut.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memcmp, memcpy, memset

from tagline.features._core.buffers cimport NO_MEMORY, reserve_bytes
from tagline.features._core.characters cimport (
    CASED, CHANGED, IGNORED_BY_CASE, LETTER, LOWER_FIRST, LOWER_PAIR_OF, LOWER_SECOND, MARK, PICTOGRAPH, SPACE,
    UNSPACED, class_of, decode, decode_last, encode, lower_of,
)
from tagline.features._core.composition cimport compose, composed_prefix, free_composer

from tagline.features.tokenizer import KERAS_SEPARATORS


# Kinds of bytes.
cdef enum:
    BETWEEN  # white space, or what Keras splits at
    WORD
    SIGN
    BEYOND_ASCII

cdef enum:
    SIGMA = 0x3A3
    FINAL_SIGMA = 0x3C2
    QUOTE = 0x2019  # becomes an apostrophe
    SOFT_HYPHEN = 0xAD
    ZERO_WIDTH_SPACE = 0x200B
    BYTE_ORDER_MARK = 0xFEFF
    JOINER = 0x200D

cdef extern from "eight_bytes.h" nogil:
    const uint64_t EACH  # of 8 bytes the lowest bit
    const uint64_t HIGH  # and the highest one
    int first_high(uint64_t eight)

cdef uint8_t[256] unicode_kinds, keras_kinds, lower_bytes


def _fill_tables():
    cdef int byte
    for byte in range(256):
        lower_bytes[byte] = byte + 32 if c'A' <= byte <= c'Z' else byte
        if byte >= 128:
            unicode_kinds[byte] = keras_kinds[byte] = BEYOND_ASCII
            continue
        flags = class_of(byte)
        unicode_kinds[byte] = BETWEEN if flags & SPACE else WORD if flags & LETTER else SIGN
        keras_kinds[byte] = BETWEEN if chr(byte) in KERAS_SEPARATORS else WORD


_fill_tables()


cdef class Workspace:
    """The memory of one thread, kept from text to text."""

    def __dealloc__(self):
        free_scratch(&self.scratch)


cdef Settings read_settings(object rule, object nfc) except *:
    """Return a tokenizer's settings; a rule that does not exist raises `ValueError`."""
    cdef Settings settings
    if rule not in ("unicode", "keras"):
        raise ValueError(f"no compiled rule `{rule}`")
    settings.keras = rule == "keras"
    settings.nfc = bool(nfc)
    return settings


cdef void free_scratch(Scratch* scratch) noexcept nogil:
    free(scratch.composed.data)
    free(scratch.clean.data)
    free_composer(&scratch.composer)


cdef int clean_piece(Scratch* scratch, Settings settings, const unsigned char* text, size_t length) noexcept nogil:
    """Put a piece into ``scratch``, composed and clean; return 0 or `NO_MEMORY`."""
    cdef size_t prefix = ascii_prefix(text, length)
    if prefix < length and settings.nfc:
        prefix = composed_prefix(text, length)
        if prefix < length:
            scratch.composed.size = 0
            if compose(&scratch.composer, text, length, &scratch.composed) < 0:
                return NO_MEMORY
            text = scratch.composed.data
            length = scratch.composed.size
    # A character is at most 3/2 times as long in lower case, and İ has two characters in 3 bytes.
    if reserve_bytes(&scratch.clean, length + length // 2 + CLEAN_PADDING) < 0:
        return NO_MEMORY
    clean(text, length, settings.keras, &scratch.clean)
    memset(scratch.clean.data + scratch.clean.size, 0, CLEAN_PADDING)
    scratch.read = 0
    return 0


cdef size_t read_tokens(Scratch* scratch, Settings settings) noexcept nogil:
    """Put the next tokens of the piece, `MOST_TOKENS` at most, into ``scratch``; return how many, 0 at the end."""
    scratch.n_tokens = 0
    scratch.read = split_keras(scratch) if settings.keras else split_unicode(scratch)
    return scratch.n_tokens


cdef size_t ascii_prefix(const unsigned char* text, size_t length) noexcept nogil:
    cdef size_t at = 0
    cdef uint64_t eight
    while at + 8 <= length:
        memcpy(&eight, text + at, 8)
        if eight & HIGH:
            break
        at += 8
    while at < length and text[at] < 0x80:
        at += 1
    return at


# Clean.

cdef void clean(const unsigned char* text, size_t length, bint keras, Bytes* to) noexcept nogil:
    """Write the text in lower case, and after the replacements if the rule has any."""
    cdef size_t at = 0, width = 0
    cdef unsigned char* out = to.data
    cdef unsigned char byte
    cdef uint64_t eight
    while at < length:
        while at + 8 <= length:
            memcpy(&eight, text + at, 8)
            if not is_plain(eight):
                break
            eight = lower_eight(eight)
            memcpy(out, &eight, 8)
            out += 8
            at += 8
        if at == length:
            break
        byte = text[at]
        if byte < 0x80:
            if byte == c'<' and not keras:
                width = line_break(text + at, length - at)
                if width:
                    out[0] = c' '
                    out += 1
                    at += width
                    continue
            out[0] = lower_bytes[byte]
            out += 1
            at += 1
            continue
        out += clean_character(text, at, length, keras, out, &width)
        at += width
    to.size = out - to.data


cdef inline bint is_plain(uint64_t eight) noexcept nogil:
    """Say whether 8 bytes are ASCII and none of them is `<`."""
    cdef uint64_t others = eight ^ c'<' * EACH
    return not (eight | ((others - EACH) & ~others)) & HIGH


cdef inline uint64_t lower_eight(uint64_t eight) noexcept nogil:
    """Return 8 bytes of ASCII in lower case: those from A to Z get the bit 0x20."""
    cdef uint64_t from_a = eight + (0x80 - c'A') * EACH, after_z = eight + (0x7F - c'Z') * EACH
    return eight | ((from_a ^ after_z) & HIGH) >> 2


cdef size_t line_break(const unsigned char* text, size_t length) noexcept nogil:
    r"""Return the bytes of `<br\s*/?>` at the start of a text, in upper or lower case; 0 if it is something else."""
    cdef size_t at = 3, width = 0
    if length < 4 or (text[1] | 32) != c'b' or (text[2] | 32) != c'r':
        return 0
    while at < length and class_of(decode(text + at, length - at, &width)) & SPACE:
        at += width
    if at < length and text[at] == c'/':
        at += 1
    return at + 1 if at < length and text[at] == c'>' else 0


cdef size_t clean_character(
    const unsigned char* text, size_t at, size_t length, bint keras, unsigned char* out, size_t* width
) noexcept nogil:
    """Write what becomes of the character beyond ASCII at ``at``; return the bytes written, and set those read."""
    cdef uint32_t point = decode(text + at, length - at, width)
    cdef size_t written
    if not class_of(point) & CHANGED:
        memcpy(out, text + at, width[0])
        return width[0]
    if point == SIGMA:
        return encode(FINAL_SIGMA if ends_word(text, at, length) else lower_of(point), out)
    if point == LOWER_PAIR_OF:
        written = encode(LOWER_FIRST, out)
        return written + encode(LOWER_SECOND, out + written)
    if not keras:
        if point == QUOTE:
            out[0] = c"'"
            return 1
        if point == SOFT_HYPHEN or point == ZERO_WIDTH_SPACE or point == BYTE_ORDER_MARK:
            return 0
    return encode(lower_of(point), out)


cdef bint ends_word(const unsigned char* text, size_t at, size_t length) noexcept nogil:
    """Say whether the Σ at ``at`` comes after a cased letter and not before one; some characters between do not count.

    That is `Final_Sigma` of the Unicode Standard, section 3.13.
    """
    cdef size_t width = 0, before = at
    cdef uint8_t flags = 0
    while before:
        flags = class_of(decode_last(text, before, &width))
        if not flags & IGNORED_BY_CASE:
            break
        flags = 0
        before -= width
    if not flags & CASED:
        return False
    at += 2
    while at < length:
        flags = class_of(decode(text + at, length - at, &width))
        if not flags & IGNORED_BY_CASE:
            return not flags & CASED
        at += width
    return True


# Split.

cdef inline void add(Scratch* scratch, size_t start, size_t stop) noexcept nogil:
    scratch.tokens[scratch.n_tokens].start = start
    scratch.tokens[scratch.n_tokens].length = stop - start
    scratch.n_tokens += 1


cdef inline size_t plain_letters(const unsigned char* text) noexcept nogil:
    """Return how many of the first 8 bytes, in lower case, are ASCII letters and digits before another one."""
    cdef uint64_t eight, low, letters, digits, others
    memcpy(&eight, text, 8)
    low = eight & ~HIGH
    letters = (low + (0x80 - c'a') * EACH) & ~(low + (0x7F - c'z') * EACH)
    digits = (low + (0x80 - c'0') * EACH) & ~(low + (0x7F - c'9') * EACH)
    others = (~(letters | digits) | eight) & HIGH
    return first_high(others) if others else 8


cdef size_t split_keras(Scratch* scratch) noexcept nogil:
    """Go on until the end or `MOST_TOKENS`, and return where."""
    cdef const unsigned char* text = scratch.clean.data
    cdef size_t length = scratch.clean.size, at = scratch.read, start = at, width = 0
    cdef uint8_t kind
    while at < length and scratch.n_tokens < MOST_TOKENS - 1:  # the word so far begins at `start`
        kind = keras_kinds[text[at]]
        if kind == WORD:
            at += 1 + plain_letters(text + at + 1)
            continue
        if kind == BEYOND_ASCII and not class_of(decode(text + at, length - at, &width)) & UNSPACED:
            at += width
            continue
        if start < at:
            add(scratch, start, at)
        if kind == BETWEEN:
            at += 1
        else:
            start = at
            at = with_marks(text, length, at + width)
            add(scratch, start, at)
        start = at
    if start < at:
        add(scratch, start, at)
    return at


cdef size_t split_unicode(Scratch* scratch) noexcept nogil:
    """Go on until the end or `MOST_TOKENS`, and return where."""
    cdef const unsigned char* text = scratch.clean.data
    cdef size_t length = scratch.clean.size, at = scratch.read, start, width = 0
    cdef uint32_t point
    cdef uint8_t kind, flags
    while at < length and scratch.n_tokens < MOST_TOKENS:
        start = at
        kind = unicode_kinds[text[at]]
        if kind == BETWEEN:
            at += 1
            continue
        if kind == WORD:
            at = end_of_host(text, length, at) if text[at] == c'h' else 0
            if not at:
                at = end_of_word(text, length, start + 1)
        elif kind == SIGN:
            at += 1
        else:
            point = decode(text + at, length - at, &width)
            flags = class_of(point)
            at += width
            if flags & LETTER:
                at = end_of_word(text, length, at)
            elif flags & UNSPACED:
                at = with_marks(text, length, at)
            elif flags & PICTOGRAPH:
                at = end_of_emoji(text, length, at)
            elif flags & SPACE:
                continue
            elif is_regional(point) and at < length and is_regional(decode(text + at, length - at, &width)):
                at += width
        add(scratch, start, at)
    return at


cdef inline bint is_regional(uint32_t point) noexcept nogil:
    """Say whether a character is a letter of a flag."""
    return 0x1F1E6 <= point <= 0x1F1FF


cdef inline size_t end_of_word(const unsigned char* text, size_t length, size_t at) noexcept nogil:
    """Return the end of the letters from ``at`` on, after at least one; an apostrophe between letters is one."""
    cdef size_t width = 0
    cdef uint8_t kind
    while at < length:
        kind = unicode_kinds[text[at]]
        if kind == WORD:
            at += 1 + plain_letters(text + at + 1)
        elif kind == BEYOND_ASCII:
            if not class_of(decode(text + at, length - at, &width)) & LETTER:
                break
            at += width
        elif text[at] == c"'" and at + 1 < length and class_of(decode(text + at + 1, length - at - 1, &width)) & LETTER:
            at += 1 + width
        else:
            break
    return at


cdef size_t end_of_host(const unsigned char* text, size_t length, size_t at) noexcept nogil:
    """Return the end of a scheme and host, `https?://[^\\s/<>\"]+`; 0 if it is something else."""
    cdef size_t start, width = 0
    if length - at < 8 or memcmp(text + at, b"http", 4):
        return 0
    at += 5 if text[at + 4] == c's' else 4
    if length - at < 4 or memcmp(text + at, b"://", 3):
        return 0
    at += 3
    start = at
    while at < length:
        if text[at] == c'/' or text[at] == c'<' or text[at] == c'>' or text[at] == c'"':
            break
        if class_of(decode(text + at, length - at, &width)) & SPACE:
            break
        at += width
    return at if at > start else 0


cdef size_t with_marks(const unsigned char* text, size_t length, size_t at) noexcept nogil:
    """Return the end of the marks from ``at`` on."""
    cdef size_t width = 0
    while at < length and class_of(decode(text + at, length - at, &width)) & MARK:
        at += width
    return at


cdef size_t end_of_emoji(const unsigned char* text, size_t length, size_t at) noexcept nogil:
    """Return the end of an emoji whose first character ends at ``at``: modifiers, tags, and emoji joined to it."""
    cdef size_t width = 0, joined = 0
    cdef uint32_t point
    while at < length:
        point = decode(text + at, length - at, &width)
        if point == 0xFE0F or 0x1F3FB <= point <= 0x1F3FF or 0xE0020 <= point <= 0xE007F:
            at += width
        elif (
            point == JOINER
            and at + width < length
            and class_of(decode(text + at + width, length - at - width, &joined)) & PICTOGRAPH
        ):
            at += width + joined
        else:
            break
    return at
