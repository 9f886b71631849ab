"""Strings: of all values the only ones that need not be objects. So they have functions, which take
the entry that they stand in, where other families have a form.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.base.string import (
    StringBuffer,
    format_integer,
    parse_integer,
)
from cython.cimports.carnelian.datatypes.tables.entry import (
    BUFFER,
    BYTES,
    INLINE,
    INTEGER,
    Content,
    Entry,
    describe_integer,
    key_length,
    key_of,
    reference_of,
    value_of,
    word_of,
)
from cython.cimports.carnelian.persistence.bytes.byte_sink import Sink
from cython.cimports.carnelian.persistence.bytes.byte_source import Source
from cython.cimports.carnelian.persistence.bytes.command_file import CommandFile
from cython.cimports.carnelian.persistence.bytes.formats import STRING
from cython.cimports.carnelian.persistence.bytes.frozen import LONG_STRING, Freezing, Frozen
from cython.cimports.carnelian.persistence.bytes.objects import ObjectPointer
from cython.cimports.carnelian.persistence.forms.string_forms import describe_raw
from cython.cimports.carnelian.resp.command_buffer import CommandBuffer
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE


def put_other(sink: Sink, entry: cython.pointer[cython.const[Entry]]) -> cython.int:
    """Write a string that does not stand in its entry as a text."""
    value: ObjectPointer
    if entry.kind == INTEGER:
        return sink.put_integer(word_of(entry))
    value = cython.cast(ObjectPointer, reference_of(entry))
    if entry.kind == BUFFER:
        return sink.put_text(
            cython.cast(StringBuffer, value).data, cython.cast(StringBuffer, value).length
        )
    return sink.put_text(
        PyBytes_AS_STRING(cython.cast(bytes, value)),
        PyBytes_GET_SIZE(cython.cast(bytes, value)),
    )


def read_string(source: Source, content: cython.pointer[Content]) -> cython.int:
    """Read a string, described as it is kept best."""
    length: cython.Py_ssize_t = 0
    text: cython.p_const_char = source.read_text(cython.address(length))
    if length <= 20 and parse_integer(text, length, cython.address(content.word)):
        return describe_integer(content.word, content)
    return describe_raw(text, length, content)


def rewrite_string(commands: CommandFile, entry: cython.pointer[cython.const[Entry]]) -> cython.int:
    """Write the command that sets a string, without making an object of it."""
    digits = cython.declare(cython.char[24])
    buffer: CommandBuffer = commands.buffer
    buffer.begin(3)
    buffer.word(b"SET", 3)
    buffer.word(key_of(entry), key_length(entry))
    if entry.kind == INLINE:
        return buffer.word(value_of(entry), entry.length)
    if entry.kind == INTEGER:
        return buffer.word(digits, format_integer(word_of(entry), digits))
    if entry.kind == BYTES:
        text: bytes = cython.cast(bytes, reference_of(entry))
        return buffer.word(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))
    held: StringBuffer = cython.cast(StringBuffer, reference_of(entry))
    return buffer.word(held.data, held.length)


def freeze_string(
    freezer: Freezing, index: cython.int, entry: cython.pointer[cython.const[Entry]]
) -> Frozen:
    """Begin to hand out a long string; None for one that can be handed out at once."""
    if entry.kind != BYTES or not freezer.output.takes_parts:
        return None
    text: bytes = cython.cast(bytes, reference_of(entry))
    return FrozenString(freezer, index, text) if PyBytes_GET_SIZE(text) >= LONG_STRING else None


@cython.final
@cython.cclass
class FrozenString(Frozen):
    """A long string, which is handed out by reference: others take their time with it."""

    def __init__(self, freezer: Freezing, index: cython.int, text: bytes):
        self.freezer = freezer
        self.index = index
        self.text: bytes = text

    def walk(self):
        """Hand out all of it."""
        self.freezer.output.put_string(self, self.text)
        return True

    def finish(self, complete):
        """Let go of it."""
        self.text = b""
        return 0

    def type_of(self, version):
        """The one that there is."""
        return STRING

    def put_head(self, record):
        """Nothing comes before the string."""
        return 0
