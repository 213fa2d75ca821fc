"""The inputs of a recurrent layer for a block of texts, and their products with the kernel.

Shapes: ``B`` texts of a block, ``T`` steps, ``d`` inputs, ``H`` units, ``G`` gates, and ``R`` rows of inputs: vectors of
words, where a word that comes again need not be multiplied again, or of single steps.
"""

from libc.stdint cimport int32_t
from libc.string cimport memcpy

import numpy as np

from tagline.models.network._core.blas cimport add_masked, are_masks, check, mask, product


def distinct(
    const int32_t[:, ::1] ids, const float[:, ::1] present, int32_t n_words, bint by_text,
    int32_t[::1] words, int32_t[:, ::1] rows, int32_t[::1] starts,
):
    """Number the words of a block, (B, T), as they come, and return their number R.

    ``words``, (B T,): R words; ``rows``, (B, T): the number of the word of each step, or -1 if it is not ``present``.
    ``by_text``: each text has numbers of its own, those of text b from ``starts[b]`` on, (B + 1,).
    """
    cdef Py_ssize_t B = ids.shape[0], T = ids.shape[1], b, t
    cdef int32_t n = 0, first, word
    cdef bint outside = False
    check(rows.shape[0] == B and rows.shape[1] == T and words.shape[0] == B * T and starts.shape[0] == B + 1)
    check(present is None or (present.shape[0] == B and present.shape[1] == T))
    cdef int32_t[::1] number = np.full(n_words, -1, np.int32)
    with nogil:
        for b in range(B):
            starts[b] = n
            first = n if by_text else 0
            for t in range(T):
                if present is not None and present[b, t] == 0:
                    rows[b, t] = -1
                    continue
                word = ids[b, t]
                if word < 0 or word >= n_words:
                    outside = True
                    break
                if number[word] < first:
                    number[word] = n
                    words[n] = word
                    n += 1
                rows[b, t] = number[word]
        starts[B] = n
    if outside:
        raise IndexError(f"an id is not between 0 and {n_words - 1}")
    return n


def project(
    const float[:, ::1] x, const int32_t[::1] starts, const float[:, ::1] kernel, const float[::1] bias,
    const float[:, :, ::1] masks, float[:, ::1] z,
):
    """Set ``z``, (R, G H), to ``x W + b``; ``masks`` of the inputs are (G, B, d), or (1, B, d) for all gates.

    With masks, the rows of text b are ``starts[b]`` to ``starts[b + 1]``.
    """
    cdef Py_ssize_t R = x.shape[0], d = x.shape[1], GH = z.shape[1], row, n, b
    check_inputs(x, starts, kernel, masks, z)
    check(bias.shape[0] == GH)
    if R == 0:
        return
    cdef float[:, ::1] own = np.empty((1 if masks is None else d, GH), np.float32)
    with nogil:
        for row in range(R):
            memcpy(&z[row, 0], &bias[0], GH * sizeof(float))
        if masks is None:
            product(b"N", b"N", R, GH, d, &x[0, 0], d, &kernel[0, 0], GH, 1, &z[0, 0], GH)
        else:
            for b in range(masks.shape[1]):
                n = starts[b + 1] - starts[b]
                if n > 0:
                    mask(kernel, masks, b, own)
                    product(b"N", b"N", n, GH, d, &x[starts[b], 0], d, &own[0, 0], GH, 1, &z[starts[b], 0], GH)


def project_back(
    const float[:, ::1] x, const int32_t[::1] starts, const float[:, ::1] kernel, const float[:, :, ::1] masks,
    const float[:, ::1] dz, float[:, ::1] dx, float[:, ::1] dkernel,
):
    """From ``dz``, (R, G H), the gradient of ``x W + b``, set that of ``x``, and add that of the kernel to ``dkernel``."""
    cdef Py_ssize_t R = x.shape[0], d = x.shape[1], GH = dz.shape[1], n, b
    check_inputs(x, starts, kernel, masks, dz)
    check(dx.shape[0] == R and dx.shape[1] == d and dkernel.shape[0] == d and dkernel.shape[1] == GH)
    if R == 0:
        return
    cdef float[:, ::1] own = np.empty((1 if masks is None else d, GH), np.float32)
    with nogil:
        if masks is None:
            product(b"N", b"T", R, d, GH, &dz[0, 0], GH, &kernel[0, 0], GH, 0, &dx[0, 0], d)
            product(b"T", b"N", d, GH, R, &x[0, 0], d, &dz[0, 0], GH, 1, &dkernel[0, 0], GH)
        else:
            for b in range(masks.shape[1]):
                n = starts[b + 1] - starts[b]
                if n > 0:
                    mask(kernel, masks, b, own)
                    product(b"N", b"T", n, d, GH, &dz[starts[b], 0], GH, &own[0, 0], GH, 0, &dx[starts[b], 0], d)
                    product(b"T", b"N", d, GH, n, &x[starts[b], 0], d, &dz[starts[b], 0], GH, 0, &own[0, 0], GH)
                    add_masked(own, masks, b, dkernel)


cdef int check_inputs(
    const float[:, ::1] x, const int32_t[::1] starts, const float[:, ::1] kernel, const float[:, :, ::1] masks,
    const float[:, ::1] z,
) except -1:
    cdef Py_ssize_t b
    check(z.shape[0] == x.shape[0] and kernel.shape[0] == x.shape[1] > 0 and kernel.shape[1] == z.shape[1] > 0)
    check(max(z.shape[0], z.shape[1], x.shape[1]) < 2**31)  # BLAS counts in 32 bits
    if masks is not None:
        check(starts.shape[0] > 0 and are_masks(masks, starts.shape[0] - 1, x.shape[1], z.shape[1]))
        check(starts[0] == 0 and starts[starts.shape[0] - 1] == x.shape[0])
        for b in range(starts.shape[0] - 1):
            check(starts[b] <= starts[b + 1])
    return 0
