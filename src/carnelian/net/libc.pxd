"""Socket calls, straight from the C library: one system call each and no Python objects."""

from carnelian.resp.libc cimport iovec

cdef extern from "sys/types.h" nogil:
    pass

cdef extern from "sys/socket.h" nogil:
    ssize_t recv(int fd, void* buffer, size_t size, int flags)
    ssize_t send(int fd, const void* data, size_t size, int flags)

cdef extern from "sys/uio.h" nogil:
    ssize_t writev(int fd, const iovec* pieces, int count)

cdef extern from "unistd.h" nogil:
    int close(int fd)
