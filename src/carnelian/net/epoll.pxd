"""Waiting with epoll without an object per event; declared, but never called, elsewhere."""

cdef extern from *:
    """
    #if defined(__linux__)
    #include <sys/epoll.h>
    #else
    typedef struct { int fd; } carnelian_epoll_data;
    struct epoll_event { unsigned int events; carnelian_epoll_data data; };
    #define epoll_wait(epoll, ready, limit, milliseconds) (-1)
    #endif
    """
    ctypedef struct epoll_data_t "epoll_data_t":
        int fd
    struct epoll_event:
        unsigned int events
        epoll_data_t data
    int epoll_wait(int epoll, epoll_event *ready, int limit, int milliseconds) nogil
