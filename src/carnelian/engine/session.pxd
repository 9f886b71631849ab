from carnelian.engine.shared.client_state cimport Client
from carnelian.engine.engine cimport Engine


cdef class Session(Client):
    cdef public Engine engine

    cdef bint lazily(self, Py_ssize_t members) except -1
