from libc.stdint cimport uint32_t

ctypedef const unsigned char *octets
