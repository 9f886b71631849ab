"""Which form the values of a class have, and the values of an RDB type.

Forms are found without touching the reference count of anything: a forked process would copy the
pages that the objects stand on.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.persistence.bytes.objects import (
    ClassPointer,
    ObjectPointer,
    class_of,
)
from cython.cimports.carnelian.persistence.forms.directory import MOST, TYPES, Registered
from cython.cimports.carnelian.persistence.forms.form import Form

# What the addresses below point at stays for ever.
_held: list = []
by_class = cython.declare(Registered[MOST])
by_type = cython.declare(ObjectPointer[TYPES])
count = cython.declare(cython.int, 0)


def register(class_: type, form: Form, types: tuple = ()):
    """Have the values of a class written in that form, and RDB types read by it.

    Values are compared by their very class: a subclass needs a form of its own.
    """
    global count
    if count == MOST:
        raise ValueError(f"there are forms for {count} classes, and room for no more")
    _held.append((class_, form))
    by_class[count].type = cython.cast(ClassPointer, class_)
    by_class[count].form = cython.cast(ObjectPointer, form)
    count += 1
    register_types(form, types)


def register_types(form: Form, types: tuple):
    """Have a form read the values of RDB types."""
    number: cython.int
    _held.append(form)
    for number in types:
        by_type[number] = cython.cast(ObjectPointer, form)


def form_of(value: ObjectPointer) -> ObjectPointer:
    """The form of a value, a Form; raises TypeError for a value that has none."""
    class_: ClassPointer = class_of(value)
    i: cython.int
    for i in range(count):
        if by_class[i].type == class_:
            return by_class[i].form
    raise TypeError(f"a value of type {type(cython.cast(object, value)).__name__} has no RDB form")


def form_of_type(type: cython.int) -> ObjectPointer:
    """The form, a Form, that reads values of an RDB type; NULL if there is none."""
    return by_type[type] if 0 <= type < TYPES else cython.NULL
