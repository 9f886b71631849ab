"""Random scripts, from a grammar: most compile, many run, some want what they must not have."""

from __future__ import annotations

import random

BEGINNING = "local a, b, c, d = 1, 'text', {3, 'x', y = {}}, function(...) return ... end "
NAMES = ("a", "b", "c", "d", "KEYS", "ARGV", "_G", "redis", "cjson", "string")
NUMBERS = (
    "0", "1", "2", "3", "-1", "0.5", "7", "100", "1e3", "2^31", "-2^31", "2^53", "1/0", "0/0", "-0",
)  # fmt: skip
TEXTS = (
    "''", "'a'", "'k'", "'\\0'", "'%d'", "'(.-)%s'", "'[[1,{\"a\":null}]]'", "'\\146\\1\\2'",
    "'b<i4'", "'x'", "'PING'", "[==[ ]=] ]==]", "('xy'):rep(9)", "'%b()%f[a]'", "'\\255\\254'",
)  # fmt: skip
BINARY = (
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "..",
    "..",
    "..",
    "==",
    "~=",
    "<",
    "<=",
    ">",
    ">=",
    "and",
    "or",
)
FUNCTIONS = (
    "assert", "collectgarbage", "error", "getmetatable", "ipairs", "load", "loadstring", "next",
    "pairs", "pcall", "rawequal", "rawget", "rawset", "select", "setmetatable", "tonumber",
    "tostring", "type", "unpack", "xpcall", "getfenv", "setfenv", "newproxy", "math.random",
    "math.randomseed", "math.floor", "math.max", "math.fmod", "math.ldexp", "os.clock",
    "table.concat", "table.foreach", "table.foreachi", "table.getn", "table.insert", "table.maxn",
    "table.remove", "table.setn", "table.sort", "coroutine.create", "coroutine.resume",
    "coroutine.running", "coroutine.status", "coroutine.wrap", "coroutine.yield", "string.byte",
    "string.char", "string.dump", "string.find", "string.format", "string.gfind", "string.gmatch",
    "string.gsub", "string.len", "string.match", "string.reverse", "string.sub", "string.upper",
    "redis.call", "redis.pcall", "redis.pcall", "redis.error_reply", "redis.status_reply",
    "redis.sha1hex", "redis.setresp", "redis.set_repl", "redis.acl_check_cmd", "redis.breakpoint",
    "redis.debug", "redis.replicate_commands", "server.pcall", "cjson.encode", "cjson.decode",
    "cjson.new", "cjson.encode_sparse_array", "cjson.encode_max_depth", "cjson.decode_max_depth",
    "cjson.encode_number_precision", "cjson.encode_invalid_numbers", "cjson.encode_keep_buffer",
    "cjson.decode_invalid_numbers", "cmsgpack.pack", "cmsgpack.unpack", "cmsgpack.unpack_one",
    "cmsgpack.unpack_limit", "struct.pack", "struct.unpack", "struct.size", "bit.band", "bit.bor",
    "bit.bnot", "bit.tohex", "bit.tobit", "bit.lshift", "bit.arshift", "bit.rol", "bit.bswap",
)  # fmt: skip
COMMANDS = (
    "'get', 'k'", "'set', 'k', a", "'incr', 'n'", "'lpush', 'l', 1, 'b', c", "'lrange', 'l', 0, -1",
    "'hset', 'h', 'f', 'v'", "'hgetall', 'h'", "'zadd', 'z', 1.5, 'm'", "'zrange', 'z', 0, -1",
    "'sadd', 's', 1, 2", "'smembers', 's'", "'del', 'k', 'l'", "'nope'", "'get'", "'config', 'get'",
    "'eval', 'return 1', 0", "'multi'", "'subscribe', 'c'", "'xadd', 'x', '*', 'f', 'v'",
    "'publish', 'c', 'm'", "'blpop', 'l', 0", "'object', 'encoding', 'k'", "'type', KEYS[1]",
    "unpack(ARGV)", "'setrange', 'k', 100, 'x'", "'expire', 'k', 100", "'flushall'", "a", "{}",
)  # fmt: skip


class Scripts:
    """Makes scripts; the same ones for the same seed."""

    def __init__(self, seed: int):
        self._chance = random.Random(seed)
        self._left = 0
        self._depth = 0

    def next(self) -> str:
        """A script."""
        self._left = self._chance.randrange(3, 40)
        text = BEGINNING + " ".join(self._guarded() for _ in range(self._chance.randrange(1, 5)))
        if self._chance.random() < 0.7:
            text += " return " + self._expressions()
        if self._chance.random() < 0.03:
            text = self._damaged(text)
        return text

    def _guarded(self) -> str:
        """A statement whose error does not end the script."""
        if self._chance.random() < 0.1:
            return self._statement()
        return f"pcall(function(...) {self._block()} end, {self._leaf()})"

    def _damaged(self, text: str) -> str:
        """A text that something is missing in, or too much."""
        at = self._chance.randrange(len(text) + 1)
        extra = self._chance.choice(("", "end", "(", "'", "[[", "\0", "\n", "\x1bLua", "--", ")))"))
        return text[:at] + extra + text[at + self._chance.randrange(4) :]

    def _block(self) -> str:
        count = self._chance.randrange(1, 5)
        self._depth += 1
        text = " ".join(self._statement() for _ in range(count))
        self._depth -= 1
        return text

    def _statement(self) -> str:
        self._left -= 1
        pick = self._chance.choice
        if self._left <= 0 or self._depth > 4:
            return f"local {pick(NAMES[:3])} = {self._leaf()}"
        kind = self._chance.randrange(12)
        if kind < 3:
            return f"local {pick(NAMES[:3])}, {pick(NAMES[:3])} = {self._expressions()}"
        if kind < 5:
            return f"{self._place()} = {self._expression()}"
        if kind < 7:
            return f"pcall({pick(FUNCTIONS)}, {self._expressions()})"
        if kind == 7:
            return f"if {self._expression()} then {self._block()} else {self._block()} end"
        if kind == 8:
            count = self._chance.randrange(4)
            return f"for i = 1, {count} do {self._block()} end"
        if kind == 9:
            return f"for i, v in pairs({self._expression()}) do {self._block()} break end"
        if kind == 10:
            return f"do {self._block()} end"
        return f"local {pick(NAMES[:3])} = {self._call()}"

    def _place(self) -> str:
        name = self._chance.choice(NAMES)
        return f"{name}[{self._expression()}]" if self._chance.random() < 0.7 else name

    def _expressions(self) -> str:
        return ", ".join(self._expression() for _ in range(self._chance.randrange(1, 4)))

    def _expression(self) -> str:
        self._left -= 1
        self._depth += 1
        try:
            if self._left <= 0 or self._depth > 7:
                return self._leaf()
            return self._branch(self._chance.randrange(12))
        finally:
            self._depth -= 1

    def _branch(self, kind: int) -> str:
        pick = self._chance.choice
        if kind < 3:
            return self._leaf()
        if kind < 5:
            return f"({self._expression()} {pick(BINARY)} {self._expression()})"
        if kind == 5:
            return f"{pick(('not ', '-', '#'))}({self._expression()})"
        if kind == 6:
            pairs = [
                pick((f"[{self._leaf()}] = ", "x = ", "err = ", "ok = ", "map = ", ""))
                + self._leaf()
                for _ in range(self._chance.randrange(4))
            ]
            return "{" + ", ".join([*pairs, self._expression()]) + "}"
        if kind == 7:
            return f"(function(...) {self._block()} return ..., {self._leaf()} end)"
        if kind == 8:
            meta = pick(("__index", "__newindex", "__call", "__eq", "__concat", "__len", "__gc"))
            return f"setmetatable({{}}, {{{meta} = {self._expression()}}})"
        return self._call()

    def _call(self) -> str:
        pick = self._chance.choice
        if self._chance.random() < 0.3:
            return f"redis.{pick(('call', 'pcall', 'pcall'))}({pick(COMMANDS)})"
        if self._chance.random() < 0.3:
            return f"select(2, pcall({pick(FUNCTIONS)}, {self._expressions()}))"
        return f"{pick(FUNCTIONS)}({self._expressions()})"

    def _leaf(self) -> str:
        kind = self._chance.randrange(5)
        choices = (NAMES, NUMBERS, TEXTS, ("nil", "true", "false", "{}", "..."), NAMES[:5])[kind]
        return self._chance.choice(choices)
