"""Sorting ids that are close together."""

from libc.stdint cimport int32_t, int64_t, uint32_t
from libc.string cimport memset


cdef enum:
    FEW = 40  # so many numbers are sorted faster by insertion than by counting digits
    DIGIT = 8  # bits that a counting sort orders by in one pass
    RADIX = 256


cdef inline int64_t sort_ids(int32_t* ids, int64_t n, int32_t* spare) noexcept nogil:
    """Move the ids that are not negative to the front, sort them, and return their number."""
    cdef int64_t starts[RADIX]
    cdef int64_t n_known = 0, i, total, size
    cdef uint32_t all_bits = 0
    cdef int bit = 0
    cdef bint sorted_ = True
    cdef int32_t one, before = 0
    cdef int32_t* source = ids
    cdef int32_t* target = spare
    cdef int32_t* swap
    for i in range(n):
        one = ids[i]
        ids[n_known] = one
        n_known += one >= 0
        sorted_ = sorted_ and (one < 0 or one >= before)
        before = one if one >= 0 else before
    if sorted_:
        return n_known
    if n_known <= FEW:
        for i in range(1, n_known):
            one = ids[i]
            size = i - 1
            while size >= 0 and ids[size] > one:
                ids[size + 1] = ids[size]
                size -= 1
            ids[size + 1] = one
        return n_known
    for i in range(n_known):
        all_bits |= <uint32_t>ids[i]
    while bit < 32 and all_bits >> bit:
        memset(starts, 0, sizeof(starts))
        for i in range(n_known):
            starts[(<uint32_t>source[i] >> bit) & (RADIX - 1)] += 1
        total = 0
        for i in range(RADIX):
            size = starts[i]
            starts[i] = total
            total += size
        for i in range(n_known):
            size = (<uint32_t>source[i] >> bit) & (RADIX - 1)
            target[starts[size]] = source[i]
            starts[size] += 1
        swap = source
        source = target
        target = swap
        bit += DIGIT
    if source != ids:
        for i in range(n_known):
            ids[i] = source[i]
    return n_known


cdef inline int64_t sort_places(const int32_t* ids, int64_t n, int32_t* places, int32_t* spare) noexcept nogil:
    """Write the places of the ids that are not negative to ``places``, in the order of the ids; return their number."""
    cdef int64_t starts[RADIX]
    cdef int64_t n_known = 0, i, total, size
    cdef uint32_t all_bits = 0
    cdef int bit = 0
    cdef int32_t place
    cdef int32_t* source = places
    cdef int32_t* target = spare
    cdef int32_t* swap
    for i in range(n):
        places[n_known] = <int32_t>i
        n_known += ids[i] >= 0
        all_bits |= <uint32_t>ids[i] if ids[i] >= 0 else 0
    if n_known <= FEW:
        for i in range(1, n_known):
            place = places[i]
            size = i - 1
            while size >= 0 and ids[places[size]] > ids[place]:
                places[size + 1] = places[size]
                size -= 1
            places[size + 1] = place
        return n_known
    while bit < 32 and all_bits >> bit:
        memset(starts, 0, sizeof(starts))
        for i in range(n_known):
            starts[(<uint32_t>ids[source[i]] >> bit) & (RADIX - 1)] += 1
        total = 0
        for i in range(RADIX):
            size = starts[i]
            starts[i] = total
            total += size
        for i in range(n_known):
            size = (<uint32_t>ids[source[i]] >> bit) & (RADIX - 1)
            target[starts[size]] = source[i]
            starts[size] += 1
        swap = source
        source = target
        target = swap
        bit += DIGIT
    if source != places:
        for i in range(n_known):
            places[i] = source[i]
    return n_known
