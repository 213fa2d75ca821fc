"""Columns of text by the Arrow C data interface, without pyarrow."""

from libc.stdint cimport int32_t, int64_t


# https://arrow.apache.org/docs/format/CDataInterface.html
cdef struct ArrowSchema:
    const char* format
    const char* name
    const char* metadata
    int64_t flags
    int64_t n_children
    ArrowSchema** children
    ArrowSchema* dictionary
    void (*release)(ArrowSchema*) noexcept
    void* private_data


cdef struct ArrowArray:
    int64_t length
    int64_t null_count
    int64_t offset
    int64_t n_buffers
    int64_t n_children
    const void** buffers
    ArrowArray** children
    ArrowArray* dictionary
    void (*release)(ArrowArray*) noexcept
    void* private_data


cdef struct ArrowArrayStream:
    int (*get_schema)(ArrowArrayStream*, ArrowSchema*) noexcept
    int (*get_next)(ArrowArrayStream*, ArrowArray*) noexcept
    const char* (*get_last_error)(ArrowArrayStream*) noexcept
    void (*release)(ArrowArrayStream*) noexcept
    void* private_data


cdef struct Text:
    const unsigned char* start
    size_t length  # in bytes


cdef class Texts:
    cdef readonly Py_ssize_t size
    cdef Text* at
    cdef Py_ssize_t capacity
    cdef list owners

    cdef int grow(self, Py_ssize_t size) except -1
    cdef int add_views(self, ArrowArray* array) except -1


cdef class Strings:
    cdef unsigned char* data
    cdef int64_t* ends
    cdef Py_ssize_t size

    @staticmethod
    cdef Strings take(unsigned char* data, int64_t* ends, Py_ssize_t size)
