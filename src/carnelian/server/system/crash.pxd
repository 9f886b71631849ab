cdef extern from "signal.h" nogil:
    ctypedef void (*handler_t)(int) noexcept
    cdef struct sigaction_t "sigaction":
        handler_t sa_handler
        int sa_flags
    int sigaction(int number, const sigaction_t* new, sigaction_t* old)
    int raise_ "raise"(int number)
    int SA_NODEFER
    int SA_RESETHAND
    int SIGSEGV
    int SIGBUS
    int SIGFPE
    int SIGILL
    int SIGABRT

cdef extern from "unistd.h" nogil:
    ssize_t write(int fd, const void* data, size_t size)

