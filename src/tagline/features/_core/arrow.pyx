"""Columns of text by the Arrow C data interface, without pyarrow: `Texts` reads them, `Strings` hands them out."""

from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_New
from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcpy, memset, strcmp


cdef extern from "Python.h":
    const char* PyUnicode_AsUTF8AndSize(object text, Py_ssize_t* size) except NULL


cdef struct View:
    int32_t length
    unsigned char[4] start  # of a short text, all 12 bytes
    int32_t buffer
    int32_t offset


cdef enum:
    SHORT = 12  # bytes of a text that is stored in its view
    BLOCK = 1 << 20


cdef class Chunk:
    """Keeps the memory of an array."""

    cdef ArrowArray array

    def __dealloc__(self):
        if self.array.release != NULL:
            self.array.release(&self.array)


cdef class Texts:
    """The texts of a polars String series without nulls, or of a list of strings, where they are in memory.

    Raises `ValueError` for a series of another type or with nulls, and for views outside of their buffers.
    """

    def __cinit__(self, texts):
        self.owners = []
        if isinstance(texts, list | tuple):
            self.read_strings(list(texts))
        else:
            self.read_stream(texts)

    def __dealloc__(self):
        free(self.at)

    def __len__(self):
        return self.size

    def blocks(self):
        """Return (first, last) of blocks of some texts each, of about `BLOCK` bytes, last excluded."""
        cdef Py_ssize_t i, first = 0
        cdef size_t length = 0
        blocks = []
        for i in range(self.size):
            length += self.at[i].length + 1
            if length >= BLOCK or i == self.size - 1:
                blocks.append((first, i + 1))
                first = i + 1
                length = 0
        return blocks

    cdef int grow(self, Py_ssize_t size) except -1:
        cdef Text* moved
        if size > self.capacity:
            moved = <Text*>realloc(self.at, size * sizeof(Text))
            if moved == NULL:
                raise MemoryError
            self.at = moved
            self.capacity = size
        return 0

    def read_strings(self, list strings):
        cdef Py_ssize_t i, length = 0
        self.owners.append(strings)  # each string keeps its UTF-8
        self.grow(len(strings))
        for i in range(len(strings)):
            self.at[i].start = <const unsigned char*>PyUnicode_AsUTF8AndSize(strings[i], &length)
            self.at[i].length = length
        self.size = len(strings)

    def read_stream(self, series):
        cdef object capsule = series.__arrow_c_stream__()
        cdef ArrowArrayStream* stream = <ArrowArrayStream*>PyCapsule_GetPointer(capsule, b"arrow_array_stream")
        cdef ArrowSchema schema
        cdef Chunk chunk
        memset(&schema, 0, sizeof(schema))
        if stream.get_schema(stream, &schema):
            raise ValueError("the column has no Arrow schema")
        is_text = not strcmp(schema.format, b"vu")
        schema.release(&schema)
        if not is_text:
            raise ValueError("the column is no String column")
        while True:
            chunk = Chunk()
            if stream.get_next(stream, &chunk.array):
                raise ValueError("the column cannot be read")
            if chunk.array.release == NULL:
                return
            self.owners.append(chunk)
            self.add_views(&chunk.array)

    cdef int add_views(self, ArrowArray* array) except -1:
        cdef const View* views
        cdef const int64_t* sizes
        cdef int64_t n_data = array.n_buffers - 3, i
        cdef View view
        cdef Text* text
        if array.n_buffers < 3 or array.length < 0 or array.offset < 0:
            raise ValueError("the column has no buffers of text")
        if array.null_count and has_nulls(array):
            raise ValueError("the column has nulls")
        if array.length == 0:
            return 0
        views = <const View*>array.buffers[1] + array.offset
        sizes = <const int64_t*>array.buffers[array.n_buffers - 1]
        self.grow(self.size + array.length)
        for i in range(array.length):
            view = views[i]
            text = &self.at[self.size + i]
            text.length = view.length
            if 0 <= view.length <= SHORT:
                text.start = <const unsigned char*>&views[i].start[0]
            elif (
                view.length > 0
                and 0 <= view.buffer < n_data
                and 0 <= view.offset <= sizes[view.buffer] - view.length
            ):
                text.start = <const unsigned char*>array.buffers[2 + view.buffer] + view.offset
            else:
                raise ValueError(f"text {self.size + i} is outside of its buffer")
        self.size += array.length
        return 0


cdef bint has_nulls(const ArrowArray* array) noexcept nogil:
    """Say whether a text is null, by the validity bits: the number of nulls may be -1, not counted."""
    cdef const unsigned char* valid = <const unsigned char*>array.buffers[0]
    cdef int64_t i
    if valid != NULL:
        for i in range(array.offset, array.offset + array.length):
            if not valid[i >> 3] >> (i & 7) & 1:
                return True
    return False


cdef class Strings:
    """Strings one after the other, for ``polars.Series``: `__arrow_c_array__` gives their memory away, once."""

    @staticmethod
    cdef Strings take(unsigned char* data, int64_t* ends, Py_ssize_t size):
        """Return the strings of some buffers, which belong to them from now on; ``ends`` has ``size + 1`` items."""
        cdef Strings strings = Strings.__new__(Strings)
        strings.data = data
        strings.ends = ends
        strings.size = size
        return strings

    def __dealloc__(self):
        free(self.data)
        free(self.ends)

    def __arrow_c_array__(self, requested_schema=None):
        cdef ArrowSchema* schema
        cdef ArrowArray* array
        cdef const void** buffers
        if self.ends == NULL:
            raise ValueError("the strings were given away before")
        schema = <ArrowSchema*>calloc(1, sizeof(ArrowSchema))
        if schema == NULL:
            raise MemoryError
        schema.format = b"U"
        schema.name = b""
        schema.release = release_schema
        schema_capsule = PyCapsule_New(schema, b"arrow_schema", free_schema)
        array = <ArrowArray*>calloc(1, sizeof(ArrowArray))
        buffers = <const void**>calloc(3, sizeof(void*))
        if array == NULL or buffers == NULL:
            free(array)
            free(buffers)
            raise MemoryError
        array.length = self.size
        array.n_buffers = 3
        buffers[1] = self.ends
        buffers[2] = self.data
        array.buffers = buffers
        array.release = release_array
        self.ends = NULL
        self.data = NULL
        return schema_capsule, PyCapsule_New(array, b"arrow_array", free_array)


cdef void release_schema(ArrowSchema* schema) noexcept:
    schema.release = NULL


cdef void release_array(ArrowArray* array) noexcept nogil:  # polars calls it from threads of its own
    free(<void*>array.buffers[1])
    free(<void*>array.buffers[2])
    free(array.buffers)
    array.release = NULL


cdef void free_schema(object capsule) noexcept:
    free(PyCapsule_GetPointer(capsule, b"arrow_schema"))


cdef void free_array(object capsule) noexcept:
    cdef ArrowArray* array = <ArrowArray*>PyCapsule_GetPointer(capsule, b"arrow_array")
    if array.release != NULL:
        array.release(array)
    free(array)
