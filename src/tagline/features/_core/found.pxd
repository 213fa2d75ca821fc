"""The columns of a text that were found, and their counts."""

from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport calloc

from tagline.features._core.buffers cimport NO_MEMORY, Ids, reserve_ids
from tagline.features._core.sorting cimport sort_ids


# The columns of a text in a block.
cdef struct Found:
    Ids columns  # in the order of their occurrence
    int32_t* counts  # of each column, those of earlier steps; NULL before the first long text, zero between texts
    int64_t n_counted


cdef inline int64_t count_equal(int32_t* ids, int64_t n, int32_t* counts, int64_t* largest) noexcept nogil:
    """Leave each of some sorted ids once, with its count in ``counts``, and return their number."""
    cdef int64_t i, distinct = 0
    largest[0] = 0
    for i in range(n):
        if distinct and ids[distinct - 1] == ids[i]:
            counts[distinct - 1] += 1
        else:
            ids[distinct] = ids[i]
            counts[distinct] = 1
            distinct += 1
        largest[0] = max(largest[0], counts[distinct - 1])
    return distinct


cdef inline int count_columns(Found* found, int64_t n_columns) noexcept nogil:
    """Count the columns found so far."""
    cdef size_t i
    if found.counts == NULL:
        found.counts = <int32_t*>calloc(n_columns + 1, sizeof(int32_t))
        if found.counts == NULL:
            return NO_MEMORY
    for i in range(found.columns.size):
        found.counts[found.columns.data[i]] += 1
    found.n_counted += found.columns.size
    found.columns.size = 0
    return 0


cdef inline int64_t list_columns(Found* found, Ids* counts, int64_t n_columns, int64_t* largest) noexcept nogil:
    """Leave each column found once, ascending, with its count in ``counts``, and return their number."""
    cdef int64_t column, distinct = 0, n = found.columns.size
    largest[0] = 0
    if found.n_counted == 0:
        if reserve_ids(counts, n) < 0:
            return NO_MEMORY
        sort_ids(found.columns.data, n, counts.data)
        return count_equal(found.columns.data, n, counts.data, largest)
    if count_columns(found, n_columns) < 0:
        return NO_MEMORY
    if reserve_ids(&found.columns, n_columns) < 0 or reserve_ids(counts, n_columns) < 0:
        return NO_MEMORY
    for column in range(n_columns):
        if found.counts[column]:
            found.columns.data[distinct] = <int32_t>column
            counts.data[distinct] = found.counts[column]
            largest[0] = max(largest[0], <int64_t>found.counts[column])
            found.counts[column] = 0
            distinct += 1
    found.n_counted = 0
    return distinct
