"""Bytes on their way to files and from them: buffers, check sums, old and new primitives, files
that are written aside, threads that write.
"""
