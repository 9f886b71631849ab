"""The libraries cmsgpack, struct and bit: what redis-server replies, for known and random calls."""

from __future__ import annotations

import random

import pytest

from support.local import LocalClient
from support.servers import ReferenceServer

# Shows values so that they can be compared: numbers with all digits, tables in an order.
SHOWN = b"""local show
show = function(value)
  if type(value) == 'number' then
    return value ~= value and 'nan' or string.format('%.17g', value)
  elseif type(value) == 'string' then return (string.gsub(value, '[^ -~]', function(c)
    return string.format('<%02x>', string.byte(c)) end))
  elseif type(value) == 'table' then
    local parts = {}
    for k, v in pairs(value) do parts[#parts + 1] = show(k) .. '=' .. show(v) end
    table.sort(parts)
    return '{' .. table.concat(parts, ',') .. '}'
  end
  return tostring(value)
end
local all = function(...)
  local parts = {}
  for i = 1, select('#', ...) do parts[i] = show((select(i, ...))) end
  return table.concat(parts, ';')
end
return all("""

KNOWN = [
    "cmsgpack.pack()", "cmsgpack.pack({{{}}}, {1, 2, nil, 4}, {[2] = 1}, {[1.5] = 1}, {a = 1})",
    "cmsgpack.pack(0/0, 1/0, -1/0, 2^63, -2^63, 1.5, 0.1, -0.0, 2^53, tostring, nil, true)",
    "cmsgpack.pack(string.rep('a', 31), string.rep('b', 32), string.rep('c', 256))",
    "#cmsgpack.pack(string.rep('x', 65536))", "cmsgpack.unpack()", "cmsgpack.unpack({})",
    "cmsgpack.unpack('\\146')", "cmsgpack.unpack('\\193')", "cmsgpack.unpack('\\199')",
    "cmsgpack.unpack('\\129\\192a')", "cmsgpack.unpack('\\129\\202\\127\\192\\0\\0a')",
    "cmsgpack.unpack('\\207\\255\\255\\255\\255\\255\\255\\255\\255')",
    "cmsgpack.unpack('\\221\\255\\255\\255\\255')", "cmsgpack.unpack('\\219\\255\\255\\255\\255a')",
    "cmsgpack.unpack(string.rep('a', 9000))", "cmsgpack.unpack(string.rep('\\145', 9000) .. 'a')",
    "cmsgpack.unpack(string.rep('\\129\\1', 9000) .. 'a')", "cmsgpack.unpack('abc', 5)",
    "cmsgpack.unpack_one('abc', -1)", "cmsgpack.unpack_one('abc', 9)",
    "cmsgpack.unpack_one('abc', 2^40)", "cmsgpack.unpack_one('abc', 3)",
    "cmsgpack.unpack_one('abc')", "cmsgpack.unpack_limit('abc')", "cmsgpack.unpack_limit('abc', 2)",
    "cmsgpack.unpack_limit('abc', -2, 1)", "cmsgpack.unpack_limit('abc', 0)",
    "struct.pack('c5', 'ab')", "struct.pack('i')", "struct.pack('i40', 1)", "struct.pack('!3i', 1)",
    "struct.pack('i99999999999', 1)", "struct.pack('q', 1)", "struct.pack('>i16', -2)",
    "struct.pack('!4bi<hd', 1, 2, 3, 4)", "struct.pack('sc0', 'ab', 'cd')", "struct.pack()",
    "struct.unpack('s', 'ab')", "struct.unpack('c0', 'ab')", "struct.unpack('bc0', '\\2abc')",
    "struct.unpack('bc0', '\\9abc')", "struct.unpack('i', 'abcd', 0)",
    "struct.unpack('i', 'abcd', -1)", "struct.unpack('', 'abc', 19)",
    "struct.unpack('c2147483647c2147483647c2147483647', 'a')",
    "struct.unpack(string.rep('b', 9000), string.rep('a', 9000))",
    "struct.size('c9ix!8i>dxi3')", "struct.size('s')", "struct.size('c0')",
    "struct.size('c2147483648')", "struct.size('c2147483647c2147483647c2')",
    "bit.band()", "bit.band('x')", "bit.tohex(255, -4)", "bit.tohex(-1, -2147483648)",
    "bit.tohex(1, 0)", "bit.bnot(2^40)", "bit.tobit(1e300)", "bit.arshift(-8, 33)",
    "bit.bswap(0x12345678)", "bit.rol(0x12345678, 12)", "bit.ror(1, 1)", "bit.bor(1, '2', 4)",
]  # fmt: skip

NUMBERS: list[float] = [
    0,
    1,
    -1,
    127,
    128,
    255,
    256,
    -32,
    -33,
    -129,
    65535,
    65536,
    2**31,
    -(2**31) - 1,
]
NUMBERS += [2**32, 2**53, 2.0**63, -(2.0**63), 2.0**64, 1e300, -1e300, 0.5, -0.5, 0.1, 1e-40]
LETTERS = "bBhHlLTiIfdscx<>=! " + 2 * "bhilfdsc"


class Chance:
    """Random calls of the libraries, the same for the same seed."""

    def __init__(self, seed: int):
        self._random = random.Random(seed)
        self._of = self._random.choice

    def call(self) -> str:
        """A call of some function."""
        return self._of((self._bit, self._pack, self._unpack, self._packed, self._unpacked))()

    def _number(self) -> str:
        if self._random.random() < 0.5:
            return f"({self._of(NUMBERS)!r})"
        return f"({self._random.randint(-(2**48), 2**48)})"

    def _text(self, most: int = 12) -> str:
        size = self._random.randint(0, most)
        return "'" + "".join(f"\\{self._random.randrange(256):03}" for _ in range(size)) + "'"

    def _format(self) -> str:
        parts = []
        for _ in range(self._random.randint(0, 6)):
            letter = self._of(LETTERS)
            parts.append(letter)
            if letter in "iIc!" and self._random.random() < 0.6:
                parts.append(str(self._of((0, 1, 2, 3, 4, 7, 8, 16, 32, 33))))
        return "'" + "".join(parts) + "'"

    def _bit(self) -> str:
        names = "tobit bnot band bor bxor lshift rshift arshift rol ror bswap tohex"
        arguments = [self._number() for _ in range(self._random.randint(0, 3))]
        return f"bit.{self._of(names.split())}({', '.join(arguments)})"

    def _pack(self) -> str:
        values = [self._of((self._number, self._text))() for _ in range(5)]
        return f"struct.pack({', '.join([self._format(), *values])})"

    def _unpack(self) -> str:
        return f"struct.unpack({self._format()}, {self._text(50)}, {self._of((1, 2, 9))})"

    def _value(self, depth: int = 0) -> str:
        kind = self._random.random()
        if kind < 0.4 or depth > 3:
            return self._number()
        if kind < 0.6:
            return self._text(40)
        if kind < 0.7:
            return self._of(("true", "false", "nil"))
        if kind < 0.85:
            count = self._of((0, 1, 3, 15, 16))
            return "{" + ", ".join(self._value(depth + 1) for _ in range(count)) + "}"
        return f"{{[{self._of((self._text(4), '9', '1.5'))}] = {self._value(depth + 1)}}}"

    def _packed(self) -> str:
        return f"cmsgpack.pack({self._value()}, {self._value()})"

    def _unpacked(self) -> str:
        data = self._text(16)
        return self._of(
            (
                f"cmsgpack.unpack({data})",
                f"cmsgpack.unpack_one({data}, {self._of((0, 1, 5, -1))})",
                f"cmsgpack.unpack_limit({data}, {self._of((0, 1, 3, -1))}, {self._of((0, 2))})",
                f"cmsgpack.unpack(cmsgpack.pack({self._value()}))",
            )
        )


def check(redis_server: ReferenceServer, client: LocalClient, call: str) -> None:
    """Both reply the same, values or error."""
    script = SHOWN + call.encode() + b")"
    theirs = redis_server.call("EVAL", script, 0)
    ours = client("EVAL", script, 0)
    if isinstance(theirs, Exception):
        assert isinstance(ours, Exception), f"{call}: {theirs} there, {ours!r} here"
        expected = str(theirs).partition(" script: ")[0].removeprefix("ERR ")
        assert str(ours).partition(" script: ")[0].removeprefix("ERR ") == expected, call
    else:
        assert ours == theirs, call


@pytest.mark.parametrize("call", KNOWN)
def test_known_calls(redis_server: ReferenceServer, client: LocalClient, call: str) -> None:
    check(redis_server, client, call)


@pytest.mark.parametrize("seed", range(10))
def test_random_calls(redis_server: ReferenceServer, client: LocalClient, seed: int) -> None:
    chance = Chance(seed)
    for _ in range(300):
        check(redis_server, client, chance.call())


@pytest.mark.parametrize("name", ["cmsgpack.pack", "struct.pack", "bit.band"])
def test_they_cannot_be_changed(client: LocalClient, name: str) -> None:
    assert "Attempt to modify a readonly table" in client.error("EVAL", f"{name} = 1", 0)


def test_libraries_that_cjson_makes_have_settings_of_their_own(client: LocalClient) -> None:
    script = """
        local own = cjson.new()
        own.encode_number_precision(3)
        own.encode_invalid_numbers('null')
        own.decode_max_depth(1)
        own.encode_keep_buffer(false)
        local other = own.new()
        local deep, wrong = pcall(own.decode, '[[1]]')
        return {
            own.encode(1.23456789), own.encode(0/0), cjson.encode(1.23456789),
            other.encode(1.23456789), tostring(pcall(cjson.encode, 0/0)), tostring(deep), wrong,
            own.encode({1, 2}), cjson.encode(cjson.decode('[[1]]')),
            tostring(own.null == cjson.null),
        }
    """
    assert client("EVAL", script, 0) == [
        b"1.23", b"null", b"1.23456789", b"1.23456789", b"false", b"false",
        b"Found too many nested data structures (2) at character 2", b"[1,2]", b"[[1]]", b"true",
    ]  # fmt: skip


def test_cjson_tells_empty_arrays_from_objects_if_asked_to(client: LocalClient) -> None:
    text = '[[],{},[1,[]],{"a":[]}]'
    again = "return cjson.encode(cjson.decode(ARGV[1]))"
    assert client("EVAL", again, 0, text) == b'[{},{},[1,{}],{"a":{}}]'
    for wanted, shown in ((b"true", text.encode()), (b"'off'", b'[{},{},[1,{}],{"a":{}}]')):
        setting = b"cjson.decode_array_with_array_mt(%b); " % wanted
        assert client("EVAL", setting + again.encode(), 0, text) == shown
        # It holds for the scripts that follow, too.
        assert client("EVAL", again, 0, text) == shown
    script = """
        local own = cjson.new()
        local before, after = own.decode_array_with_array_mt(), own.decode_array_with_array_mt(true)
        local array, other = own.decode('[]'), own.decode('[1]')
        local mark = getmetatable(array)
        array[1], array[3], array.a = 'x', 'z', 'b'
        return {
            tostring(before), tostring(after), own.encode(array), own.encode(other),
            tostring(mark.__is_cjson_array), tostring(mark == getmetatable(other)),
            tostring(getmetatable(own.decode('{}'))), cjson.encode(cjson.decode('[]')),
            own.encode(setmetatable({a = 1}, {__is_cjson_array = true})),
            own.encode(setmetatable({}, {__is_cjson_array = false})),
            own.encode(setmetatable({}, mark)),
        }
    """
    assert client("EVAL", script, 0) == [
        b"false", b"true", b'["x"]', b"[1]", b"true", b"true", b"nil", b"{}", b"[]", b"{}", b"[]",
    ]  # fmt: skip


@pytest.mark.parametrize("change", ["mark.__is_cjson_array = 1", "rawset(mark, 'a', 1)"])
def test_what_marks_arrays_cannot_be_changed(client: LocalClient, change: str) -> None:
    script = f"""
        local own = cjson.new()
        own.decode_array_with_array_mt(true)
        local mark = getmetatable(own.decode('[]'))
        {change}
    """
    assert "Attempt to modify a readonly table" in client.error("EVAL", script, 0)


def test_texts_are_repeated_and_elements_inserted_as_in_lua(client: LocalClient) -> None:
    script = """
        local t = {1, 2}
        table.insert(t, 1, 0) table.insert(t, 9) table.insert(t, '2', 5)
        return {('ab'):rep(3), ('a'):rep(300) == ('aaa'):rep(100), #('abc'):rep(1000), ('a'):rep(0),
            ('a'):rep(-1), (''):rep(5), ('a\\0'):rep(2), string.rep(7, 2), ('x'):rep('2'),
            table.concat(t, ',')}
    """
    assert client("EVAL", script, 0) == [
        b"ababab", 1, 3000, b"", b"", b"", b"a\0a\0", b"77", b"xx", b"0,5,1,2,9",
    ]  # fmt: skip
    assert "bad argument #2 to 'rep'" in client.error("EVAL", "return string.rep('x', {})", 0)
