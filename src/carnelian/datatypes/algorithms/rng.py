"""A small random generator (SplitMix64) for sampling: fast, not for secrets."""

from __future__ import annotations

import os

import cython
from cython.cimports.libc.stdint import uint64_t

_state = cython.declare(uint64_t, 0)


def next_random() -> uint64_t:
    """64 random bits."""
    global _state
    _state += cython.cast(uint64_t, 0x9E3779B97F4A7C15)
    mixed: uint64_t = _state
    mixed = (mixed ^ (mixed >> 30)) * cython.cast(uint64_t, 0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> 27)) * cython.cast(uint64_t, 0x94D049BB133111EB)
    return mixed ^ (mixed >> 31)


def random_below(bound: uint64_t) -> uint64_t:
    """A number in ``0 .. bound - 1``; the bias for any bound that fits memory is negligible."""
    return next_random() % bound


def seed(value: cython.ulonglong):
    """Start over from a known state, for repeatable sampling."""
    global _state
    _state = value


seed(int.from_bytes(os.urandom(8), "little"))
