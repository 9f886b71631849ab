from carnelian.engine.catalogue.key_positions cimport KeyPositions
from carnelian.engine.catalogue.registry cimport Command
from carnelian.engine.engine cimport Engine
from carnelian.engine.parts.admission cimport Check
from carnelian.engine.shared.client_state cimport Client
from carnelian.keyspace.database cimport Database

cdef enum:  # what becomes of a command
    SERVED = 0
    MOVED = 1
    ASK = 2
    CROSS_SLOT = 3
    UNSTABLE = 4
    DOWN = 5
    READ_ONLY = 6
    UNSERVED = 7


cdef class SlotCheck(Check):
    cdef Engine engine
    cdef readonly object view
    cdef object refusals
    # Bits of slots that are plainly this node's, and of those that it has as a replica: few bytes,
    # which stay in the cache.
    cdef unsigned char ours_bits[2048]
    cdef unsigned char followed_bits[2048]
    # What the next refresh has to look at: these slots, or all of them.
    cdef list unsettled
    cdef bint all_unsettled
    cdef readonly int slot
    cdef public bint reads_when_down
    cdef public bint channels_when_down
    cdef KeyPositions found
    cdef readonly dict finders
    # What is known of the command that is being looked at.
    cdef bytes first
    cdef int seen
    cdef int outcome
    cdef bint ours
    cdef bint several
    cdef bint migrating
    cdef bint importing
    cdef bint on_channels
    cdef bint missing
    cdef bint existing
    cdef object node

    cdef bint admits(self, Client session, Command command, list args) noexcept
    cdef note_finder(self, Command command)
    cdef int take_owner(self, int slot, owner, myself, primary) except -1
    cdef int clear_bits(self, int slot) except -1
    cdef look(self, Client session, Command command, list args)
    cdef look_inside(self, Client session, Command command, list args)
    cdef int examine(self, Client session, int flags, Command command, list args) except -1
    cdef int take(self, Database db, Command command, list args) except -1
    cdef int take_key(self, Database db, bytes key, int slot) except -1
    cdef int begin_with(self, bytes key, int slot) except -1
    cdef int decide(self, int flags, long long judged, Command command) except -1
