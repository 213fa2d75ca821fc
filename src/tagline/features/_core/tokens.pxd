"""A text to its tokens, by the rules of `tagline.features.tokenizer.RULES`."""

from tagline.features._core.buffers cimport Bytes
from tagline.features._core.composition cimport Composer


cdef struct Settings:
    bint keras  # the rule "keras", otherwise "unicode"
    bint nfc


cdef struct Token:
    size_t start  # in the clean text
    size_t length  # in bytes


# The memory of one thread; all zero at first.
cdef struct Scratch:
    Bytes composed
    Bytes clean  # with CLEAN_PADDING bytes after its end
    Composer composer
    Token* tokens  # of the piece at hand
    size_t n_tokens
    size_t token_capacity


cdef enum:
    CLEAN_PADDING = 8


cdef class Workspace:
    cdef Scratch scratch


cdef Settings read_settings(object rule, object nfc) except *
cdef void free_scratch(Scratch* scratch) noexcept nogil
cdef size_t piece_end(const unsigned char* text, size_t start, size_t length) noexcept nogil
cdef int tokenize_piece(Scratch* scratch, Settings settings, const unsigned char* text, size_t length) noexcept nogil
