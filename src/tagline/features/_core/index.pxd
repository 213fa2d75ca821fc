"""Keys of n-grams and their numbers, in a hash table."""

from libc.stdint cimport int32_t, int64_t, uint64_t

cdef extern from "prefetch.h" nogil:
    void prefetch "TAGLINE_PREFETCH"(const void* address)

cdef extern from "huge_pages.h" nogil:
    void huge_pages "TAGLINE_HUGE_PAGES"(void* address, size_t size)


# 16 bytes, four in a line of the cache.
cdef struct Entry:
    int64_t key  # -1: the entry is free
    int32_t number


cdef struct KeyTable:
    Entry* entries  # a power of 2 of them, more than half of them free
    int shift  # 64 less the bits of their number
    int64_t n_keys


cdef enum:
    FREE = -1


cdef inline int shift_of(int64_t n) noexcept nogil:
    """Return 64 less the bits of the smallest table that has twice as many places as ``n`` keys."""
    cdef int bits = 4
    while (<int64_t>1 << bits) < 2 * n:
        bits += 1
    return 64 - bits


cdef inline uint64_t home(int64_t key, int shift) noexcept nogil:
    """Return where a key is looked for first: 2**64 / golden ratio spreads keys that differ in a few bits."""
    return (<uint64_t>key * <uint64_t>0x9E3779B97F4A7C15) >> shift


cdef inline int32_t find(const KeyTable* table, int64_t key) noexcept nogil:
    """Return the number of a key, -1 for one that is not in the table."""
    cdef uint64_t mask = (<uint64_t>1 << (64 - table.shift)) - 1
    cdef uint64_t at = home(key, table.shift)
    while table.entries[at].key != key:
        if table.entries[at].key == FREE:
            return -1
        at = (at + 1) & mask
    return table.entries[at].number


cdef class Index:
    cdef KeyTable table
    cdef object owner  # of the entries; None if they are this object's
    cdef Py_ssize_t n_bytes(self)


cdef void extend(
    const KeyTable* table, const int32_t* prefixes, const int32_t* symbols, int64_t n, int order, int64_t n_symbols,
    int32_t* ids
) noexcept nogil
