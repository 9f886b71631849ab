"""Source text to functions, without the holes of Lua 5.1.5 that Redis has patched in its copy.

* Bytecode is never accepted: the first byte that Lua sees is a space.
* The parser does not keep the name of the chunk from being collected (CVE-2025-49844); here it is
  on the stack meanwhile.
* Delimiters of long strings overflow an integer above 2 GB (CVE-2025-46819); text is limited to
  what a Redis string can hold.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.scripting.chunks import Chunk
from cython.cimports.carnelian.scripting.lua import REGISTRY, SYNTAX_ERROR, State, lua

_MAX_SIZE = cython.declare(cython.size_t, 512 * 1024 * 1024)

_Text = cython.struct(text=cython.p_const_char, size=cython.size_t, step=cython.int)


@cython.cfunc
@cython.exceptval(check=False)
def reference_chunk(L: State) -> cython.int:
    """Compile a :class:`Chunk` and have the registry keep the function; to be called protected."""
    chunk = cython.cast(cython.pointer[Chunk], lua.touserdata(L, 1))
    chunk.status = load_text(L, chunk.text, chunk.size, chunk.name)
    chunk.reference = lua.ref(L, REGISTRY)
    return 0


@cython.cfunc
@cython.exceptval(check=False)
def load_text(
    L: State, text: cython.p_const_char, size: cython.size_t, name: cython.p_const_char
) -> cython.int:
    """Push the function that a text compiles to, or an error message; returns Lua's status."""
    source = cython.declare(_Text)
    if size > _MAX_SIZE:
        lua.pushstring(L, b"chunk is too long")
        return SYNTAX_ERROR
    source.text, source.size, source.step = text, size, 0
    lua.pushstring(L, name)
    status: cython.int = lua.load(L, _read, cython.address(source), name)
    lua.remove(L, -2)
    return status


@cython.cfunc
@cython.exceptval(check=False)
def _read(L: State, data: cython.p_void, size: cython.p_size_t) -> cython.p_const_char:
    source = cython.cast(cython.pointer[_Text], data)
    source.step += 1
    if source.step == 1:
        size[0] = 1
        return b" "
    size[0] = source.size if source.step == 2 else 0
    return source.text
