from carnelian.engine.engine cimport Engine
from carnelian.engine.session cimport Session
from libc.stdint cimport int64_t


cdef class Loader(Session):
    cpdef send(self, value)
    cpdef close(self, after_replies=*)


cdef class Replay:
    cdef Engine engine
    cdef readonly Loader session
    cdef int fd
    cdef char *data       # what was read of the file, from before to before + end
    cdef Py_ssize_t at
    cdef Py_ssize_t end
    cdef Py_ssize_t room
    cdef int64_t before
    cdef int64_t size
    cdef readonly int64_t valid_up_to
    cdef readonly int64_t valid_before_multi
    cdef public object progress
    cdef public object foreign
    cdef public bint strict
    cdef list held
    cdef public int64_t delay_us

    cdef list next(self)
    cdef fail_on_words(self)
    cdef bytes big_word(self, Py_ssize_t length)
    cdef int64_t header(self, char mark) except? -1
    cdef bint line(self, Py_ssize_t *length) except -1
    cdef bint have(self, Py_ssize_t length) except -1
    cdef int fetch(self, Py_ssize_t length) except -1
    cdef execute(self, list args)
    cdef execute_foreign(self, list args)
    cdef pause(self)
