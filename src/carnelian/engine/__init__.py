"""Runs commands, one at a time. It does no I/O and starts no thread by itself.

From the ground up: ``ground`` has bits, numbers and measures that need nothing; ``config`` the
directives; ``catalogue`` what a command is; ``shared`` what a client is, and what the parts of one
engine share; ``parts`` one module for each feature, made with the core and with the parts that it
uses; ``extensions`` what users add. ``engine`` puts them together, ``session`` is a client with its
engine, and on that stand ``declaring`` and what commands and INFO need.
"""
