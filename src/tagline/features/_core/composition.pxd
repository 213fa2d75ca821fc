"""The normal form NFC (Unicode Standard Annex 15)."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from tagline.features._core.buffers cimport Bytes, Points


cdef extern from "composition_tables.h" nogil:
    const uint16_t combining_page[]
    const uint8_t combining[]


cdef struct Composer:
    Points points  # of the characters at hand, decomposed
    Points sorted


# A byte of the table `combining`: the rank of the canonical combining class, and whether NFC replaces the character or
# composes it with one before it.
cdef enum:
    RANK = 0x7F
    UNSTABLE = 0x80


cdef inline uint8_t combining_of(uint32_t point) noexcept nogil:
    return combining[(<size_t>combining_page[point >> 8] << 8) | (point & 255)]


cdef void free_composer(Composer* composer) noexcept nogil
cdef size_t composed_prefix(const unsigned char* text, size_t length) noexcept nogil
cdef int compose(Composer* composer, const unsigned char* text, size_t length, Bytes* to) noexcept nogil
