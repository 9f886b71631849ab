cdef extern from *:
    """
    #ifndef _GNU_SOURCE
    #define _GNU_SOURCE
    #endif
    #include <fcntl.h>
    #if defined(__linux__) && defined(SYNC_FILE_RANGE_WRITE)
    static int carnelian_write_behind(int fd, long long start, long long length) {
        /* Begin to write the new part out; wait for the part before it, so that what the kernel
           holds back stays within bounds. */
        if (sync_file_range(fd, start, length, SYNC_FILE_RANGE_WRITE) != 0) return -1;
        if (start < length) return 0;
        return sync_file_range(fd, start - length, length, SYNC_FILE_RANGE_WAIT_BEFORE |
            SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
    }
    #else
    static int carnelian_write_behind(int fd, long long start, long long length) {
        (void)fd; (void)start; (void)length;
        return -1;
    }
    #endif
    """
    int write_behind "carnelian_write_behind"(int fd, long long start, long long length) nogil
