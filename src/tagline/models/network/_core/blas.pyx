"""Products of matrices by the BLAS that SciPy brings, and kernels under dropout.

Dropout masks differ from text to text, but not from step to step, so that they can be applied to the rows of a kernel
instead of to the inputs of all steps.
"""

from cpython.pycapsule cimport PyCapsule_GetName, PyCapsule_GetPointer

from scipy.linalg import cython_blas

ctypedef void (*Sgemm)(
    char*, char*, int*, int*, int*, float*, const float*, int*, const float*, int*, float*, float*, int*
) noexcept nogil

cdef bytes SIGNATURE = (
    b"void (char *, char *, int *, int *, int *, float *, float *, int *, float *, int *, float *, float *, int *)"
)


cdef Sgemm find_sgemm() except NULL:
    """Return SciPy's pointer to BLAS; for ``cimport scipy``, SciPy would have to be there to build."""
    capsule = cython_blas.__pyx_capi__["sgemm"]
    cdef const char* name = PyCapsule_GetName(capsule)
    if (<bytes>name).replace(b"__pyx_t_5scipy_6linalg_11cython_blas_s", b"float") != SIGNATURE:
        raise ImportError(f"This version of SciPy has another `sgemm`: {(<bytes>name).decode()}")
    return <Sgemm>PyCapsule_GetPointer(capsule, name)


cdef Sgemm sgemm = find_sgemm()


cdef void product(
    char of_a, char of_b, int m, int n, int k, const float* a, int a_row, const float* b, int b_row,
    float beta, float* c, int c_row,
) noexcept nogil:
    """``c = a b + beta c``, (m, k) by (k, n); ``b"T"``: the matrix is stored transposed; ``_row``: from row to row."""
    cdef float one = <float>1
    if m > 0 and n > 0:  # BLAS stores columns, so to it each matrix is transposed, and c' = b' a'
        sgemm(&of_b, &of_a, &n, &m, &k, &one, b, &b_row, a, &a_row, &beta, c, &c_row)


cdef int check(bint fits) except -1:
    if not fits:
        raise ValueError("the shapes of the arrays do not fit")
    return 0


cdef bint are_masks(const float[:, :, ::1] masks, Py_ssize_t B, Py_ssize_t size, Py_ssize_t GH):
    """Say whether masks are (G, B, size), or (1, B, size) for all gates."""
    return masks.shape[0] > 0 and GH % masks.shape[0] == 0 and masks.shape[1] == B and masks.shape[2] == size


cdef void mask(const float[:, ::1] kernel, const float[:, :, ::1] masks, Py_ssize_t b, float[:, ::1] own) noexcept nogil:
    """Set ``own`` to the kernel times the masks of text b, which are those of its rows, for each gate others."""
    cdef Py_ssize_t i, j, g, width = kernel.shape[1] // masks.shape[0]
    cdef const float* row
    cdef float* to
    cdef float factor
    for i in range(kernel.shape[0]):
        for g in range(masks.shape[0]):
            factor, row, to = masks[g, b, i], &kernel[i, g * width], &own[i, g * width]
            for j in range(width):
                to[j] = row[j] * factor


cdef void add_masked(
    const float[:, ::1] own, const float[:, :, ::1] masks, Py_ssize_t b, float[:, ::1] sums
) noexcept nogil:
    """Add the gradient of the kernel of text b, times its masks."""
    cdef Py_ssize_t i, j, g, width = sums.shape[1] // masks.shape[0]
    cdef const float* row
    cdef float* to
    cdef float factor
    for i in range(sums.shape[0]):
        for g in range(masks.shape[0]):
            factor, row, to = masks[g, b, i], &own[i, g * width], &sums[i, g * width]
            for j in range(width):
                to[j] += row[j] * factor
