"""Looks into a script that stands still: an ``Inspector`` on Lua's C API.

Nothing here raises in Lua. What might is called protected, by functions that own no reference.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.scripting.borrowed import (
    PyObject,
    bytes_size,
    bytes_text,
    list_item,
    list_size,
)
from cython.cimports.carnelian.scripting.chunks import load_text
from cython.cimports.carnelian.scripting.debugger.lua_values import describe
from cython.cimports.carnelian.scripting.debugger.script_inspection import Task
from cython.cimports.carnelian.scripting.lua import REGISTRY, State, lua, lua_Debug, pop
from cython.cimports.libc.string import strstr

_GLOBALS = (b"KEYS", b"ARGV")


@cython.final
@cython.cclass
class Inspection:
    """A script of one state; ``L`` is the thread that stands still."""

    # -- Variables ---------------------------------------------------------------------------------

    def locals(self, size: int) -> list:
        """Names and values of the variables of the function that runs."""
        return [
            (name, text)
            for name, text in self.variables(0, size) or ()
            if b"(*temporary)" not in name
        ]

    def find(self, name: bytes, size: int) -> bytes | None:
        """The value of a variable of that function or one of its callers; None: there is none."""
        level: cython.int = 0
        while True:
            variables = self.variables(level, size)
            if variables is None:
                break
            for known, text in variables:
                if known == name:
                    return text
            level += 1
        return self.evaluate(name, size)[1] if name in _GLOBALS else None

    @cython.cfunc
    def variables(self, level: cython.int, size: cython.Py_ssize_t) -> list | None:
        """Names and values of what is local to one level of the stack; None if there is none."""
        where = cython.declare(lua_Debug)
        if lua.getstack(self.L, level, cython.address(where)) == 0:
            return None
        found: list = []
        i: cython.int = 1
        while True:
            name: cython.p_const_char = lua.getlocal(self.L, cython.address(where), i)
            if name == cython.NULL:
                return found
            found.append((cython.cast(bytes, name), describe(self.L, size)))
            pop(self.L, 1)
            i += 1

    # -- Functions ---------------------------------------------------------------------------------

    def frames(self) -> list:
        """Who called whom, the innermost function first: names and lines."""
        where = cython.declare(lua_Debug)
        found: list = []
        level: cython.int = 0
        while lua.getstack(self.L, level, cython.address(where)):
            lua.getinfo(self.L, b"Snl", cython.address(where))
            if strstr(where.short_src, b"user_script") != cython.NULL:
                name = b"" if where.name == cython.NULL else cython.cast(bytes, where.name)
                found.append((name, where.currentline))
            level += 1
        return found

    # -- Code --------------------------------------------------------------------------------------

    def evaluate(self, code: bytes, size: int) -> tuple:
        """Whether the code could be run, and what it comes to: its value, or the error."""
        task = cython.declare(Task)
        expression: bytes = b"return " + code
        task.expression, task.expression_size = expression, len(expression)
        task.statement, task.statement_size = code, len(code)
        task.failed = True
        if lua.cpcall(self.L, _evaluate, cython.address(task)) != 0:
            pop(self.L, 1)
            return False, b"not enough memory"
        lua.rawgeti(self.L, REGISTRY, task.reference)
        text = describe(self.L, size)
        if task.failed:
            length: cython.size_t = 0
            message = lua.tolstring(self.L, -1, cython.address(length))
            if message != cython.NULL:
                text = message[:length]
        pop(self.L, 1)
        lua.unref(self.L, REGISTRY, task.reference)
        return not task.failed, text

    def command(self, words: list) -> bool:
        """Run a command as the script would; false if it has too many words."""
        task = cython.declare(Task)
        task.words = cython.cast(cython.pointer[PyObject], words)
        task.reference = self.call_reference
        task.failed = False
        if lua.cpcall(self.L, _command, cython.address(task)) != 0:
            pop(self.L, 1)
        return not task.failed


# -- Functions for Lua; these own no Python reference ----------------------------------------------


@cython.cfunc
@cython.exceptval(check=False)
def _evaluate(L: State) -> cython.int:
    """Run code as an expression or as statements, and keep its value or the error."""
    task = cython.cast(cython.pointer[Task], lua.touserdata(L, 1))
    status: cython.int = load_text(L, task.expression, task.expression_size, b"@ldb_eval")
    if status != 0:
        pop(L, 1)
        status = load_text(L, task.statement, task.statement_size, b"@ldb_eval")
    if status == 0:
        status = lua.pcall(L, 0, 1, 0)
    task.failed = status != 0
    task.reference = lua.ref(L, REGISTRY)
    return 0


@cython.cfunc
@cython.exceptval(check=False)
def _command(L: State) -> cython.int:
    """Call ``redis.call``, which shows what becomes of it."""
    i: cython.Py_ssize_t
    task = cython.cast(cython.pointer[Task], lua.touserdata(L, 1))
    count: cython.Py_ssize_t = list_size(task.words)
    if lua.checkstack(L, cython.cast(cython.int, count) + 1) == 0:
        task.failed = True
        return 0
    lua.rawgeti(L, REGISTRY, task.reference)
    for i in range(count):
        word = list_item(task.words, i)
        lua.pushlstring(L, bytes_text(word), bytes_size(word))
    lua.pcall(L, cython.cast(cython.int, count), 0, 0)
    return 0
