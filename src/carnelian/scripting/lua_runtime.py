"""A Lua state: compiles scripts and runs them, from Python into Lua and back.

Its stack has at the bottom, for good, what runs scripts and the names of fields that results are
looked at for, so that nothing has to be made for it.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.scripting.api.coroutines import watch_coroutines
from cython.cimports.carnelian.scripting.api.redis_calls import (
    interval_hook,
    remember_context,
)
from cython.cimports.carnelian.scripting.api.redis_table import open_loading_api, open_redis
from cython.cimports.carnelian.scripting.api.reply_pushing import push_words
from cython.cimports.carnelian.scripting.api.script_host import ScriptHost
from cython.cimports.carnelian.scripting.borrowed import PyObject
from cython.cimports.carnelian.scripting.chunks import Chunk, reference_chunk
from cython.cimports.carnelian.scripting.context import Context, context_of
from cython.cimports.carnelian.scripting.lua import (
    BOOLEAN,
    GC_COLLECT,
    GLOBALS,
    MASK_COUNT,
    NIL,
    NUMBER,
    REGISTRY,
    STRING,
    TABLE,
    UPVALUE,
    Hook,
    State,
    lua,
    lua_Debug,
    pop,
)
from cython.cimports.carnelian.scripting.lua_memory import Budget, allocate, limit_memory
from cython.cimports.carnelian.scripting.lua_runtime import HANDLER, RUN
from cython.cimports.carnelian.scripting.results import (
    LAST_NAME,
    begin_result,
    script_error,
    take_result,
    text_at,
)
from cython.cimports.carnelian.scripting.sandbox.lua_globals import lock_libraries, open_libraries
from cython.cimports.carnelian.scripting.sandbox.proxies import lock_globals
from cython.cimports.cpython.mem import PyMem_Free

from carnelian import REDIS_VERSION
from carnelian.resp.replies import Error
from carnelian.scripting.lua import load

_INSTRUCTIONS = cython.declare(cython.int, 100_000)  # between two looks at the time
_SEED = cython.declare(cython.ulonglong, 0x1234ABCD330E)
# Slots of the stack that every run may count on.
_ROOM = cython.declare(cython.int, 200)

_NAMES = cython.declare(cython.p_const_char[12])
_NAMES[0], _NAMES[1], _NAMES[2], _NAMES[3] = b"err", b"ok", b"double", b"map"
_NAMES[4], _NAMES[5], _NAMES[6] = b"set", b"big_number", b"verbatim_string"
_NAMES[7], _NAMES[8], _NAMES[9] = b"string", b"format", b"ignore_error_stats_update"
_NAMES[10], _NAMES[11] = b"source", b"line"

_MAX_SIZE = cython.declare(cython.size_t, 1 << 48)
_NO_MEMORY = Error("ERR not enough memory")
# Bytes that are collected when a script has ended, but not before there are twice as many as there
# were after the last time.
_WORTH_COLLECTING = cython.declare(cython.size_t, 8 << 20)

_VERSION = REDIS_VERSION.encode()
_MAJOR, _MINOR, _PATCH = map(int, REDIS_VERSION.split("."))
_VERSION_NUMBER = _MAJOR << 16 | _MINOR << 8 | _PATCH


@cython.final
@cython.cclass
class Runtime:
    """A Lua state with the globals of scripts.

    Args:
        host: what runs their commands.
        for_functions: its scripts are libraries of functions, which get keys and arguments as
            arguments; else they are those of EVAL, which find them in KEYS and ARGV.

    Raises:
        ImportError: there is no Lua; the text says what to install.

    Not to be used by two threads at a time; any thread will do.
    """

    def __cinit__(self, host: ScriptHost, for_functions: cython.bint = False):
        load()
        limit_memory(cython.address(self.context.budget), 0)
        self.context.L = lua.newstate(allocate, cython.address(self.context.budget))
        if self.context.L == cython.NULL:
            raise MemoryError
        lua.atpanic(self.context.L, _panic)

    def __init__(self, host: ScriptHost, for_functions: cython.bint = False):
        self.host = host
        self.context.host = cython.cast(cython.pointer[PyObject], host)
        self.context.random = _SEED
        self.context.protocol = 2
        self.context.deprecated = host.engine.config["lua-enable-deprecated-api"]
        self.context.version = cython.cast(cython.p_const_char, cython.cast(bytes, _VERSION))
        self.context.version_number = _VERSION_NUMBER
        opening = _open_for_functions if for_functions else _open_for_scripts
        status = lua.cpcall(self.context.L, opening, cython.address(self.context))
        if status == 0:
            status = lua.cpcall(self.context.L, remember_context, cython.address(self.context))
        # Nothing is left then that could raise: there is memory, and little is asked for.
        if status != 0 or _fill_stack(cython.address(self.context)):
            raise MemoryError("Lua does not start")
        lua.sethook(self.context.L, cython.cast(Hook, interval_hook), MASK_COUNT, _INSTRUCTIONS)
        self.collect()

    def __dealloc__(self):
        if self.context.L != cython.NULL:
            lua.close(self.context.L)
        PyMem_Free(self.context.json.data)

    # -- Code --------------------------------------------------------------------------------------

    @cython.cfunc
    @cython.exceptval(-1)
    def compile(
        self, source: bytes, name: cython.p_const_char, failure: cython.p_const_char
    ) -> cython.int:
        """The reference of a compiled chunk; raises :class:`Error` that begins with ``failure``."""
        L: State = self.context.L
        chunk = cython.declare(Chunk)
        chunk.text, chunk.size = source, len(source)
        chunk.name = name
        failed: cython.bint = lua.cpcall(L, reference_chunk, cython.address(chunk)) != 0
        if self.context.budget.refused and not self.context.running:
            self.collect()
        if failed:
            pop(L, 1)
            raise Error(cython.cast(bytes, failure) + b"not enough memory")
        if chunk.status != 0:
            lua.rawgeti(L, REGISTRY, chunk.reference)
            message = text_at(L, -1)
            pop(L, 1)
            lua.unref(L, REGISTRY, chunk.reference)
            raise Error(cython.cast(bytes, failure) + message)
        return chunk.reference

    @cython.cfunc
    @cython.exceptval(-1)
    def forget(self, function: cython.int) -> cython.int:
        """Let go of what a reference stands for."""
        lua.unref(self.context.L, REGISTRY, function)
        return 0

    # -- Running -----------------------------------------------------------------------------------

    @cython.cfunc
    def run(self, function: cython.int, keys: list, arguments: list, name: bytes):
        """Call a function by its reference; returns its reply, or the :class:`Error` it ends with.

        The host has begun. ``name`` is what errors call it.
        """
        return self.enter(function, keys, arguments, name, False)

    @cython.cfunc
    def load(self, function: cython.int):
        """Run the chunk of a library, with what such a chunk may use; returns None or its error."""
        return self.enter(function, None, None, b"", True)

    def enter(self, function, keys, arguments, name, loading):
        """Lay out what a run begins with; raises Error if one is going on already."""
        context: cython.pointer[Context] = cython.address(self.context)
        L: State = context.L
        if context.running:
            raise Error("ERR a script is running already")
        if keys is not None:
            context.keys = cython.cast(cython.pointer[PyObject], keys)
            context.arguments = cython.cast(cython.pointer[PyObject], arguments)
        context.function = function
        context.running = True
        if loading:
            _exchange_globals(context, context.loading_api)
        try:
            lua.pushvalue(L, RUN)
            status: cython.int = lua.pcall(L, 0, 1, HANDLER)
            if self.host.failure is not None:
                return self.failed()
            if status != 0:
                return script_error(L, name)
            begin_result(cython.address(context.budget))
            return take_result(L, 0, self.host.session.protocol == 3)
        except MemoryError:
            return _NO_MEMORY
        finally:
            if loading:
                _exchange_globals(context, context.globals)
            self.leave()

    @cython.cfunc
    @cython.exceptval(-1)
    def leave(self) -> cython.int:
        """Leave the stack and the hook as they are between two scripts."""
        context: cython.pointer[Context] = cython.address(self.context)
        lua.settop(context.L, LAST_NAME)
        context.running = False
        if context.ending:
            context.ending = False
            lua.sethook(context.L, cython.cast(Hook, interval_hook), MASK_COUNT, _INSTRUCTIONS)
        context.keys = context.arguments = context.reply = cython.NULL
        budget: cython.pointer[Budget] = cython.address(context.budget)
        if budget.refused or budget.used > 2 * budget.settled + _WORTH_COLLECTING:
            self.collect()
        return 0

    @cython.cfunc
    def failed(self):
        """A script was interrupted: what it has done is done, and the interrupt comes out later."""
        failure, self.host.failure = self.host.failure, None
        self.host.engine.defer(failure)
        return Error("ERR interrupted")

    # -- Memory ------------------------------------------------------------------------------------

    @cython.ccall
    @cython.exceptval(-1)
    def memory(self) -> cython.Py_ssize_t:
        """Bytes that the state takes."""
        return self.context.budget.used

    @cython.ccall
    def collect(self):
        """A full cycle of Lua's garbage collector, and what the limit is from then on."""
        context: cython.pointer[Context] = cython.address(self.context)
        # It may move what it keeps, and raises where it gets no room for that.
        context.budget.limit = context.budget.used + _MAX_SIZE
        before: cython.size_t = context.budget.used + 1
        while context.budget.used < before:
            # Each cycle halves the buffer in which texts are put together.
            before = context.budget.used
            lua.gc(context.L, GC_COLLECT, 0)
        if context.json.room > _WORTH_COLLECTING:
            context.json.data = cython.cast(
                cython.p_char,
                allocate(cython.address(context.budget), context.json.data, context.json.room, 0),
            )
            context.json.room = 0
        context.budget.settled = context.budget.used
        context.budget.refused = False
        limit_memory(cython.address(context.budget), self.host.engine.config["lua-memory-limit"])


# -- C functions for Lua; these own no Python reference --------------------------------------------


@cython.cfunc
@cython.exceptval(check=False)
def _panic(L: State) -> cython.int:
    """An error outside of any protected call: a bug of ours. Lua ends the process after this."""
    return 0


@cython.cfunc
@cython.exceptval(check=False)
def _open_for_scripts(L: State) -> cython.int:
    _open(L, cython.cast(cython.pointer[Context], lua.touserdata(L, 1)), False)
    return 0


@cython.cfunc
@cython.exceptval(check=False)
def _open_for_functions(L: State) -> cython.int:
    _open(L, cython.cast(cython.pointer[Context], lua.touserdata(L, 1)), True)
    return 0


@cython.cfunc
@cython.exceptval(check=False)
def _open(L: State, context: cython.pointer[Context], functions: cython.bint) -> cython.void:
    open_libraries(L, context)
    watch_coroutines(L, context)
    open_redis(L, context, functions)
    lock_libraries(L, context)
    if functions:
        open_loading_api(L, context)
    lock_globals(L, context)


@cython.cfunc
@cython.exceptval(check=False)
def _fill_stack(context: cython.pointer[Context]) -> cython.bint:
    """Lay out the bottom of the stack; true if that came out wrong."""
    L: State = context.L
    i: cython.int
    lua.checkstack(L, _ROOM)
    lua.pushcclosure(L, _handle_error, 0)
    lua.pushlightuserdata(L, context)
    lua.rawgeti(L, REGISTRY, context.globals)
    lua.pushstring(L, b"KEYS")
    lua.pushstring(L, b"ARGV")
    lua.pushcclosure(L, _run, 4)
    for i in range(12):
        lua.pushstring(L, _NAMES[i])
    # Letting go of a reference takes no memory any more once it has been done.
    lua.pushboolean(L, 1)
    lua.unref(L, REGISTRY, lua.ref(L, REGISTRY))
    return lua.gettop(L) != LAST_NAME


@cython.cfunc
@cython.exceptval(check=False)
def _exchange_globals(context: cython.pointer[Context], reference: cython.int) -> cython.void:
    """Have the globals read from another table. The field is there, so that nothing is made."""
    L: State = context.L
    lua.pushvalue(L, GLOBALS)
    lua.getmetatable(L, -1)
    lua.rawgeti(L, REGISTRY, reference)
    lua.setfield(L, -2, b"__index")
    pop(L, 2)


@cython.cfunc
@cython.exceptval(check=False)
def _run(L: State) -> cython.int:
    """Call the function of the context. Upvalues: context, real globals, "KEYS", "ARGV"."""
    context: cython.pointer[Context] = context_of(L)
    if context.loading_api:
        lua.rawgeti(L, REGISTRY, context.function)
        if context.keys == cython.NULL:
            lua.call(L, 0, 1)
        else:
            push_words(L, context.keys)
            push_words(L, context.arguments)
            lua.call(L, 2, 1)
        return 1
    lua.pushvalue(L, UPVALUE - 2)
    push_words(L, context.keys)
    lua.rawset(L, UPVALUE - 1)
    lua.pushvalue(L, UPVALUE - 3)
    push_words(L, context.arguments)
    lua.rawset(L, UPVALUE - 1)
    lua.rawgeti(L, REGISTRY, context.function)
    lua.call(L, 0, 1)
    return 1


@cython.cfunc
@cython.exceptval(check=False)
def _handle_error(L: State) -> cython.int:
    """Make a table of any error and note where it was raised."""
    where = cython.declare(lua_Debug)
    found: cython.bint = lua.getstack(L, 1, cython.address(where))
    if found:
        lua.getinfo(L, b"nSl", cython.address(where))
        if where.what[0] == b"C"[0] and lua.getstack(L, 2, cython.address(where)):
            lua.getinfo(L, b"nSl", cython.address(where))
    if lua.type(L, 1) != TABLE:
        lua.createtable(L, 0, 3)
        _push_error_text(L)
        lua.setfield(L, -2, b"err")
        lua.replace(L, 1)
        lua.settop(L, 1)
    if found:
        lua.pushstring(L, where.source)
        lua.setfield(L, 1, b"source")
        lua.pushnumber(L, where.currentline)
        lua.setfield(L, 1, b"line")
    return 1


@cython.cfunc
@cython.exceptval(check=False)
def _push_error_text(L: State) -> cython.void:
    """Push "ERR " and what ``tostring`` would make of the first argument."""
    kind: cython.int = lua.type(L, 1)
    if kind in (STRING, NUMBER):
        lua.pushfstring(L, b"ERR %s", lua.tolstring(L, 1, cython.NULL))
    elif kind == NIL:
        lua.pushstring(L, b"ERR nil")
    elif kind == BOOLEAN:
        lua.pushstring(L, b"ERR true" if lua.toboolean(L, 1) else b"ERR false")
    else:
        lua.pushfstring(L, b"ERR %s: %p", lua.typename(L, kind), lua.topointer(L, 1))
