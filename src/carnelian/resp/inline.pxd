cdef list split_line(const char* line, Py_ssize_t size)

cpdef list split_arguments(bytes line)
