"""Where a file of commands goes: gathered in a buffer, and written or handed to a spool."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import cython
from cython.cimports.carnelian.persistence.bytes.command_file import GATHERED
from cython.cimports.carnelian.persistence.bytes.writeback import write_behind
from cython.cimports.carnelian.resp.command_buffer import CommandBuffer
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.cpython.exc import PyErr_SetFromErrno
from cython.cimports.libc.errno import EINTR, errno
from cython.cimports.libc.stdint import int64_t
from cython.cimports.posix.unistd import write

if TYPE_CHECKING:
    from carnelian.persistence.bytes.spool import Spool

# Bytes after which the kernel is told to write out (aof-rewrite-incremental-fsync).
SYNC_INTERVAL = cython.declare(int64_t, 4 * 1024 * 1024)


@cython.cclass
class CommandFile:
    """A file of commands.

    Args:
        fd: the file; -1 if there is a spool.
        sync: have the kernel write out as it goes on.
        spool: takes what is written in place of the file.
    """

    def __init__(self, fd: int, sync: bool, spool: Spool | None = None):
        self.buffer = CommandBuffer()
        self.fd = fd
        self.spool = spool
        self.syncing = sync
        self.written = self.synced = 0

    def put(self, words: list) -> cython.int:
        """Write a command, if enough was gathered."""
        self.buffer.command(words)
        return self.flush(GATHERED)

    def put_some(self, verb: bytes, key: bytes, words: list, most: cython.Py_ssize_t) -> cython.int:
        """Write commands that add words to a collection, so many at a time."""
        start: cython.Py_ssize_t = 0
        i: cython.Py_ssize_t
        end: cython.Py_ssize_t
        word: bytes
        while start < len(words):
            end = min(start + most, len(words))
            self.buffer.begin(2 + end - start)
            self.buffer.word(PyBytes_AS_STRING(verb), PyBytes_GET_SIZE(verb))
            self.buffer.word(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))
            for i in range(start, end):
                word = words[i]
                self.buffer.word(PyBytes_AS_STRING(word), PyBytes_GET_SIZE(word))
            self.flush(GATHERED)
            start = end
        return 0

    def flush(self, least: cython.Py_ssize_t) -> cython.int:
        """Write what was gathered, if it is so many bytes."""
        count: cython.Py_ssize_t
        done: cython.Py_ssize_t = 0
        if self.buffer.length < least:
            return 0
        if self.spool is not None:
            self.spool.put(self.buffer.value())
            self.buffer.clear()
            return 0
        while done < self.buffer.length:
            count = write(self.fd, self.buffer.data + done, self.buffer.length - done)
            if count < 0:
                if errno == EINTR:
                    continue
                PyErr_SetFromErrno(OSError)
            done += count
        self.written += done
        self.buffer.clear()
        if self.syncing and self.written - self.synced >= SYNC_INTERVAL:
            if write_behind(self.fd, self.synced, self.written - self.synced) != 0:
                os.fsync(self.fd)
            self.synced = self.written
        return 0
