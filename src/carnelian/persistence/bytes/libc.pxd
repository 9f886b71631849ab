cdef extern from "unistd.h" nogil:
    int ftruncate(int fd, long long length)
    int usleep(unsigned int microseconds)

cdef extern from *:
    """
    #include <unistd.h>
    #if defined(__linux__)
    #define carnelian_sync fdatasync
    #else
    #define carnelian_sync fsync
    #endif
    """
    # Forces the content of a file to the disk, and of what describes it no more than it needs.
    int sync_content "carnelian_sync"(int fd) nogil
