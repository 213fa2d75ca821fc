"""Beam search in a label tree: rows to their most probable leaves. Loops run without the interpreter's lock."""

from libc.math cimport exp
from libc.stdint cimport int32_t, int64_t, uint16_t

import numpy as np


def search(
    const int64_t[::1] ends, const int32_t[::1] indices, const double[::1] values,
    const int64_t[::1] starts, const int64_t[::1] row_starts, const int32_t[::1] columns,
    const int64_t[::1] entry_starts, const uint16_t[::1] children, const float[::1] weights,
    const float[::1] bias, const double[::1] slopes, double elsewhere, Py_ssize_t beam, Py_ssize_t most_children,
    Py_ssize_t first, Py_ssize_t last, int64_t[:, ::1] leaves, double[:, ::1] proba,
):
    """Write the best leaves and their probabilities, (n_rows, k), of rows ``first`` to ``last``, last excluded.

    Row ``i`` has the columns ``indices[ends[i]]`` to ``indices[ends[i + 1]]``, in ascending order. The arrays of the
    tree are those of `LabelTree`, which has checked them; ``most_children`` is the largest number of children. ``beam``
    nodes are kept in each level but the last.
    """
    cdef Py_ssize_t k = leaves.shape[1], widest = max(beam, k), depth = slopes.shape[0]
    cdef Py_ssize_t i, level, b, c, n_beam, n_found, keep, child_count
    cdef int64_t j, node, output, at, stop, middle, low, entry, n_nodes = starts.shape[0] - 1
    cdef double value, slack, score, highest, total
    cdef int32_t column
    cdef int64_t n_entries = min(indices.shape[0], values.shape[0])
    cdef bint outside = False
    if (
        not 0 <= first <= last <= min(ends.shape[0] - 1, leaves.shape[0], proba.shape[0])
        or proba.shape[1] != k or k < 1 or beam < 1 or depth < 1
    ):
        raise ValueError("the arrays do not fit together")
    cdef double[::1] z = np.empty(most_children)
    cdef int64_t[:, ::1] nodes = np.empty((2, widest), dtype=np.int64)
    cdef double[:, ::1] paths = np.empty((2, widest))
    cdef Py_ssize_t now, following
    with nogil:
        for i in range(first, last):
            if not 0 <= ends[i] <= ends[i + 1] <= n_entries:
                outside = True
                break
            now = 0
            n_beam = 1
            nodes[0, 0] = 0
            paths[0, 0] = 0.0
            for level in range(depth):
                following = 1 - now
                keep = beam if level < depth - 1 else k
                n_found = 0
                highest = -elsewhere
                total = 1.0
                for b in range(n_beam):
                    node = nodes[now, b]
                    output = starts[node]
                    child_count = starts[node + 1] - output
                    for c in range(child_count):
                        z[c] = 0.0
                    at = row_starts[node]
                    stop = row_starts[node + 1]
                    for j in range(ends[i], ends[i + 1]):
                        column = indices[j]
                        low = stop
                        while at < low:  # the first column of the node that is not below
                            middle = (at + low) // 2
                            if columns[middle] < column:
                                at = middle + 1
                            else:
                                low = middle
                        if at < stop and columns[at] == column:
                            value = values[j]
                            for entry in range(entry_starts[at], entry_starts[at + 1]):
                                z[children[entry]] += value * weights[entry]
                    for c in range(child_count):
                        slack = 1.0 - (z[c] + bias[output + c])
                        score = paths[now, b]
                        if slack > 0.0:
                            score -= slopes[level] * slack * slack
                        n_found = insert(
                            &nodes[following, 0], &paths[following, 0], n_found, keep, output + c + 1, score
                        )
                        if level == depth - 1:  # the sum of exp(score - highest) so far
                            if score > highest:
                                total = total * exp(highest - score) + 1.0
                                highest = score
                            else:
                                total += exp(score - highest)
                now = following
                n_beam = n_found
            for b in range(k):
                leaves[i, b] = nodes[now, b] - n_nodes
                proba[i, b] = exp(paths[now, b] - highest) / total
    if outside:
        raise ValueError("a row ends before it starts")


cdef inline Py_ssize_t insert(
    int64_t* nodes, double* paths, Py_ssize_t n, Py_ssize_t most, int64_t node, double path
) noexcept nogil:
    """Insert a node into those of the highest ``paths``, highest first, and return their number; ties stay in order."""
    cdef Py_ssize_t place
    if n == most and not path > paths[n - 1]:
        return n
    place = n if n < most else n - 1
    while place > 0 and path > paths[place - 1]:
        nodes[place] = nodes[place - 1]
        paths[place] = paths[place - 1]
        place -= 1
    nodes[place] = node
    paths[place] = path
    return n + 1 if n < most else n
