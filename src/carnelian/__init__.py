"""Carnelian: Redis as a Python package, embedded, as a server, and as a fleet."""

__version__ = "0.1.0"

# The Redis that clients are told they talk to: its commands, files and messages are the model.
REDIS_VERSION = "7.4.2"
