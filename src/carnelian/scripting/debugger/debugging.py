"""Has a script run under the debugger: in a Lua state of its own, whose functions tell of it.

So nothing of this is on the way of other scripts. As in ``redis_calls``, what Lua may jump out of
owns no Python reference, and what touches Python objects raises nothing in Lua.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.scripting.api.redis_answers import redis_error_reply
from cython.cimports.carnelian.scripting.api.redis_calls import redis_pcall, take_words
from cython.cimports.carnelian.scripting.api.reply_pushing import push_field
from cython.cimports.carnelian.scripting.api.script_host import ScriptHost
from cython.cimports.carnelian.scripting.borrowed import PyObject, bytes_size, bytes_text
from cython.cimports.carnelian.scripting.context import Context
from cython.cimports.carnelian.scripting.debugger.lua_values import describe
from cython.cimports.carnelian.scripting.debugger.script_inspection import Inspection
from cython.cimports.carnelian.scripting.lua import (
    BOOLEAN,
    EVENT_COUNT,
    MASK_COUNT,
    MASK_LINE,
    REGISTRY,
    TABLE,
    UPVALUE,
    CFunction,
    Hook,
    State,
    lua,
    lua_Debug,
    pop,
)
from cython.cimports.carnelian.scripting.lua_runtime import Runtime
from cython.cimports.libc.string import strstr

from carnelian.scripting.debugger.debugger import Debugger, ScriptAborted
from carnelian.scripting.debugger.reply_texts import reply_text

# Instructions between two looks at the time, in one line.
_INSTRUCTIONS = cython.declare(cython.int, 100_000)
_ABORTED = b"ERR "

_key = cython.declare(cython.char)


@cython.final
@cython.cclass
class Debugging:
    """One script that is debugged.

    Args:
        runtime: a state in which nothing else runs; the script is compiled in it.
        debugger: what stops it.
    """

    def __init__(self, runtime: Runtime, inspection: Inspection, debugger: Debugger):
        self.host = runtime.host
        self.inspection = inspection
        self.debugger = debugger
        self.since_ns = self.host.engine.clock.monotonic_ns()
        context: cython.pointer[Context] = cython.address(runtime.context)
        self.context = context
        inspection.L = context.L
        if lua.cpcall(context.L, _attach, cython.cast(cython.p_void, self)) != 0:
            raise MemoryError
        mask: cython.int = MASK_LINE | MASK_COUNT
        lua.sethook(context.L, cython.cast(Hook, _line_hook), mask, _INSTRUCTIONS)

    # -- What the script does; errors are kept for the host ----------------------------------------

    @cython.cfunc
    @cython.exceptval(check=False)
    def reach(
        self, L: State, line: cython.int, counted: cython.bint, own: cython.bint
    ) -> cython.bint:
        """It is at a line; false if it is to end, with the error left in the host's reply."""
        host: ScriptHost = self.host
        try:
            self.inspection.L = L
            self.debugger.pass_line(line)
            clock = host.engine.clock
            elapsed_ms = (clock.monotonic_ns() - self.since_ns) // 1_000_000
            if own and self.debugger.reach(elapsed_ms, counted):
                # What has gone by meanwhile was the time of somebody who was thinking.
                self.since_ns = clock.monotonic_ns()
                host.now_ms = clock.wall_ms()
            return True
        except ScriptAborted as end:
            host.reply = _ABORTED + str(end).encode()
        except BaseException as failure:
            host.failure = failure
            host.reply = b"ERR interrupted"
        self.context.reply = cython.cast(cython.pointer[PyObject], host.reply)
        return False

    @cython.cfunc
    @cython.exceptval(check=False)
    def begin_command(self, L: State) -> cython.void:
        """It runs the command whose words are on the stack."""
        host: ScriptHost = self.host
        try:
            self.commands = host.engine.stats.commands
            words = take_words(self.context, L) if self.debugger.stepping else None
            if words is not None:
                self.debugger.show_command(words)
        except BaseException as failure:
            host.note_failure(failure)

    @cython.cfunc
    @cython.exceptval(check=False)
    def end_command(self, failed: cython.bint) -> cython.void:
        """It has run, and the reply is with the host."""
        host: ScriptHost = self.host
        try:
            if not self.debugger.stepping:
                return
            if not failed:
                self.debugger.show_reply(reply_text(host.reply, self.context.protocol))
            elif host.engine.stats.commands == self.commands:
                self.show_error(host.reply)
            else:
                self.debugger.show_error(b"-" + host.reply)
                self.debugger.show_reply(reply_text((b"err", host.reply), 2))
        except BaseException as failure:
            host.note_failure(failure)

    @cython.cfunc
    def show_error(self, message: bytes):
        """Show what was refused: what has a code of its own looks as it would be sent."""
        if message.startswith(b"ERR "):
            self.debugger.show_error(message[4:])
        else:
            self.debugger.show_error(b"-" + message)

    @cython.cfunc
    @cython.exceptval(check=False)
    def refuse(self, L: State) -> cython.void:
        """It has made an error reply, whose text is on top of the stack."""
        size: cython.size_t = 0
        text = lua.tolstring(L, -1, cython.address(size))
        try:
            if self.debugger.stepping:
                self.show_error(text[:size])
        except BaseException as failure:
            self.host.note_failure(failure)

    @cython.cfunc
    @cython.exceptval(check=False)
    def show_values(self, L: State) -> cython.void:
        """It shows all that is on the stack."""
        i: cython.int
        try:
            texts: list = []
            for i in range(lua.gettop(L)):
                lua.pushvalue(L, i + 1)
                texts.append(describe(L, 0))
                pop(L, 1)
            self.debugger.show(texts)
        except BaseException as failure:
            self.host.note_failure(failure)

    @cython.cfunc
    @cython.exceptval(check=False)
    def stop_soon(self) -> cython.void:
        try:
            self.debugger.stop_soon()
        except BaseException as failure:
            self.host.note_failure(failure)


# -- Functions for Lua; these own no Python reference ----------------------------------------------


@cython.cfunc
@cython.exceptval(check=False)
def _attach(L: State) -> cython.int:
    """Put functions that tell of themselves into the table ``redis``."""
    debugging: cython.p_void = lua.touserdata(L, 1)
    context: cython.pointer[Context] = _context_of(debugging)
    i: cython.int
    lua.pushlightuserdata(L, cython.address(_key))
    lua.pushlightuserdata(L, debugging)
    lua.rawset(L, REGISTRY)
    lua.rawgeti(L, REGISTRY, context.globals)
    lua.pushstring(L, b"redis")
    lua.rawget(L, -2)
    for i in range(context.locked_count):
        if context.locked[i] == lua.topointer(L, -1):
            lua.rawgeti(L, REGISTRY, context.real[i])
            _set(L, context, debugging, b"call", _call)
            _set(L, context, debugging, b"pcall", _pcall)
            _set(L, context, debugging, b"error_reply", _error_reply)
            _set(L, context, debugging, b"breakpoint", _breakpoint)
            _set(L, context, debugging, b"debug", _debug)
            lua.getfield(L, -1, b"call")
            _keep_call(debugging, lua.ref(L, REGISTRY))
    return 0


@cython.cfunc
@cython.exceptval(check=False)
def _set(
    L: State,
    context: cython.pointer[Context],
    debugging: cython.p_void,
    name: cython.p_const_char,
    function: CFunction,
) -> cython.void:
    """Add a function to the table on top of the stack. Its upvalues: context, debugging."""
    lua.pushlightuserdata(L, context)
    lua.pushlightuserdata(L, debugging)
    lua.pushcclosure(L, function, 2)
    lua.setfield(L, -2, name)


@cython.cfunc
@cython.exceptval(check=False)
def _line_hook(L: State, where: cython.pointer[lua_Debug]) -> cython.void:
    """Stop before a line, or go on."""
    lua.pushlightuserdata(L, cython.address(_key))
    lua.rawget(L, REGISTRY)
    debugging: cython.p_void = lua.touserdata(L, -1)
    pop(L, 1)
    context: cython.pointer[Context] = _context_of(debugging)
    if not context.running:
        return
    counted: cython.bint = where.event == EVENT_COUNT
    lua.getinfo(L, b"Sl", where)
    own: cython.bint = strstr(where.short_src, b"user_script") != cython.NULL
    if not _reach(debugging, L, where.currentline, counted, own):
        push_field(L, b"err", bytes_text(context.reply), bytes_size(context.reply))
        lua.error(L)


@cython.cfunc
@cython.exceptval(check=False)
def _call(L: State) -> cython.int:
    """``redis.call(name, ...)``"""
    return lua.error(L) if _run(L) else 1


@cython.cfunc
@cython.exceptval(check=False)
def _pcall(L: State) -> cython.int:
    """``redis.pcall(name, ...)``"""
    _run(L)
    return 1


@cython.cfunc
@cython.exceptval(check=False)
def _run(L: State) -> cython.bint:
    """Replace the words on the stack by the reply; whether that is an error."""
    debugging: cython.p_void = lua.touserdata(L, UPVALUE - 1)
    _begin_command(debugging, L)
    redis_pcall(L)
    failed: cython.bint = False
    if lua.type(L, -1) == TABLE:
        lua.pushstring(L, b"ignore_error_stats_update")
        lua.rawget(L, -2)
        failed = lua.type(L, -1) == BOOLEAN
        pop(L, 1)
    _end_command(debugging, failed)
    return failed


@cython.cfunc
@cython.exceptval(check=False)
def _error_reply(L: State) -> cython.int:
    """``redis.error_reply(text)``"""
    redis_error_reply(L)
    lua.getfield(L, -1, b"err")
    _refuse(lua.touserdata(L, UPVALUE - 1), L)
    pop(L, 1)
    return 1


@cython.cfunc
@cython.exceptval(check=False)
def _breakpoint(L: State) -> cython.int:
    """``redis.breakpoint()``: true, for somebody debugs."""
    _stop_soon(lua.touserdata(L, UPVALUE - 1))
    lua.pushboolean(L, 1)
    return 1


@cython.cfunc
@cython.exceptval(check=False)
def _debug(L: State) -> cython.int:
    """``redis.debug(value, ...)``"""
    if lua.checkstack(L, 1):
        _show_values(lua.touserdata(L, UPVALUE - 1), L)
    return 0


# -- The ways from there to here -------------------------------------------------------------------


@cython.cfunc
@cython.exceptval(check=False)
def _context_of(debugging: cython.p_void) -> cython.pointer[Context]:
    return cython.cast(Debugging, debugging).context


@cython.cfunc
@cython.exceptval(check=False)
def _keep_call(debugging: cython.p_void, reference: cython.int) -> cython.void:
    cython.cast(Debugging, debugging).inspection.call_reference = reference


@cython.cfunc
@cython.exceptval(check=False)
def _reach(
    debugging: cython.p_void,
    L: State,
    line: cython.int,
    counted: cython.bint,
    own: cython.bint,
) -> cython.bint:
    return cython.cast(Debugging, debugging).reach(L, line, counted, own)


@cython.cfunc
@cython.exceptval(check=False)
def _begin_command(debugging: cython.p_void, L: State) -> cython.void:
    cython.cast(Debugging, debugging).begin_command(L)


@cython.cfunc
@cython.exceptval(check=False)
def _end_command(debugging: cython.p_void, failed: cython.bint) -> cython.void:
    cython.cast(Debugging, debugging).end_command(failed)


@cython.cfunc
@cython.exceptval(check=False)
def _refuse(debugging: cython.p_void, L: State) -> cython.void:
    cython.cast(Debugging, debugging).refuse(L)


@cython.cfunc
@cython.exceptval(check=False)
def _show_values(debugging: cython.p_void, L: State) -> cython.void:
    cython.cast(Debugging, debugging).show_values(L)


@cython.cfunc
@cython.exceptval(check=False)
def _stop_soon(debugging: cython.p_void) -> cython.void:
    cython.cast(Debugging, debugging).stop_soon()
