"""Texts that libraries make for Lua piece by piece.

All of it may raise in Lua, for want of memory, and owns nothing that would have to be released.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.scripting.libraries.text_buffer import SMALL, Buffer
from cython.cimports.carnelian.scripting.lua import State, lua
from cython.cimports.libc.string import memcpy


@cython.cfunc
@cython.exceptval(check=False)
def begin(buffer: cython.pointer[Buffer], L: State) -> cython.void:
    """An empty text; takes a slot of the stack, and leaves it taken."""
    lua.pushnil(L)
    buffer.L = L
    buffer.slot = lua.gettop(L)
    buffer.data = buffer.small
    buffer.size = 0
    buffer.room = SMALL


@cython.cfunc
@cython.exceptval(check=False)
def extend(buffer: cython.pointer[Buffer], count: cython.size_t) -> cython.p_char:
    """Add so many bytes; where they are to be written."""
    at: cython.size_t = buffer.size
    if count > buffer.room - at:
        grow(buffer, count)
    buffer.size = at + count
    return buffer.data + at


@cython.cfunc
@cython.exceptval(check=False)
def grow(buffer: cython.pointer[Buffer], count: cython.size_t) -> cython.void:
    """Have room for so many bytes more."""
    room: cython.size_t = 2 * buffer.room
    data: cython.p_char
    if room < buffer.size + count:
        room = buffer.size + count
    data = cython.cast(cython.p_char, lua.newuserdata(buffer.L, room))
    memcpy(data, buffer.data, buffer.size)
    lua.replace(buffer.L, buffer.slot)
    buffer.data = data
    buffer.room = room


@cython.cfunc
@cython.exceptval(check=False)
def push_text(buffer: cython.pointer[Buffer]) -> cython.void:
    """Push the text."""
    lua.pushlstring(buffer.L, buffer.data, buffer.size)
