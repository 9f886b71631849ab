"""Replies in the shapes that redis-py's parsers give them, without a detour over the wire."""

from __future__ import annotations

import cython
from cython.cimports.carnelian.resp.numbers import format_float, format_plain

from carnelian.resp.replies import (
    NULL_ARRAY,
    OK,
    Attribute,
    BigNumber,
    Error,
    FlatMap,
    PlainFloat,
    Status,
    Verbatim,
)


@cython.final
@cython.cclass
class Shaper:
    """Turns replies of the engine into what a client of one protocol gets.

    Args:
        protocol: 2, where maps and sets are lists, and numbers other than integers are texts; or 3.
        encoding, errors: how texts are decoded; None leaves them bytes.
        make_error: turns the text of an error into an exception.
    """

    def __init__(self, protocol: cython.int, encoding, errors, make_error):
        self.protocol = protocol
        self.encoding = encoding
        self.errors = errors
        self.make_error = make_error

    @cython.ccall
    def shape(self, value):
        """The reply as the client gets it; errors are exceptions, but not raised.

        O(n) in the elements.
        """
        kind = type(value)
        if kind is bytes:
            if self.encoding is None:
                return value
            return cython.cast(bytes, value).decode(self.encoding, self.errors)
        if kind is int or value is None:
            return value
        return self.other(value, kind)

    @cython.cfunc
    def other(self, value, kind):
        if value is OK:
            return b"OK" if self.encoding is None else "OK"
        if kind is list:
            return self.elements(value)
        if kind is float:
            return value if self.protocol == 3 else self.shape(format_float(value))
        if kind is PlainFloat:
            return float(value) if self.protocol == 3 else self.shape(format_plain(value))
        if kind is bool:
            return value if self.protocol == 3 else int(value)
        if value is NULL_ARRAY:
            return None
        if kind is FlatMap:
            return self.mapping(zip(value[::2], value[1::2], strict=True))
        if kind is dict:
            return self.mapping(value.items())
        if isinstance(value, Error):
            return self.make_error(value.message.decode("utf-8", "replace"))
        if kind is Status:
            return self.shape(bytes(value))
        if kind is Verbatim:
            return self.shape(value.text)
        if kind is BigNumber:
            return int(value) if self.protocol == 3 else self.shape(b"%d" % value)
        if kind is Attribute:
            return self.shape(value.value)
        # Sets, pushes and their kind: redis-py has lists for all of them.
        return self.elements(value)

    @cython.cfunc
    def elements(self, value) -> list:
        return [self.shape(element) for element in value]

    @cython.cfunc
    def mapping(self, pairs):
        if self.protocol == 3:
            return {self.shape(key): self.shape(part) for key, part in pairs}
        return [self.shape(part) for pair in pairs for part in pair]
