"""What files ask of the values of a class."""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.base.limits import Limits
from cython.cimports.carnelian.persistence.bytes.byte_sink import Sink
from cython.cimports.carnelian.persistence.bytes.byte_source import Source
from cython.cimports.carnelian.persistence.bytes.command_file import CommandFile
from cython.cimports.carnelian.persistence.bytes.formats import OLDEST
from cython.cimports.carnelian.persistence.bytes.frozen import Freezing, Frozen
from cython.cimports.carnelian.persistence.bytes.objects import ObjectPointer


@cython.cclass
class Form:
    """The forms of a class of values: in RDB files and payloads, in parts, and as commands.

    A value that is only written comes as an address: no reference to it is taken, for that would
    write to it, and have a forked process copy the page that it stands on.
    """

    def type_of(self, value: ObjectPointer, version: cython.int) -> cython.int:
        """The RDB type that a value has in files of a version, which has to be late enough."""
        raise NotImplementedError

    def put(self, sink: Sink, value: ObjectPointer) -> cython.int:
        """Write a value, without its type."""
        raise NotImplementedError

    def needed_version(self, value: ObjectPointer, quickly: cython.bint) -> cython.int:
        """The lowest RDB version that has a form for a value; a later one may be said if there is
        no time to look at all of it.
        """
        return OLDEST

    def read(self, source: Source, type: cython.int, limits: Limits, thorough: cython.bint):
        """Read a value of one of the registered RDB types, in the form that the limits ask for.

        What is read is held for damaged until it is checked. Only whether elements are there twice,
        which does no harm to memory, is left to ``thorough``.

        Raises ShortRead, Corrupt, or EmptyValue for a collection without elements.
        """
        raise NotImplementedError

    def freeze(self, freezer: Freezing, index: cython.int, value) -> Frozen | None:
        """Begin to hand out a value in parts; None if it can be handed out at once."""
        return None

    def rewrite(self, commands: CommandFile, key: bytes, value) -> cython.int:
        """Write the commands that make a value again."""
        raise NotImplementedError
