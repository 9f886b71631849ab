# An `Error` is a reply on its way to the client, and `Engine.call` asks nobody where it was raised.
# Compiled functions that it passes make no entry for it in a traceback, which each of them would
# need a code object and a frame for: most of what a command costs that fails.
cdef extern from *:
    """
    #include <frameobject.h>

    static inline int carnelian_is_reply(PyObject *kind)
    {
        static PyTypeObject *error = NULL;
        if (error == NULL) {
            PyObject *type, *value, *traceback, *name, *module, *found;
            PyErr_Fetch(&type, &value, &traceback);
            name = PyUnicode_FromString("carnelian.resp.replies");
            module = name == NULL ? NULL : PyImport_GetModule(name);
            found = module == NULL ? NULL : PyObject_GetAttrString(module, "Error");
            if (found != NULL && PyType_Check(found))
                error = (PyTypeObject *)found; /* kept for good */
            Py_XDECREF(name);
            Py_XDECREF(module);
            PyErr_Restore(type, value, traceback);
        }
        return error != NULL && kind != NULL && PyType_IsSubtype((PyTypeObject *)kind, error);
    }

    static inline PyFrameObject *carnelian_frame(
        PyThreadState *thread, PyCodeObject *code, PyObject *globals, PyObject *locals)
    {
        if (carnelian_is_reply(PyErr_Occurred()))
            return NULL;
        return PyFrame_New(thread, code, globals, locals);
    }
    #define PyFrame_New carnelian_frame
    """
    pass


cdef class Error(Exception):
    cdef public bytes message


cdef class CountedError(Error):
    pass
