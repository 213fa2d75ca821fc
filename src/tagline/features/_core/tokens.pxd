"""A text to its tokens, by the rules of `tagline.features.tokenizer.RULES`."""

from tagline.features._core.buffers cimport Bytes
from tagline.features._core.composition cimport Composer


cdef struct Settings:
    bint keras  # the rule "keras", otherwise "unicode"
    bint nfc


cdef struct Token:
    size_t start  # in the clean text
    size_t length  # in bytes


cdef enum:
    MOST_TOKENS = 512  # read at once
    CLEAN_PADDING = 8


# The memory of one thread; all zero at first.
cdef struct Scratch:
    Bytes composed
    Bytes clean  # with CLEAN_PADDING bytes after its end
    Composer composer
    size_t read  # how much of `clean` was split into tokens
    Token[MOST_TOKENS] tokens  # the last ones of it
    size_t n_tokens


cdef class Workspace:
    cdef Scratch scratch


cdef Settings read_settings(object rule, object nfc) except *
cdef void free_scratch(Scratch* scratch) noexcept nogil
cdef int clean_piece(Scratch* scratch, Settings settings, const unsigned char* text, size_t length) noexcept nogil
cdef size_t read_tokens(Scratch* scratch, Settings settings) noexcept nogil
