"""Values on their way out and in, each by the form of its class or of its RDB type.

Values are written from their raw memory. No Python object is made, and none has its reference count
touched on the way: a forked process would copy the page that it stands on.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.base.limits import Limits
from cython.cimports.carnelian.datatypes.tables.entry import (
    BUFFER,
    Content,
    Entry,
    describe_object,
    key_length,
    key_of,
    reference_of,
)
from cython.cimports.carnelian.persistence.bytes.byte_sink import Sink
from cython.cimports.carnelian.persistence.bytes.byte_source import Source
from cython.cimports.carnelian.persistence.bytes.formats import OLDEST, STRING
from cython.cimports.carnelian.persistence.bytes.objects import ObjectPointer
from cython.cimports.carnelian.persistence.forms.directory import form_of, form_of_type
from cython.cimports.carnelian.persistence.forms.form import Form
from cython.cimports.carnelian.persistence.forms.string_forms import put_string

from carnelian.persistence import forms
from carnelian.persistence.bytes.file_errors import Corrupt

forms.register_all()


def put_record(sink: Sink, entry: cython.pointer[cython.const[Entry]]) -> cython.int:
    """Write an entry: the type of its value, its key, and its value."""
    value: ObjectPointer
    form: ObjectPointer
    if entry.kind <= BUFFER:
        sink.put_byte(STRING)
        sink.put_text(key_of(entry), key_length(entry))
        return put_string(sink, entry)
    value = cython.cast(ObjectPointer, reference_of(entry))
    form = form_of(value)
    sink.put_byte(cython.cast(Form, form).type_of(value, sink.version))
    sink.put_text(key_of(entry), key_length(entry))
    return cython.cast(Form, form).put(sink, value)


def put_payload(sink: Sink, entry: cython.pointer[cython.const[Entry]]) -> cython.int:
    """Write the type of an entry's value, and the value."""
    value: ObjectPointer
    form: ObjectPointer
    if entry.kind <= BUFFER:
        sink.put_byte(STRING)
        return put_string(sink, entry)
    value = cython.cast(ObjectPointer, reference_of(entry))
    form = form_of(value)
    sink.put_byte(cython.cast(Form, form).type_of(value, sink.version))
    return cython.cast(Form, form).put(sink, value)


def version_of_entry(
    entry: cython.pointer[cython.const[Entry]], quickly: cython.bint
) -> cython.int:
    """The lowest RDB version that has a form for the value of an entry; a later one may be said if
    there is no time to look at all of it.
    """
    value: ObjectPointer
    if entry.kind <= BUFFER:
        return OLDEST
    value = cython.cast(ObjectPointer, reference_of(entry))
    return cython.cast(Form, form_of(value)).needed_version(value, quickly)


def read_object(
    source: Source,
    type: cython.int,
    limits: Limits,
    thorough: cython.bint,
    content: cython.pointer[Content],
) -> cython.int:
    """Read a value that is no string."""
    form: ObjectPointer
    form = form_of_type(type)
    if form is cython.NULL:
        raise Corrupt(f"Unknown RDB encoding type {type}")
    return describe_object(cython.cast(Form, form).read(source, type, limits, thorough), content)
