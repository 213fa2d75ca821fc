cdef void product(
    char of_a, char of_b, int m, int n, int k, const float* a, int a_row, const float* b, int b_row,
    float beta, float* c, int c_row,
) noexcept nogil

cdef int check(bint fits) except -1
cdef bint are_masks(const float[:, :, ::1] masks, Py_ssize_t B, Py_ssize_t size, Py_ssize_t GH)
cdef void mask(const float[:, ::1] kernel, const float[:, :, ::1] masks, Py_ssize_t b, float[:, ::1] own) noexcept nogil
cdef void add_masked(
    const float[:, ::1] own, const float[:, :, ::1] masks, Py_ssize_t b, float[:, ::1] sums
) noexcept nogil
