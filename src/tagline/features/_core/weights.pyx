"""Weights of n-grams: document frequencies, log-count ratios and weighted rows.

A matrix of counts is CSR: row ``i`` has the columns ``indices[ends[i]]`` to ``indices[ends[i + 1]]``, ascending.
``rows`` are the numbers of the rows to read. Results do not depend on how the work is divided into ranges.
`tagline.features.weighting.native`, the only caller, checks ``ends``, ``rows`` and the lengths of the arrays; columns
and counts are checked here as they are read.
"""

from libc.math cimport sqrt
from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

ctypedef fused real:
    float
    double

NO_COLUMNS = "there are no such columns"


def count_rows(
    const int64_t[::1] ends, const int32_t[::1] indices, const int64_t[::1] rows, Py_ssize_t first, Py_ssize_t last,
    int64_t[::1] df,
):
    """Add to ``df``, (n_columns,), in how many of ``rows[first:last]`` each column occurs."""
    cdef Py_ssize_t i
    cdef int64_t j
    cdef bint outside = False
    with nogil:
        for i in range(first, last):
            for j in range(ends[rows[i]], ends[rows[i] + 1]):
                if 0 <= indices[j] < df.shape[0]:
                    df[indices[j]] += 1
                else:
                    outside = True
    if outside:
        raise IndexError(NO_COLUMNS)


def count_known(
    const int64_t[::1] ends, const int32_t[::1] indices, const int64_t[::1] rows, Py_ssize_t first, Py_ssize_t last,
    const unsigned char[::1] known, int64_t[::1] counts,
):
    """Write how many known columns, of (n_columns,), each of ``rows[first:last]`` has to ``counts``, (n_rows,)."""
    cdef Py_ssize_t i
    cdef int64_t j, n
    cdef bint outside = False
    with nogil:
        for i in range(first, last):
            n = 0
            for j in range(ends[rows[i]], ends[rows[i] + 1]):
                if 0 <= indices[j] < known.shape[0]:
                    n += known[indices[j]]
                else:
                    outside = True
            counts[i] = n
    if outside:
        raise IndexError(NO_COLUMNS)


cdef inline int64_t _first_at_least(const int32_t* values, int64_t low, int64_t high, int32_t value) noexcept nogil:
    cdef int64_t middle
    while low < high:
        middle = (low + high) // 2
        if values[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


def add_squared_ratios(
    const int64_t[::1] ends, const int32_t[::1] indices, const int64_t[::1] rows, const int64_t[::1] class_ends,
    int32_t first, int32_t last, const int64_t[::1] df, const double[::1] logs, const double[::1] shifts,
    double[::1] squares,
):
    """Add to ``squares``, (n_columns,), the squared log-count ratios of the classes for columns ``first`` … ``last``.

    ``rows`` are those of one class after the other, and class ``c`` ends at ``class_ends[c + 1]``. With p of its rows
    and q of the others containing a column, the ratio is ``logs[p] - logs[q] - shifts[c]``.
    """
    cdef Py_ssize_t c
    cdef int64_t i, j, end, of_class, of_others
    cdef int32_t column
    cdef double ratio
    cdef bint outside = False
    cdef const int32_t* columns = &indices[0]
    cdef int32_t* p = <int32_t*>calloc(last - first + 1, sizeof(int32_t))
    if p == NULL:
        raise MemoryError
    with nogil:
        for c in range(class_ends.shape[0] - 1):
            memset(p, 0, (last - first) * sizeof(int32_t))
            for i in range(class_ends[c], class_ends[c + 1]):
                end = ends[rows[i] + 1]
                j = _first_at_least(columns, ends[rows[i]], end, first)
                while j < end and first <= columns[j] < last:
                    p[columns[j] - first] += 1
                    j += 1
            for column in range(first, last):
                of_class = p[column - first]
                of_others = df[column] - of_class
                if of_class < logs.shape[0] and 0 <= of_others < logs.shape[0]:
                    ratio = logs[of_class] - logs[of_others] - shifts[c]
                    squares[column] += ratio * ratio
                else:
                    outside = True
        free(p)
    if outside:
        raise IndexError("the document frequencies are not those of the rows")


def weigh(
    const int64_t[::1] ends, const int32_t[::1] indices, const float[::1] counts, const int64_t[::1] rows,
    Py_ssize_t first, Py_ssize_t last, const float[::1] scale, const double[::1] frequencies, bint unit,
    const int64_t[::1] places, real[::1] weights,
):
    """Write the weights of ``rows[first:last]`` to ``weights``, from ``places[i]`` on.

    A weight is ``frequencies[count] * scale[column]``, divided by the length of the row if ``unit``.
    """
    cdef Py_ssize_t i
    cdef int64_t j, place
    cdef double value, length
    cdef bint outside = False
    with nogil:
        for i in range(first, last):
            for j in range(ends[rows[i]], ends[rows[i] + 1]):
                if not (0 <= indices[j] < scale.shape[0] and 0.0 <= counts[j] < frequencies.shape[0]):
                    outside = True
                    break
            if outside:
                break
            length = 0.0
            if unit:
                for j in range(ends[rows[i]], ends[rows[i] + 1]):
                    value = frequencies[<int64_t>counts[j]] * scale[indices[j]]
                    length += value * value
            length = sqrt(length) if length > 0.0 else 1.0
            place = places[i]
            for j in range(ends[rows[i]], ends[rows[i] + 1]):
                weights[place] = <real>(frequencies[<int64_t>counts[j]] * scale[indices[j]] / length)
                place += 1
    if outside:
        raise IndexError("there are no such columns or counts")


def copy_columns(
    const int64_t[::1] ends, const int32_t[::1] indices, const int64_t[::1] rows, Py_ssize_t first, Py_ssize_t last,
    int32_t offset, const int64_t[::1] places, int32_t[::1] columns,
):
    """Write the columns of ``rows[first:last]``, plus ``offset``, to ``columns``, from ``places[i]`` on."""
    cdef Py_ssize_t i
    cdef int64_t j, place
    with nogil:
        for i in range(first, last):
            place = places[i]
            for j in range(ends[rows[i]], ends[rows[i] + 1]):
                columns[place] = indices[j] + offset
                place += 1
