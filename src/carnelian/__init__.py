"""Carnelian: Redis as a Python package, embedded, as a server, and as a fleet."""

__version__ = "0.1.0"
