"""Values of module types: those that stand in files with the name of their type.

A type has a name of nine letters and a version, which together make the number that its values
begin with. Then come fields, each behind a number that says of what kind it is, and a zero. So
whoever does not know a type can still pass its values over.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.persistence.bytes.byte_sink import Sink
from cython.cimports.carnelian.persistence.bytes.byte_source import Source
from cython.cimports.carnelian.persistence.bytes.formats import MODULE, MODULE_2
from cython.cimports.carnelian.persistence.forms.directory import register, register_types
from cython.cimports.carnelian.persistence.forms.form import Form
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.libc.stdint import int64_t, uint64_t
from cython.cimports.libc.string import memcpy

from carnelian.persistence.bytes.file_errors import Corrupt

LETTERS: str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
NAME_LENGTH: int = 9
HIGHEST_VERSION: int = 1023

# The kinds of fields.
END = cython.declare(uint64_t, 0)
UNSIGNED = cython.declare(uint64_t, 2)
FLOAT = cython.declare(uint64_t, 3)
DOUBLE = cython.declare(uint64_t, 4)
TEXT = cython.declare(uint64_t, 5)

_by_name: dict[str, ModuleForm] = {}


def module_name(number: uint64_t) -> str:
    """The name of a module type: nine letters of six bits each above ten bits of version."""
    digits = int(number)
    return "".join(LETTERS[digits >> shift & 63] for shift in range(58, 4, -6))


def module_number(name: str, version: int) -> int:
    """What :func:`module_name` takes apart."""
    number = 0
    for letter in name:
        number = number << 6 | LETTERS.index(letter)
    return number << 10 | version


def register_module(class_: type, form: ModuleForm) -> None:
    """Have the values of a class written in that form, and those of its name read by it."""
    if form.name in _by_name:
        raise ValueError(f"there is a form of module type {form.name!r} already")
    register(class_, form)
    _by_name[form.name] = form


@cython.cclass
class ModuleForm(Form):
    """The form of a module type; a module overrides :meth:`save`, :meth:`load`, :meth:`commands`.

    Args:
        name: nine letters, digits, ``-`` or ``_``, as other servers that know the type have it.
        version: of what is written, from 0 to 1023; whatever was written before can be read.
    """

    def __init__(self, name: str, version: int):
        if len(name) != NAME_LENGTH or not set(name) <= set(LETTERS):
            raise ValueError(f"a module type is named by nine letters, and not {name!r}")
        if not 0 <= version <= HIGHEST_VERSION:
            raise ValueError(f"{version} is no version of a module type")
        self.name = name
        self.version = version

    def save(self, fields, value):
        """Write a value into fields."""
        raise NotImplementedError

    def load(self, fields, version: cython.int):
        """Make a value of fields that were written in that version; None if it cannot be."""
        raise NotImplementedError

    def commands(self, key, value) -> list:
        """The commands that make a value again."""
        raise NotImplementedError

    def type_of(self, value, version):
        """That of all modules."""
        return MODULE_2

    def put(self, sink, value):
        """The number of the type, fields, and what says that there are no more."""
        sink.put_length(module_number(self.name, self.version))
        self.save(FieldSink(sink), cython.cast(object, value))
        return sink.put_length(END)

    def rewrite(self, commands, key, value):
        """As the module says."""
        for command in self.commands(key, value):
            commands.put(command)
        return 0


@cython.final
@cython.cclass
class ModuleReader(Form):
    """Reads the values of all modules: the form that belongs to the name reads what follows."""

    def read(self, source, type, limits, thorough):
        """The value of a module type that is known."""
        if type == MODULE:
            raise Corrupt("Values of modules in the form of Redis 4.0 betas cannot be read")
        number: uint64_t = source.read_length()
        name: str = module_name(number)
        form: ModuleForm | None = _by_name.get(name)
        if form is None:
            raise Corrupt(
                f"The RDB file contains module data I can't load: no matching module type '{name}'"
            )
        value = form.load(FieldSource(source, name), cython.cast(cython.int, number & 1023))
        if source.read_length() != END:
            raise Corrupt(
                f"The RDB file contains module data for the module '{name}' that is not "
                "terminated by the proper module value EOF marker"
            )
        if value is None:
            raise Corrupt(
                f"The RDB file contains module data for the module type '{name}', that the "
                "responsible module is not able to load."
            )
        return value


register_types(ModuleReader(), (MODULE, MODULE_2))


@cython.final
@cython.cclass
class FieldSink:
    """Where a module writes a value, field by field."""

    def __init__(self, sink: Sink):
        self.sink = sink

    def put_unsigned(self, number: uint64_t) -> cython.int:
        """Write a number."""
        self.sink.put_length(UNSIGNED)
        return self.sink.put_length(number)

    def put_signed(self, number: int64_t) -> cython.int:
        """Write a number that may be negative."""
        return self.put_unsigned(cython.cast(uint64_t, number))

    def put_double(self, number: cython.double) -> cython.int:
        """Write a number with a fraction."""
        word: int64_t = 0
        memcpy(cython.address(word), cython.address(number), 8)
        self.sink.put_length(DOUBLE)
        return self.sink.put_word(word)

    def put_float(self, number: cython.float) -> cython.int:
        """Write a number with a fraction in half the room."""
        self.sink.put_length(FLOAT)
        return self.sink.put(cython.address(number), 4)

    def put_text(self, text) -> cython.int:
        """Write a string."""
        self.sink.put_length(TEXT)
        return self.sink.put_text(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))


@cython.final
@cython.cclass
class FieldSource:
    """Where a module reads a value, field by field; raises Corrupt for one of another kind."""

    def __init__(self, source: Source, name: str):
        self.source = source
        self.name = name

    def expect(self, kind: uint64_t) -> cython.int:
        """The next field has to be of that kind."""
        found: uint64_t = self.source.read_length()
        if found != kind:
            raise Corrupt(
                f"Error loading data from RDB: a field of kind {kind} was expected for the module "
                f"'{self.name}', and one of kind {found} found"
            )
        return 0

    def read_unsigned(self) -> uint64_t:
        """Read a number."""
        self.expect(UNSIGNED)
        return self.source.read_length()

    def read_signed(self) -> int64_t:
        """Read a number that may be negative."""
        return cython.cast(int64_t, self.read_unsigned())

    def read_double(self) -> cython.double:
        """Read a number with a fraction."""
        self.expect(DOUBLE)
        return self.source.read_double()

    def read_float(self) -> cython.float:
        """Read a number with a fraction in half the room."""
        number: cython.float = 0
        self.expect(FLOAT)
        memcpy(cython.address(number), self.source.take(4), 4)
        return number

    def read_text(self) -> bytes:
        """Read a string."""
        self.expect(TEXT)
        return self.source.read_bytes()
