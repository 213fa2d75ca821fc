"""Sorting ids that are close together."""

from libc.stdint cimport int32_t, int64_t, uint32_t
from libc.string cimport memset


cdef enum:
    FEW = 40  # so many numbers are sorted faster by insertion than by counting digits
    DIGIT = 8  # bits that a counting sort orders by in one pass
    RADIX = 256


cdef inline int64_t sort_ids(int32_t* ids, int64_t n, int32_t* spare) noexcept nogil:
    """Move the ids that are not negative to the front, sort them, and return their number."""
    cdef int64_t n_known = 0, i
    cdef bint ascending = True
    cdef int32_t one, before = 0
    for i in range(n):
        one = ids[i]
        ids[n_known] = one
        n_known += one >= 0
        ascending = ascending and (one < 0 or one >= before)
        before = one if one >= 0 else before
    if not ascending:
        sort_by(NULL, ids, n_known, spare)
    return n_known


cdef inline int64_t sort_places(const int32_t* ids, int64_t n, int32_t* places, int32_t* spare) noexcept nogil:
    """Write the places of the ids that are not negative to ``places``, in the order of the ids; return their number."""
    cdef int64_t n_known = 0, i
    for i in range(n):
        places[n_known] = <int32_t>i
        n_known += ids[i] >= 0
    sort_by(ids, places, n_known, spare)
    return n_known


cdef inline uint32_t key_of(const int32_t* ids, int32_t value) noexcept nogil:
    return <uint32_t>(value if ids == NULL else ids[value])


cdef inline void sort_by(const int32_t* ids, int32_t* values, int64_t n, int32_t* spare) noexcept nogil:
    """Sort values by the ids at these places, or by themselves if ``ids`` is NULL; no key is negative."""
    cdef int64_t starts[RADIX]
    cdef int64_t i, total, size
    cdef uint32_t all_bits = 0, digit
    cdef int bit = 0
    cdef int32_t one
    cdef int32_t* source = values
    cdef int32_t* target = spare
    cdef int32_t* swap
    if n <= FEW:
        for i in range(1, n):
            one = values[i]
            size = i - 1
            while size >= 0 and key_of(ids, values[size]) > key_of(ids, one):
                values[size + 1] = values[size]
                size -= 1
            values[size + 1] = one
        return
    for i in range(n):
        all_bits |= key_of(ids, values[i])
    while bit < 32 and all_bits >> bit:
        memset(starts, 0, sizeof(starts))
        for i in range(n):
            starts[(key_of(ids, source[i]) >> bit) & (RADIX - 1)] += 1
        total = 0
        for i in range(RADIX):
            size = starts[i]
            starts[i] = total
            total += size
        for i in range(n):
            digit = (key_of(ids, source[i]) >> bit) & (RADIX - 1)
            target[starts[digit]] = source[i]
            starts[digit] += 1
        swap = source
        source = target
        target = swap
        bit += DIGIT
    if source != values:
        for i in range(n):
            values[i] = source[i]
