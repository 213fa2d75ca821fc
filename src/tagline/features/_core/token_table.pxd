"""The hash table of tokens."""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

from tagline.features._core.arrow cimport Texts
from tagline.features._core.buffers cimport Ids
from tagline.features._core.tokens cimport Scratch


# 16 bytes, four in a line of the cache.
cdef struct Slot:
    uint64_t prefix  # the first 8 bytes, 0 after the end
    uint32_t tag  # the length, 255 for 255 and more, in the upper 8 bits; bits of the hash in the others
    int32_t entry  # -1: the slot is free


cdef struct Table:
    Slot* slots
    size_t n_slots  # a power of 2; more than half are free
    unsigned char* bytes  # of the entries, one after the other
    size_t byte_capacity
    int64_t* ends  # of entry i: from ends[i] to ends[i + 1]
    size_t end_capacity
    int32_t n_entries
    int32_t n_stop_words  # the first entries are stop words


cdef int open_table(Table* table) noexcept nogil
cdef void free_table(Table* table) noexcept nogil
cdef int fill(Table* table, Texts tokens) except -1
cdef int fill_stop_words(Table* table, stop_words) except -1
cdef int32_t insert_entry(Table* table, const Table* other, int32_t entry) noexcept nogil
cdef int insert_all(Table* table, Scratch* scratch, Ids* ids) noexcept nogil
cdef int find_all(Table* table, Scratch* scratch, Ids* ids) noexcept nogil
cdef bint is_stop_word(Table* table, const unsigned char* token, size_t length) noexcept nogil
