"""n-grams, compiled."""
from libc.stdint cimport int64_t

def total(const int64_t[::1] values):
    cdef int64_t s = 0
    cdef Py_ssize_t i
    with nogil:
        for i in range(values.shape[0]):
            s += values[i]
    return s
