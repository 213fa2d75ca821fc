"""Texts in pieces."""

from tagline.features._core.arrow cimport Text
from tagline.features._core.tokens cimport Scratch, Settings


cdef struct Place:
    Py_ssize_t text
    size_t start  # of the piece at hand, in the text
    size_t stop  # its end; the same as the start before it is read
    size_t read  # bytes of all texts that were split so far


cdef int next_tokens(Scratch* scratch, Settings settings, const Text* texts, Place* place) noexcept nogil
cdef void next_text(Place* place) noexcept nogil
