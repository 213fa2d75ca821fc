"""UTF-8, and what the Unicode tables say about a code point (see tools/unicode_tables.py)."""

from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t


cdef extern from "character_tables.h" nogil:
    const uint16_t classes_page[]
    const uint8_t classes[]
    const uint16_t lower_steps_page[]
    const int32_t lower_steps[]
    const uint32_t LOWER_PAIR_OF, LOWER_FIRST, LOWER_SECOND


# Bits of a class; CHANGED: not the same in lower case, or dropped or replaced before the split.
cdef enum:
    LETTER = 1
    UNSPACED = 2
    MARK = 4
    SPACE = 8
    PICTOGRAPH = 16
    CASED = 32
    IGNORED_BY_CASE = 64
    CHANGED = 128


cdef inline uint8_t class_of(uint32_t point) noexcept nogil:
    return classes[(<size_t>classes_page[point >> 8] << 8) | (point & 255)]


cdef inline uint32_t lower_of(uint32_t point) noexcept nogil:
    return point + lower_steps[(<size_t>lower_steps_page[point >> 8] << 8) | (point & 255)]


cdef inline uint32_t decode(const unsigned char* text, size_t length, size_t* width) noexcept nogil:
    """Return the first code point of a text of at least one byte, and its bytes; U+FFFD for what is not UTF-8."""
    cdef uint32_t first = text[0]
    width[0] = 1
    if first < 0x80:
        return first
    if first >= 0xC2 and first < 0xE0 and length >= 2:
        width[0] = 2
        return (first & 0x1F) << 6 | (text[1] & 0x3F)
    if first >= 0xE0 and first < 0xF0 and length >= 3:
        width[0] = 3
        return (first & 0x0F) << 12 | (text[1] & 0x3F) << 6 | (text[2] & 0x3F)
    if first >= 0xF0 and first < 0xF5 and length >= 4:
        width[0] = 4
        first = (first & 0x07) << 18 | (text[1] & 0x3F) << 12 | (text[2] & 0x3F) << 6 | (text[3] & 0x3F)
        return first if first < 0x110000 else 0xFFFD
    return 0xFFFD


cdef inline uint32_t decode_last(const unsigned char* text, size_t length, size_t* width) noexcept nogil:
    """Return the last code point of a text of at least one byte, and its bytes."""
    cdef size_t start = length - 1
    while start > 0 and length - start < 4 and (text[start] & 0xC0) == 0x80:
        start -= 1
    width[0] = length - start
    return decode(text + start, length - start, &start)


cdef inline size_t encode(uint32_t point, unsigned char* to) noexcept nogil:
    """Write a code point, and return its bytes, 4 at most."""
    if point < 0x80:
        to[0] = point
        return 1
    if point < 0x800:
        to[0] = 0xC0 | point >> 6
        to[1] = 0x80 | (point & 0x3F)
        return 2
    if point < 0x10000:
        to[0] = 0xE0 | point >> 12
        to[1] = 0x80 | (point >> 6 & 0x3F)
        to[2] = 0x80 | (point & 0x3F)
        return 3
    to[0] = 0xF0 | point >> 18
    to[1] = 0x80 | (point >> 12 & 0x3F)
    to[2] = 0x80 | (point >> 6 & 0x3F)
    to[3] = 0x80 | (point & 0x3F)
    return 4
