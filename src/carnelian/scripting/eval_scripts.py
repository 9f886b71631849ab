"""The scripts of EVAL: compiled once, found by their text or by its SHA-1.

What EVAL brought along gives way when there are too many such; what SCRIPT LOAD has loaded stays.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.scripting.api.script_host import ScriptHost
from cython.cimports.carnelian.scripting.lua_runtime import Runtime

from carnelian.datatypes.base.digest import sha1
from carnelian.resp.replies import Error
from carnelian.scripting.shebangs import script_header

# Scripts of EVAL that are kept, as in Redis 7.4.
_MOST_EVICTABLE = cython.declare(cython.int, 500)
# Bytes that a script takes beside its text, more or less.
_OVERHEAD = cython.declare(cython.int, 200)


@cython.final
@cython.cclass
class Script:
    """A compiled script: ``function`` is its reference in Lua, ``flags`` are those it declares."""

    def __init__(self, source: bytes, sha: bytes, function: int, flags: int, evictable: bool):
        self.source = source
        self.sha = sha
        self.function = function
        self.flags = flags
        self.evictable = evictable


@cython.final
@cython.cclass
class EvalScripts:
    """All of them, with the Lua state that they are compiled in."""

    def __init__(self, host: ScriptHost):
        self.host = host
        self.evicted = 0
        self.flush()

    def flush(self) -> None:
        """Forget all of them, and what their state has kept."""
        self.runtime = Runtime(self.host)
        self.by_source: dict[bytes, Script] = {}
        self.by_sha: dict[bytes, Script] = {}
        # Those that may be evicted, the one that was used last at the end.
        self.recent: dict[bytes, Script] = {}
        self.newest: Script | None = None
        self.memory = 0

    @cython.cfunc
    def of_source(self, source: bytes) -> Script:
        """The script of a text, which is compiled if need be; raises Error if that fails."""
        script: Script | None = self.by_source.get(source)
        if script is None:
            return self.add(source, True)
        self.use(script)
        return script

    @cython.cfunc
    def of_sha(self, sha: bytes) -> Script | None:
        """The script of a SHA-1 in hexadecimal digits; None if there is none."""
        script: Script | None = self.by_sha.get(sha)
        if script is None:
            script = self.by_sha.get(sha.lower())
            if script is None:
                return None
        self.use(script)
        return script

    @cython.cfunc
    def use(self, script: Script):
        """Have a script be the last to give way."""
        if script.evictable and script is not self.newest:
            del self.recent[script.sha]
            self.recent[script.sha] = script
            self.newest = script

    @cython.cfunc
    def add(self, source: bytes, evictable: cython.bint) -> Script:
        flags, begin = script_header(source)
        function: cython.int = self.runtime.compile(
            source[begin:] if begin else source,
            b"@user_script",
            b"ERR Error compiling script (new function): ",
        )
        sha = sha1(source).hexdigest().encode()
        script: Script = Script(source, sha, function, flags, evictable)
        while evictable and len(self.recent) >= _MOST_EVICTABLE:
            self._evict()
        self.by_source[source] = script
        self.by_sha[sha] = script
        self.memory += len(source) + _OVERHEAD
        if evictable:
            self.recent[sha] = script
            self.newest = script
        return script

    def _evict(self) -> None:
        oldest: Script = next(iter(self.recent.values()))
        del self.recent[oldest.sha]
        del self.by_sha[oldest.sha]
        del self.by_source[oldest.source]
        self.memory -= len(oldest.source) + _OVERHEAD
        self.runtime.forget(oldest.function)
        self.evicted += 1

    def load(self, source: bytes) -> bytes:
        """Compile a script that stays, and return its SHA-1; raises Error if that fails."""
        script: Script | None = self.by_source.get(source)
        if script is None:
            return self.add(source, False).sha
        if script.evictable:
            script.evictable = False
            del self.recent[script.sha]
        return script.sha

    def has(self, sha: bytes) -> bool:
        """Whether there is a script of this SHA-1."""
        return sha.lower() in self.by_sha

    def text_of(self, sha: bytes) -> bytes:
        """The text of a script; raises Error if there is none of this SHA-1."""
        script: Script | None = self.by_sha.get(sha.lower())
        if script is None:
            raise Error("NOSCRIPT No matching script. Please use EVAL.")
        return script.source

    def __len__(self) -> int:
        return len(self.by_sha)
