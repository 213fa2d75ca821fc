"""The n-grams of words or characters of a linear model, and their columns in a text."""

from libc.stdint cimport int32_t, int64_t

from tagline.features._core.buffers cimport Ids
from tagline.features._core.index cimport KeyTable

cdef enum:
    ASCII = 128


# The n-grams of words or characters, and what they weigh.
cdef struct Grams:
    bint of_words
    int min_n
    int max_n
    int64_t n_symbols
    const KeyTable** orders  # of order 2, 3, ...
    const KeyTable* alphabet  # code points to symbols
    int32_t[ASCII] ascii  # the same
    int64_t n_columns
    const float* weights  # of each column its scale and its coefficients; NULL without a `Scorer`
    int64_t n_weights


cdef class Block:
    cdef Grams grams
    cdef object owners


cdef int append_columns(
    const Grams* grams, const Ids* symbols, size_t n_starts, Ids* level, Ids* places, Ids* columns
) noexcept nogil
cdef int append_word(
    const Grams* grams, const unsigned char* word, size_t length, Ids* characters, Ids* level, Ids* columns
) noexcept nogil
cdef int64_t n_grams_of(const Grams* grams, int64_t n_symbols) noexcept nogil
