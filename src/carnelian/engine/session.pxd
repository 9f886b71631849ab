from carnelian.engine.shared.client_state cimport Client
from carnelian.engine.engine cimport Engine


cdef class Session(Client):
    cdef public Engine engine
