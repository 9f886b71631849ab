from carnelian.engine.ground.stats cimport Stats
from carnelian.resp.replies cimport Error

cdef object WRONG_TYPE

cdef count_failure(Stats stats, Error error)
