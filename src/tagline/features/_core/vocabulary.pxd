"""Tokens and their ids, in a hash table."""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

from tagline.features._core.tokens cimport Scratch, Settings


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
    int32_t n_left_out  # the first entries are stop words


cdef struct Ids:
    int32_t* data
    size_t size
    size_t capacity


cdef class Vocabulary:
    cdef Table table
    cdef Settings settings


cdef int reserve_ids(Ids* ids, size_t needed) noexcept nogil
cdef int find_all(Table* table, Scratch* scratch, Ids* ids) noexcept nogil
cdef bint is_left_out(Table* table, const unsigned char* token, size_t length) noexcept nogil
