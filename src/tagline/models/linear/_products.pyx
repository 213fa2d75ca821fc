"""Sparse rows times coefficients, all outputs in one pass, and how many rows of each class have a column."""

from libc.stdint cimport int32_t, int64_t


def write_logits(
    const int64_t[::1] ends, const int32_t[::1] indices, const double[::1] values, const float[:, ::1] coef,
    const double[::1] intercept, Py_ssize_t first, Py_ssize_t last, double[:, ::1] logits,
):
    """Write the logits, (n_rows, n_outputs), of rows ``first`` to ``last``, last excluded.

    Row ``i`` has the columns ``indices[ends[i]]`` to ``indices[ends[i + 1]]``. Each sum runs in their order, in double
    precision, as SciPy's does.
    """
    cdef Py_ssize_t i, output
    cdef int64_t j
    cdef double value
    cdef const float* weights
    cdef Py_ssize_t n_outputs = coef.shape[1]
    cdef int64_t n_entries = min(indices.shape[0], values.shape[0])
    cdef bint outside = False
    if (
        not 0 <= first <= last <= min(ends.shape[0] - 1, logits.shape[0])
        or n_outputs != intercept.shape[0] or n_outputs != logits.shape[1]
    ):
        raise ValueError("the arrays do not fit together")
    with nogil:
        for i in range(first, last):
            for output in range(n_outputs):
                logits[i, output] = 0.0
            if not 0 <= ends[i] <= ends[i + 1] <= n_entries:
                outside = True
                break
            for j in range(ends[i], ends[i + 1]):
                if indices[j] < 0 or indices[j] >= coef.shape[0]:
                    outside = True
                    break
                value = values[j]
                weights = &coef[indices[j], 0]
                for output in range(n_outputs):
                    logits[i, output] += value * weights[output]
            for output in range(n_outputs):
                logits[i, output] += intercept[output]
    if outside:
        raise ValueError("a row ends before it starts, or a column has no coefficients")


def add_class_counts(
    const int64_t[::1] ends, const int32_t[::1] indices, const float[::1] values, const int64_t[::1] classes,
    const double[::1] weights, Py_ssize_t first, Py_ssize_t last, double[:, ::1] counts,
):
    """Add the weights of rows ``first`` to ``last``, last excluded, to ``counts``, (n_classes, n_columns).

    A row counts for its class, ``classes[i]``, and each of its columns whose value is not 0.
    """
    cdef Py_ssize_t i
    cdef int64_t j
    cdef double weight
    cdef double* of_class
    cdef int64_t n_entries = min(indices.shape[0], values.shape[0])
    cdef bint outside = False
    if not 0 <= first <= last <= min(ends.shape[0] - 1, classes.shape[0], weights.shape[0]):
        raise ValueError("the arrays do not fit together")
    with nogil:
        for i in range(first, last):
            if not 0 <= ends[i] <= ends[i + 1] <= n_entries or not 0 <= classes[i] < counts.shape[0]:
                outside = True
                break
            of_class = &counts[classes[i], 0]
            weight = weights[i]
            for j in range(ends[i], ends[i + 1]):
                if indices[j] < 0 or indices[j] >= counts.shape[1]:
                    outside = True
                    break
                if values[j] != 0:
                    of_class[indices[j]] += weight
    if outside:
        raise ValueError("a row ends before it starts, or there is no such class or column")
