"""Solvers of linear models on sparse rows: dual coordinate descent, and products with the Gram matrix of the rows.

Outputs are learned side by side, up to 16 in one pass over the rows: their weights of a column share a cache line. Each
of two or more is computed by itself, so that it is the same to the last bit whatever others there are; a single output
is added up in another order. Everything runs without the interpreter's lock, for at most about `BUDGET` products in one
call, so that the caller can answer Ctrl-C between two.
"""

cimport cython
from libc.stdint cimport int8_t, int32_t, int64_t, uint16_t, uint64_t

import numpy as np

cdef extern from "_solvers.h":
    ctypedef struct Row:
        const float* values
        const int32_t* columns
        Py_ssize_t size

    void add_products(int width, Row row, Row next, const float* weights, float* z) noexcept nogil
    void add_steps(int width, Row row, const float* steps, float* weights) noexcept nogil

cdef extern from "prefetch.h":
    void prefetch "TAGLINE_PREFETCH"(const void* address) noexcept nogil


cdef enum:
    WIDEST = 16
    BUDGET = 8_000_000  # entries
    ROWS_AHEAD = 4

cdef const float RELAXATION = <float>1.5

#: How many outputs can be learned side by side.
WIDTHS = (1, 4, 8, WIDEST)


@cython.final
cdef class Rows:
    """Sparse rows in CSR, checked: ``values`` float32, ``columns`` int32, ``starts``, (n_rows + 1,), int64.

    Raises:
        ValueError: the arrays do not fit together, so that reading them would leave their memory.

    """

    cdef const float[::1] values
    cdef const int32_t[::1] columns
    cdef const int64_t[::1] starts
    cdef float[::1] norms  # |x_i|² + bias², as the intercept is the weight of a column of that value
    cdef readonly float bias
    cdef readonly Py_ssize_t size
    cdef readonly Py_ssize_t n_columns
    cdef readonly Py_ssize_t n_entries

    def __cinit__(
        self,
        const float[::1] values,
        const int32_t[::1] columns,
        const int64_t[::1] starts,
        Py_ssize_t n_columns,
        float bias = 1,
    ):
        cdef Py_ssize_t i, k, n_rows = starts.shape[0] - 1
        cdef double norm
        cdef bint valid = n_rows >= 0 and values.shape[0] == columns.shape[0]
        if valid:
            with nogil:
                valid = starts[0] == 0 and starts[n_rows] <= values.shape[0]
                for i in range(n_rows):
                    valid &= starts[i] <= starts[i + 1]
        if not valid:
            raise ValueError("the row pointers of a sparse matrix are invalid")
        with nogil:
            for i in range(columns.shape[0]):
                valid &= 0 <= columns[i] < n_columns
        if not valid:
            raise ValueError(f"a column of a sparse matrix is not below {n_columns:,}")
        self.values, self.columns, self.starts = values, columns, starts
        self.size, self.n_columns, self.n_entries, self.bias = n_rows, n_columns, starts[n_rows], bias
        self.norms = np.empty(n_rows, dtype=np.float32)
        with nogil:
            for i in range(n_rows):
                norm = <double>bias * bias
                for k in range(starts[i], starts[i + 1]):
                    norm += values[k] * values[k]
                self.norms[i] = <float>norm

    @staticmethod
    def of(X, float bias = 1):
        """Return the rows of a SciPy matrix in CSR; the intercept is the weight of a column of the value ``bias``."""
        return Rows(
            np.ascontiguousarray(X.data, dtype=np.float32),
            np.ascontiguousarray(X.indices, dtype=np.int32),
            np.ascontiguousarray(X.indptr, dtype=np.int64),
            X.shape[1],
            bias,
        )

    cdef inline Row at(self, Py_ssize_t i) noexcept nogil:
        cdef Row row
        row.size = self.starts[i + 1] - self.starts[i]
        row.values = &self.values[0] + self.starts[i]
        row.columns = &self.columns[0] + self.starts[i]
        return row


def shuffle(int32_t[::1] items, uint64_t seed, uint64_t number):
    """Shuffle ``items`` in place (Fisher and Yates), with the random numbers of SplitMix64 (Steele et al. 2014).

    ``number`` is that of the shuffle among those of one seed.
    """
    cdef Py_ssize_t i, j
    cdef int32_t item
    cdef uint64_t random
    seed = (seed << 16) + number
    with nogil:
        for i in range(items.shape[0] - 1, 0, -1):
            seed += 0x9E3779B97F4A7C15ULL
            random = (seed ^ (seed >> 30)) * 0xBF58476D1CE4E5B9ULL
            random = (random ^ (random >> 27)) * 0x94D049BB133111EBULL
            random ^= random >> 31
            j = <Py_ssize_t>(((random >> 32) * <uint64_t>(i + 1)) >> 32)
            item = items[i]
            items[i] = items[j]
            items[j] = item


@cython.final
cdef class DualDescent:
    """Steps of dual coordinate descent for linear SVMs with squared hinge loss; see `linear_svm` for the driver.

    Of each output, with targets y of 1 or -1 and ridge_i = 1 / (2 C weight_i), the dual problem is

        max over alpha >= 0 of D = sum alpha_i - sum ridge_i alpha_i² / 2 - |w|² / 2,  w = sum alpha_i y_i (x_i, 1).

    Args:
        rows: the rows x_i; of another bias than 1, (x_i, bias) stands for (x_i, 1) here.
        targets: 1 or -1, (n_rows, width); width is 1, 4, 8 or 16.
        ridge: (n_rows,).
        weights: w without the intercept, (n_columns, width), 0 at first.
        intercept: the last component of w, (width,), 0 at first.
        active: bit ``o`` of a row is set while output ``o`` is learned from it, (n_rows,).
        threshold: a row whose alpha is 0 leaves the active ones if its gradient is above, (width,).
        progress: (3, width): D; the duality gap; the largest projected gradient above 0. The last two are those that a
            pass meets, and are set to 0 before it.
        alpha: (n_rows, width); None: 0 at first. ``weights``, ``intercept`` and D contain those of all rows, of which
            ``rows`` may be a block.

    A step goes beyond the optimum of one alpha (successive over-relaxation, Mangasarian and Musicant 1999), the less
    the larger the ridge is: the second derivative |x_i|² + 1 + ridge_i of D is taken for (|x_i|² + 1) / `RELAXATION` +
    ridge_i.

    The duality gap |w|² / 2 + sum max(0, 1 - y_i w·(x_i, 1))² / (2 ridge_i) - D is a sum over rows of what is 0 or more:
    g² / (2 ridge_i) where a margin y_i w·(x_i, 1) is below 1, with the gradient g = alpha_i ridge_i - 1 + margin, and
    alpha_i (alpha_i ridge_i / 2 - 1 + margin) elsewhere. In a pass it is added up before each row's step, which is an
    estimate, as w changes on the way; for an output that takes no steps in a pass over all rows it is exact.

    """

    cdef Rows rows
    cdef const int8_t[:, ::1] targets
    cdef const float[::1] ridge
    cdef float[:, ::1] alpha
    cdef float[:, ::1] weights
    cdef float[::1] intercept
    cdef uint16_t[::1] active
    cdef const double[::1] threshold
    cdef double[:, ::1] progress
    cdef int width

    def __cinit__(
        self,
        Rows rows not None,
        const int8_t[:, ::1] targets,
        const float[::1] ridge,
        float[:, ::1] weights,
        float[::1] intercept,
        uint16_t[::1] active,
        const double[::1] threshold,
        double[:, ::1] progress,
        float[:, ::1] alpha=None,
    ):
        cdef Py_ssize_t n = rows.size, width = targets.shape[1]
        if alpha is None:
            alpha = np.zeros((n, width), dtype=np.float32)
        if (
            width not in (1, 4, 8, WIDEST)
            or targets.shape[0] != n
            or ridge.shape[0] != n
            or (weights.shape[0], weights.shape[1]) != (rows.n_columns, width)
            or intercept.shape[0] != width
            or active.shape[0] != n
            or threshold.shape[0] != width
            or (progress.shape[0], progress.shape[1]) != (3, width)
            or (alpha.shape[0], alpha.shape[1]) != (n, width)
        ):
            raise ValueError("the arrays of a dual coordinate descent do not fit together")
        self.rows, self.targets, self.ridge = rows, targets, ridge
        self.alpha = alpha
        self.weights, self.intercept, self.active = weights, intercept, active
        self.threshold, self.progress, self.width = threshold, progress, <int>width

    def sweep(self, const int32_t[::1] visits, Py_ssize_t first, unsigned int stepping):
        """Visit the rows of ``visits`` from ``first`` on; return the position to go on from.

        Output ``o`` takes a step of alpha_i for each row i if bit ``o`` of ``stepping`` is set.
        """
        cdef Py_ssize_t s, done = 0, n = visits.shape[0]
        cdef Row row, following
        for s in range(first, n):
            if not 0 <= visits[s] < self.rows.size:
                raise IndexError("there is no such row")
        s = first
        with nogil:
            while s < n and done < BUDGET:
                self.request(visits[s + ROWS_AHEAD if s + ROWS_AHEAD < n else s])
                row = self.rows.at(visits[s])
                following = self.rows.at(visits[s + 1 if s + 1 < n else s])
                self.visit(visits[s], row, following, stepping)
                done += row.size + 50
                s += 1
        return s

    cdef inline void request(self, Py_ssize_t i) noexcept nogil:
        """Load into the cache what `visit` reads of a row, as rows come in a random order."""
        prefetch(&self.rows.starts[i])
        prefetch(&self.rows.norms[i])
        prefetch(&self.ridge[i])
        prefetch(&self.active[i])
        prefetch(&self.targets[i, 0])
        prefetch(&self.alpha[i, 0])

    cdef inline void multiply(self, Row row, Row following, float* z) noexcept nogil:
        cdef int o
        for o in range(self.width):
            z[o] = self.rows.bias * self.intercept[o]
        add_products(self.width, row, following, &self.weights[0, 0], z)

    cdef inline void visit(self, Py_ssize_t i, Row row, Row following, unsigned int stepping) noexcept nogil:
        cdef float[WIDEST] z, steps
        cdef double* progress = &self.progress[0, 0]
        cdef int o, width = self.width
        cdef bint any_step = False
        cdef unsigned int active = self.active[i]
        cdef float alpha, ridge = self.ridge[i], gradient, curvature, relaxed, changed, step, y, slack
        self.multiply(row, following, z)
        curvature = self.rows.norms[i] + ridge
        relaxed = self.rows.norms[i] / RELAXATION + ridge
        for o in range(width):
            steps[o] = 0
            if not active >> o & 1:
                continue
            y = self.targets[i, o]
            alpha = self.alpha[i, o]
            slack = 1 - y * z[o]
            gradient = alpha * ridge - slack
            progress[width + o] += gap_of(alpha, ridge, slack)
            if alpha == 0 and gradient >= 0:
                if gradient > self.threshold[o]:
                    self.active[i] &= ~(1 << o)
                continue
            if gradient > progress[2 * width + o]:
                progress[2 * width + o] = gradient
            if not stepping >> o & 1:
                continue
            changed = alpha - gradient / relaxed
            if changed < 0:
                changed = 0
            step = changed - alpha
            if step == 0:
                continue
            self.alpha[i, o] = changed
            progress[o] -= step * (gradient + 0.5 * step * curvature)
            steps[o] = step * y
            self.intercept[o] += self.rows.bias * steps[o]
            any_step = True
        if any_step:
            add_steps(width, row, steps, &self.weights[0, 0])


cdef inline double gap_of(float alpha, float ridge, float slack) noexcept nogil:
    """Return what a row adds to the duality gap; ``slack`` is 1 minus its margin."""
    cdef float gradient = alpha * ridge - slack
    if slack > 0:
        return 0.5 * gradient * gradient / ridge
    return alpha * (0.5 * alpha * ridge - slack)


def add_gram_products(Rows columns, const float[:, ::1] a, float[:, ::1] products, Py_ssize_t first, Py_ssize_t stop):
    """Add X_b X_b' a to ``products``, both (n_rows, width), where X_b are the columns from ``first`` to ``stop`` of X.

    ``columns`` are the columns of X as `Rows`. Each is read twice in a row, so that only ``a`` and ``products`` must
    stay in the cache, and X' a is never stored. Returns the column to go on from.
    """
    cdef Py_ssize_t j = first, done = 0
    cdef int o, width = <int>a.shape[1]
    cdef float[WIDEST] sums
    check_widths(columns, a, first, stop)
    if (products.shape[0], products.shape[1]) != (a.shape[0], a.shape[1]):
        raise ValueError("the arrays of a product do not fit together")
    with nogil:
        while j < stop and done < BUDGET:
            for o in range(width):
                sums[o] = 0
            add_products(width, columns.at(j), columns.at(j + 1 if j + 1 < stop else j), &a[0, 0], sums)
            add_steps(width, columns.at(j), sums, &products[0, 0])
            done += 2 * columns.at(j).size + 10
            j += 1
    return j


def add_transposed_products(
    Rows columns, const float[:, ::1] a, float[:, ::1] products, Py_ssize_t first, Py_ssize_t stop
):
    """Add X' a to ``products``, (n_columns, width), for the columns from ``first`` to ``stop`` of X; see above."""
    cdef Py_ssize_t j = first, done = 0
    cdef int width = <int>a.shape[1]
    check_widths(columns, a, first, stop)
    if (products.shape[0], products.shape[1]) != (columns.size, a.shape[1]):
        raise ValueError("the arrays of a product do not fit together")
    with nogil:
        while j < stop and done < BUDGET:
            add_products(
                width, columns.at(j), columns.at(j + 1 if j + 1 < stop else j), &a[0, 0], &products[0, 0] + j * width
            )
            done += columns.at(j).size + 10
            j += 1
    return j


cdef int check_widths(Rows columns, const float[:, ::1] a, Py_ssize_t first, Py_ssize_t stop) except -1:
    if a.shape[1] not in WIDTHS or a.shape[0] != columns.n_columns or not 0 <= first <= stop <= columns.size:
        raise ValueError("the arrays of a product do not fit together")
    return 0
