# The same numbers as in regex_syntax.py, for what runs the programs.
cdef enum:
    READ = 0
    FORK = 1
    ASK = 2
    MATCH = 3

cdef enum:
    BEGIN = 0
    END = 1
    WORD_EDGE = 2
    NO_WORD_EDGE = 3
    WORD_BEGIN = 4
    WORD_END = 5

cdef enum:
    MOST_INSTRUCTIONS = 50000
    MOST_REPEATS = 255
