from carnelian.engine.catalogue.registry cimport Command
from carnelian.engine.engine cimport Engine
from carnelian.engine.ground.flags cimport FLAG_LOADER, FLAG_PRIMARY
from carnelian.engine.session cimport Session


cdef enum:
    # What a log or a primary says is done whatever state this server is in.
    OBEYED = FLAG_LOADER | FLAG_PRIMARY


cdef class ScriptSession(Session):
    cdef Session caller
    cpdef send(self, value)
    cpdef close(self, after_replies=*)


cdef class ScriptHost:
    cdef readonly Engine engine
    cdef readonly ScriptSession session
    # Who has called the script.
    cdef readonly Session caller
    # What the context of the script points at.
    cdef object reply
    # What ended the script, and is to come out when it has ended.
    cdef object failure
    # Kinds of commands, as flags, that are looked at before they run.
    cdef long long suspicious
    cdef bint read_only
    cdef bint lacks_memory
    cdef public bint wrote
    cdef public bint killed
    cdef public bint lets_all_run
    # Whether it may take keys of several slots of a cluster that it does not declare.
    cdef public bint crosses_slots
    cdef long long now_ms
    cdef readonly long long started_ns
    # What is called every so many instructions; a true value ends the script.
    cdef public object on_interval
    # What takes in functions, while a library is loaded.
    cdef public object registrar

    cdef int begin(self, Session caller, bint read_only, bint lacks_memory) except? -1
    cdef int end(self) except? -1
    cdef object execute(self, list words)
    cdef object objection(self, Command command, list words)
    cdef object refuse(self, Command command, object error)
    cdef bint goes_on(self) except? -1
