"""Texts in pieces: the buffers stay in the cache however long a text is, and the work on it can be interrupted.

Pieces end where no rule looks across: before white space, except for that of `<br   >`, and between two characters of
scripts without spaces, except in a host name.
"""

from libc.stdint cimport uint32_t

from tagline.features._core.arrow cimport Text
from tagline.features._core.buffers cimport NO_MEMORY
from tagline.features._core.characters cimport CHANGED, SPACE, UNSPACED, class_of, decode, decode_last
from tagline.features._core.composition cimport combining_of
from tagline.features._core.tokens cimport Scratch, Settings, clean_piece, read_tokens


cdef enum:
    PIECE = 1 << 16


cdef int next_tokens(Scratch* scratch, Settings settings, const Text* texts, Place* place) noexcept nogil:
    """Put the next tokens of the text at hand into ``scratch``; return 1, or 0 at its end, or `NO_MEMORY`."""
    cdef const Text* text = &texts[place.text]
    cdef size_t before
    while True:
        if place.start < place.stop:
            before = scratch.read
            if read_tokens(scratch, settings):
                place.read += scratch.read - before
                return 1
            place.start = place.stop
        if place.start == text.length:
            return 0
        place.stop = piece_end(text.start, place.start, text.length)
        if clean_piece(scratch, settings, text.start + place.start, place.stop - place.start) < 0:
            return NO_MEMORY


cdef void next_text(Place* place) noexcept nogil:
    place.text += 1
    place.start = place.stop = 0


cdef size_t piece_end(const unsigned char* text, size_t start, size_t length) noexcept nogil:
    """Return where the piece that begins at ``start`` ends."""
    cdef size_t at = start + PIECE, width = 0
    cdef uint32_t before
    cdef bint in_host
    if length - start <= PIECE:
        return length
    in_host = may_be_in_host(text, start, at)
    while at < length:
        if text[at] == c' ' or text[at] == c'\n':
            before = decode_last(text, at, &width)
            if before != c'r' and before != c'R' and not class_of(before) & SPACE:
                return at
        elif text[at] == c'/':
            in_host = ends_two_slashes(text, at)
        elif text[at] >= 0xC0 and not in_host and parts_characters(text, at, length):
            return at
        at += 1
    return length


cdef bint may_be_in_host(const unsigned char* text, size_t start, size_t at) noexcept nogil:
    """Say whether two slashes come before ``at``, with neither a space nor a slash since."""
    while at > start:
        at -= 1
        if text[at] == c' ' or text[at] == c'\n':
            return False
        if text[at] == c'/':
            return ends_two_slashes(text, at)
    return False


cdef bint ends_two_slashes(const unsigned char* text, size_t at) noexcept nogil:
    """Say whether the slash at ``at`` may come after another one: characters between may be dropped."""
    cdef size_t width = 0
    cdef uint32_t before
    if at == 0:
        return False
    before = decode_last(text, at, &width)
    return before == c'/' or class_of(before) & CHANGED


cdef bint parts_characters(const unsigned char* text, size_t at, size_t length) noexcept nogil:
    """Say whether two characters that are nothing but unspaced meet at ``at``, and NFC does not join them."""
    cdef size_t width = 0
    cdef uint32_t before = decode_last(text, at, &width), after = decode(text + at, length - at, &width)
    return (
        class_of(before) == UNSPACED and class_of(after) == UNSPACED
        and not combining_of(before) and not combining_of(after)
    )
