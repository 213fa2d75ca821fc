"""Sparse rows times coefficients, all outputs in one pass."""

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
