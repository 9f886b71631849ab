"""What a collection has to offer to be kept under a key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cython

if TYPE_CHECKING:
    from carnelian.datatypes.base.digest import Digest


# What TYPE replies for the types that there are; a module that brings a type along adds its name.
TYPE_NAMES: set[bytes] = {b"string", b"list", b"set", b"zset", b"hash", b"stream", b"array"}


@cython.cclass
class Value:
    """Base of the collections. A key space keeps any object with the same methods, too.

    Values count the memory they hold with :mod:`carnelian.datatypes.base.memory` as they change,
    and hold no reference back to anything that holds them: the garbage collector does not see them.
    """

    @property
    def type_name(self) -> bytes:
        """The name that TYPE replies, such as ``b"list"``."""
        raise NotImplementedError

    def encoding(self) -> bytes:
        """The name that OBJECT ENCODING replies, such as ``b"listpack"``."""
        raise NotImplementedError

    def memory(self) -> cython.Py_ssize_t:
        """Bytes that this value holds, itself included."""
        raise NotImplementedError

    def free_effort(self) -> cython.Py_ssize_t:
        """About how many blocks have to be freed with it: a large number is freed in steps."""
        return 1

    def copy(self):
        """A value of the same content that shares nothing changeable with this one."""
        raise NotImplementedError

    def size(self) -> cython.Py_ssize_t:
        """How many elements it has, -1 if keys are not to be counted by that (INFO keysizes)."""
        return -1

    def has_timed_parts(self) -> cython.bint:
        """Whether parts of it expire by themselves, while its key stays."""
        return False

    def has_newer_form(self) -> cython.bint:
        """Whether it holds what older RDB versions have no form for; what has timed parts is asked
        about those only.
        """
        return False

    def details(self) -> bytes:
        """What DEBUG OBJECT says of it besides what it says of all: `` name:value ...``."""
        return b""

    def digest(self, digest: Digest) -> None:
        """Take the content in, equal for equal content (DEBUG DIGEST)."""
        raise NotImplementedError
