"""Tokens and their ids, in a hash table."""

from tagline.features._core.token_table cimport Table
from tagline.features._core.tokens cimport Settings


cdef class Vocabulary:
    cdef Table table
    cdef Settings settings
