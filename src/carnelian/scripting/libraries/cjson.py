"""The library ``cjson``, on Lua's C API: the functions, results and errors of Lua CJSON 2.1.

All of it is called by Lua and owns no Python reference. The one buffer belongs to the context.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.scripting.context import (
    Context,
    Json,
    JsonSettings,
    context_of,
)
from cython.cimports.carnelian.scripting.libraries.cjson_settings import (
    add_function,
    add_settings,
    settings_of,
)
from cython.cimports.carnelian.scripting.lua import (
    BOOLEAN,
    LIGHT_USERDATA,
    NIL,
    NUMBER,
    REGISTRY,
    STRING,
    TABLE,
    State,
    lua,
    pop,
)
from cython.cimports.carnelian.scripting.lua_memory import allocate
from cython.cimports.libc.stdio import snprintf
from cython.cimports.libc.stdlib import strtod
from cython.cimports.libc.string import memcpy, strncmp
from cython.cimports.posix.strings import strncasecmp

# Tokens, in the order of their names.
_OBJECT = cython.declare(cython.int, 0)
_OBJECT_END = cython.declare(cython.int, 1)
_ARRAY = cython.declare(cython.int, 2)
_ARRAY_END = cython.declare(cython.int, 3)
_STRING = cython.declare(cython.int, 4)
_NUMBER = cython.declare(cython.int, 5)
_BOOLEAN = cython.declare(cython.int, 6)
_NULL = cython.declare(cython.int, 7)
_COLON = cython.declare(cython.int, 8)
_COMMA = cython.declare(cython.int, 9)
_END = cython.declare(cython.int, 10)
_ERROR = cython.declare(cython.int, 11)

_names = cython.declare(cython.p_const_char[12])
_names[0], _names[1], _names[2], _names[3] = (
    b"T_OBJ_BEGIN",
    b"T_OBJ_END",
    b"T_ARR_BEGIN",
    b"T_ARR_END",
)
_names[4], _names[5], _names[6], _names[7] = b"T_STRING", b"T_NUMBER", b"T_BOOLEAN", b"T_NULL"
_names[8], _names[9], _names[10], _names[11] = b"T_COLON", b"T_COMMA", b"T_END", b"T_ERROR"

# For each character: 0 if it may stand in a string, else what follows the backslash; 1 for \u00XX.
_escapes = cython.declare(cython.uchar[256])
# What follows a backslash, to the character that it stands for.
_unescapes = cython.declare(cython.char[256])
_powers = cython.declare(cython.double[23])
for _i in range(32):
    _escapes[_i] = 1
_escapes[127] = 1
for _escaped, _letter in zip(b'"\\/\b\t\n\f\r', b'"\\/btnfr', strict=True):
    _escapes[_escaped] = _letter
    _unescapes[_letter] = _escaped
for _i in range(23):
    _powers[_i] = 10.0**_i

# What the settings are at first.
_FRESH = cython.declare(JsonSettings)
_FRESH.sparse_ratio, _FRESH.sparse_safe = 2, 10
_FRESH.encode_depth = _FRESH.decode_depth = 1000
_FRESH.decode_invalid = _FRESH.keep_buffer = True
_FRESH.sparse_convert = _FRESH.mark_arrays = False
_FRESH.encode_invalid = 0
_FRESH.precision = 14

_Parser = cython.struct(
    json=cython.pointer[Json],
    start=cython.p_const_char,
    at=cython.p_const_char,
    end=cython.p_const_char,
    depth=cython.int,
    # The token: where it begins, and its value.
    index=cython.Py_ssize_t,
    text=cython.p_const_char,
    size=cython.size_t,
    number=cython.double,
)


@cython.cfunc
@cython.exceptval(check=False)
def open_cjson(L: State, context: cython.pointer[Context]) -> cython.void:
    """Push the table of the library."""
    context.json_settings = _FRESH
    context.json.budget = cython.address(context.budget)
    lua.pushlightuserdata(L, cython.address(context.json_settings))
    _push_library(L, context)


@cython.cfunc
@cython.exceptval(check=False)
def _push_library(L: State, context: cython.pointer[Context]) -> cython.void:
    """Replace the settings on top of the stack by a table of functions that heed them."""
    lua.createtable(L, 0, 12)
    add_function(L, context, b"encode", _encode)
    add_function(L, context, b"decode", _decode)
    add_function(L, context, b"new", _new)
    add_settings(L, context)
    lua.remove(L, -2)
    lua.pushlightuserdata(L, cython.NULL)
    lua.setfield(L, -2, b"null")
    lua.pushstring(L, b"cjson")
    lua.setfield(L, -2, b"_NAME")
    lua.pushstring(L, b"2.1.0")
    lua.setfield(L, -2, b"_VERSION")


@cython.cfunc
@cython.exceptval(check=False)
def _new(L: State) -> cython.int:
    """``cjson.new()``: another table of the library, with settings of its own."""
    settings = cython.cast(
        cython.pointer[JsonSettings], lua.newuserdata(L, cython.sizeof(JsonSettings))
    )
    settings[0] = _FRESH
    _push_library(L, context_of(L))
    return 1


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _json_of(L: State) -> cython.pointer[Json]:
    """The buffer, with the settings of the function that was called."""
    json: cython.pointer[Json] = cython.address(context_of(L).json)
    json.settings = settings_of(L)
    return json


# -- Encoding ------------------------------------------------------------------------------------


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _room(L: State, json: cython.pointer[Json], size: cython.size_t) -> cython.p_char:
    """Where the next so many bytes may be written."""
    if json.room - json.size < size:
        _enlarge(L, json, size)
    return json.data + json.size


@cython.cfunc
@cython.exceptval(check=False)
def _enlarge(L: State, json: cython.pointer[Json], size: cython.size_t) -> cython.void:
    room: cython.size_t = 2 * json.room + size + 1024
    grown = cython.cast(cython.p_char, allocate(json.budget, json.data, json.room, room))
    if grown == cython.NULL:
        lua.raise_error(L, b"not enough memory")
    json.data, json.room = grown, room


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _append(
    L: State, json: cython.pointer[Json], text: cython.p_const_char, size: cython.size_t
) -> cython.void:
    memcpy(_room(L, json, size), text, size)
    json.size += size


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _append_char(L: State, json: cython.pointer[Json], char: cython.char) -> cython.void:
    _room(L, json, 1)[0] = char
    json.size += 1


@cython.cfunc
@cython.exceptval(check=False)
def _append_string(L: State, json: cython.pointer[Json], index: cython.int) -> cython.void:
    size: cython.size_t = 0
    text = cython.cast(cython.p_const_uchar, lua.tolstring(L, index, cython.address(size)))
    end: cython.p_const_uchar = text + size
    out = cython.cast(cython.p_uchar, _room(L, json, 6 * size + 2))
    start: cython.p_uchar = out
    out[0] = 34
    out += 1
    while text < end:
        char: cython.uchar = text[0]
        escape: cython.uchar = _escapes[char]
        text += 1
        if escape == 0:
            out[0] = char
            out += 1
        elif escape == 1:
            memcpy(out, cython.cast(cython.p_const_char, b"\\u00"), 4)
            out[4] = 48 + (char >> 4)
            out[5] = 48 + (char & 15) if char & 15 < 10 else 87 + (char & 15)
            out += 6
        else:
            out[0] = 92
            out[1] = escape
            out += 2
    out[0] = 34
    json.size += out + 1 - start


@cython.cfunc
@cython.exceptval(check=False)
def _append_number(L: State, json: cython.pointer[Json], index: cython.int) -> cython.void:
    number: cython.double = lua.tonumber(L, index)
    out: cython.p_char
    size: cython.int
    if -1e14 < number < 1e14 and json.settings.precision == 14:
        whole: cython.longlong = cython.cast(cython.longlong, number)
        if whole == number and whole != 0:
            _append_integer(L, json, whole)
            return
    if number != number or number - number != 0:
        if json.settings.encode_invalid == 0:
            _raise_unserialisable(L, index, b"must not be NaN or Inf")
        if json.settings.encode_invalid == 2:
            _append(L, json, b"null", 4)
            return
        if number != number:
            _append(L, json, b"nan", 3)
            return
    out = _room(L, json, 32)
    size = snprintf(out, 32, b"%.*g", json.settings.precision, number)
    json.size += size


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _append_integer(L: State, json: cython.pointer[Json], number: cython.longlong) -> cython.void:
    digits = cython.declare(cython.char[20])
    at: cython.int = 20
    left: cython.ulonglong = cython.cast(cython.ulonglong, -number if number < 0 else number)
    while left:
        at -= 1
        digits[at] = cython.cast(cython.char, 48 + left % 10)
        left //= 10
    if number < 0:
        at -= 1
        digits[at] = 45
    _append(L, json, cython.address(digits[at]), 20 - at)


@cython.cfunc
@cython.exceptval(check=False)
def _raise_unserialisable(L: State, index: cython.int, reason: cython.p_const_char) -> cython.int:
    return lua.raise_error(
        L, b"Cannot serialise %s: %s", lua.typename(L, lua.type(L, index)), reason
    )


@cython.cfunc
@cython.exceptval(check=False)
def _append_value(L: State, json: cython.pointer[Json], depth: cython.int) -> cython.void:
    """Append what is on top of the stack."""
    kind: cython.int = lua.type(L, -1)
    if kind == STRING:
        _append_string(L, json, -1)
    elif kind == NUMBER:
        _append_number(L, json, -1)
    elif kind == TABLE:
        depth += 1
        if depth > json.settings.encode_depth or lua.checkstack(L, 4) == 0:
            lua.raise_error(L, b"Cannot serialise, excessive nesting (%d)", depth)
        if _is_marked(L):
            _append_array(L, json, depth, cython.cast(cython.int, lua.objlen(L, -1)))
        elif not _append_sequence(L, json, depth):
            length: cython.int = _array_length(L, json)
            if length > 0:
                _append_array(L, json, depth, length)
            else:
                _append_object(L, json, depth)
    elif kind == BOOLEAN:
        if lua.toboolean(L, -1):
            _append(L, json, b"true", 4)
        else:
            _append(L, json, b"false", 5)
    elif kind == NIL or (kind == LIGHT_USERDATA and lua.touserdata(L, -1) == cython.NULL):
        _append(L, json, b"null", 4)
    else:
        _raise_unserialisable(L, -1, b"type not supported")


@cython.cfunc
@cython.exceptval(check=False)
def _append_sequence(L: State, json: cython.pointer[Json], depth: cython.int) -> cython.bint:
    """Append an array in one pass: the keys have to come as 1, 2, 3 and so on.

    False, with nothing appended, as soon as they do not.
    """
    before: cython.size_t = json.size
    count: cython.int = 0
    lua.pushnil(L)
    while lua.next(L, -2):
        if lua.type(L, -2) != NUMBER or lua.tonumber(L, -2) != count + 1:
            pop(L, 2)
            json.size = before
            return False
        _append_char(L, json, 44 if count else 91)
        count += 1
        _append_value(L, json, depth)
        pop(L, 1)
    if count == 0:
        return False
    _append_char(L, json, 93)
    return True


@cython.cfunc
@cython.exceptval(check=False)
def _array_length(L: State, json: cython.pointer[Json]) -> cython.int:
    """The largest key of a table that has only positive integers for keys, else -1."""
    most: cython.int = 0
    items: cython.int = 0
    key: cython.double
    lua.pushnil(L)
    while lua.next(L, -2):
        pop(L, 1)
        key = lua.tonumber(L, -1) if lua.type(L, -1) == NUMBER else 0
        if key < 1 or key != cython.cast(cython.longlong, key):
            pop(L, 1)
            return -1
        if key > most:
            most = cython.cast(cython.int, key)
        items += 1
    settings = json.settings
    sparse: cython.bint = most > items * settings.sparse_ratio and most > settings.sparse_safe
    if sparse and settings.sparse_ratio > 0:
        if not settings.sparse_convert:
            _raise_unserialisable(L, -1, b"excessively sparse array")
        return -1
    return most


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _is_marked(L: State) -> cython.bint:
    """Whether the metatable of the table on top says that it is an array, if it has one."""
    if lua.getmetatable(L, -1) == 0:
        return False
    marked: cython.bint = lua.topointer(L, -1) == context_of(L).array_mark_address
    if not marked:
        lua.pushstring(L, b"__is_cjson_array")
        lua.rawget(L, -2)
        marked = lua.toboolean(L, -1)
        pop(L, 1)
    pop(L, 1)
    return marked


@cython.cfunc
@cython.exceptval(check=False)
def _append_array(
    L: State, json: cython.pointer[Json], depth: cython.int, length: cython.int
) -> cython.void:
    i: cython.int
    if length == 0:
        _append_char(L, json, 91)
    for i in range(length):
        _append_char(L, json, 44 if i else 91)
        lua.rawgeti(L, -1, i + 1)
        _append_value(L, json, depth)
        pop(L, 1)
    _append_char(L, json, 93)


@cython.cfunc
@cython.exceptval(check=False)
def _append_object(L: State, json: cython.pointer[Json], depth: cython.int) -> cython.void:
    first: cython.bint = True
    kind: cython.int
    _append_char(L, json, 123)
    lua.pushnil(L)
    while lua.next(L, -2):
        if not first:
            _append_char(L, json, 44)
        first = False
        kind = lua.type(L, -2)
        if kind == STRING:
            _append_string(L, json, -2)
            _append_char(L, json, 58)
        elif kind == NUMBER:
            _append_char(L, json, 34)
            _append_number(L, json, -2)
            _append(L, json, b'":', 2)
        else:
            _raise_unserialisable(L, -2, b"table key must be a number or string")
        _append_value(L, json, depth)
        pop(L, 1)
    _append_char(L, json, 125)


@cython.cfunc
@cython.exceptval(check=False)
def _encode(L: State) -> cython.int:
    json: cython.pointer[Json] = _json_of(L)
    if lua.gettop(L) != 1:
        return lua.argerror(L, 1, b"expected 1 argument")
    json.size = 0
    _append_value(L, json, 0)
    lua.pushlstring(L, json.data, json.size)
    if not json.settings.keep_buffer:
        allocate(json.budget, json.data, json.room, 0)
        json.data = cython.NULL
        json.room = 0
    return 1


# -- Decoding ------------------------------------------------------------------------------------


@cython.cfunc
@cython.exceptval(check=False)
def _hex4(text: cython.p_const_char) -> cython.int:
    """The value of four hexadecimal digits, -1 if they are not."""
    value: cython.int = 0
    i: cython.int
    for i in range(4):
        char: cython.int = text[i]
        if 48 <= char <= 57:
            value = value * 16 + char - 48
        elif 97 <= char | 32 <= 102:
            value = value * 16 + (char | 32) - 87
        else:
            return -1
    return value


@cython.cfunc
@cython.exceptval(check=False)
def _fail(parser: cython.pointer[_Parser], error: cython.p_const_char) -> cython.int:
    parser.index = parser.at - parser.start
    parser.text = error
    return _ERROR


@cython.cfunc
@cython.exceptval(check=False)
def _read_unicode(parser: cython.pointer[_Parser], out: cython.p_char) -> cython.int:
    """Read ``\\uXXXX``, or two of them, and write it in UTF-8; returns its length, 0 if wrong."""
    code: cython.int = _hex4(parser.at + 2)
    low: cython.int
    size: cython.int = 6
    if code < 0:
        return 0
    if code & 0xF800 == 0xD800:
        if code & 0x400 or parser.at[6] != 92 or parser.at[7] != 117:
            return 0
        low = _hex4(parser.at + 8)
        if low < 0 or low & 0xFC00 != 0xDC00:
            return 0
        code = (((code & 0x3FF) << 10) | (low & 0x3FF)) + 0x10000
        size = 12
    parser.at += size
    if code <= 0x7F:
        out[0] = code
        return 1
    if code <= 0x7FF:
        out[0] = 0xC0 | (code >> 6)
        out[1] = 0x80 | (code & 0x3F)
        return 2
    if code <= 0xFFFF:
        out[0] = 0xE0 | (code >> 12)
        out[1] = 0x80 | ((code >> 6) & 0x3F)
        out[2] = 0x80 | (code & 0x3F)
        return 3
    out[0] = 0xF0 | (code >> 18)
    out[1] = 0x80 | ((code >> 12) & 0x3F)
    out[2] = 0x80 | ((code >> 6) & 0x3F)
    out[3] = 0x80 | (code & 0x3F)
    return 4


@cython.cfunc
@cython.exceptval(check=False)
def _read_string(L: State, parser: cython.pointer[_Parser]) -> cython.int:
    """Read a string: without escapes it stays where it is."""
    at: cython.p_const_char = parser.at + 1
    out: cython.p_char
    char: cython.char
    size: cython.int
    while at[0] != 34 and at[0] != 92 and at[0] != 0:
        at += 1
    if at[0] == 34:
        parser.text = parser.at + 1
        parser.size = at - parser.text
        parser.at = at + 1
        return _STRING
    # The rest of the text has room for it: no escape is shorter than what it stands for.
    parser.json.size = 0
    out = _room(L, parser.json, parser.end - parser.at)
    memcpy(out, parser.at + 1, at - parser.at - 1)
    out += at - parser.at - 1
    parser.at = at
    while True:
        char = parser.at[0]
        if char == 34:
            break
        if char == 0:
            return _fail(parser, b"unexpected end of string")
        if char == 92:
            if parser.at[1] == 117:
                size = _read_unicode(parser, out)
                if size == 0:
                    return _fail(parser, b"invalid unicode escape code")
                out += size
                continue
            char = _unescapes[cython.cast(cython.uchar, parser.at[1])]
            if char == 0:
                return _fail(parser, b"invalid escape code")
            parser.at += 1
        out[0] = char
        out += 1
        parser.at += 1
    parser.at += 1
    parser.text = parser.json.data
    parser.size = out - parser.json.data
    return _STRING


@cython.cfunc
@cython.exceptval(check=False)
def _is_invalid(text: cython.p_const_char) -> cython.bint:
    """Whether a number is one for ``strtod`` but not for JSON."""
    if text[0] == 43:
        return True
    if text[0] == 45:
        text += 1
    if text[0] == 48:
        return text[1] | 32 == 120 or 48 <= text[1] <= 57
    if text[0] <= 57:
        return False
    return strncasecmp(text, b"inf", 3) == 0 or strncasecmp(text, b"nan", 3) == 0


@cython.cfunc
@cython.exceptval(check=False)
def _read_number(parser: cython.pointer[_Parser]) -> cython.int:
    """Read a number; short decimals without ``strtod``, and exactly: both parts are doubles."""
    at: cython.p_const_char = parser.at
    stop: cython.p_char = cython.NULL
    mantissa: cython.ulonglong = 0
    digits: cython.int = 0
    fraction: cython.int = 0
    negative: cython.bint = at[0] == 45
    if negative:
        at += 1
    while 48 <= at[0] <= 57:
        mantissa = mantissa * 10 + cython.cast(cython.ulonglong, at[0] - 48)
        at += 1
        digits += 1
    if at[0] == 46 and digits:
        at += 1
        while 48 <= at[0] <= 57:
            mantissa = mantissa * 10 + cython.cast(cython.ulonglong, at[0] - 48)
            at += 1
            fraction += 1
        if fraction == 0:
            digits = 0
    if digits > 0 and digits + fraction <= 15 and at[0] | 32 != 101 and at[0] | 32 != 120:
        parser.number = cython.cast(cython.double, mantissa) / _powers[fraction]
        if negative:
            parser.number = -parser.number
        parser.at = at
        return _NUMBER
    parser.number = strtod(parser.at, cython.address(stop))
    if stop == parser.at:
        return _fail(parser, b"invalid number")
    parser.at = stop
    return _NUMBER


@cython.cfunc
@cython.exceptval(check=False)
def _next(L: State, parser: cython.pointer[_Parser]) -> cython.int:
    """Read the next token."""
    char: cython.char = parser.at[0]
    while char == 32 or 9 <= char <= 10 or char == 13:
        parser.at += 1
        char = parser.at[0]
    parser.index = parser.at - parser.start
    if char == 34:
        return _read_string(L, parser)
    if char == 45 or 48 <= char <= 57:
        if not parser.json.settings.decode_invalid and _is_invalid(parser.at):
            return _fail(parser, b"invalid number")
        return _read_number(parser)
    if char == 0:
        return _END
    parser.at += 1
    if char == 44:
        return _COMMA
    if char == 58:
        return _COLON
    if char == 123:
        return _OBJECT
    if char == 125:
        return _OBJECT_END
    if char == 91:
        return _ARRAY
    if char == 93:
        return _ARRAY_END
    parser.at -= 1
    if strncmp(parser.at, b"true", 4) == 0:
        parser.at += 4
        parser.number = 1
        return _BOOLEAN
    if strncmp(parser.at, b"false", 5) == 0:
        parser.at += 5
        parser.number = 0
        return _BOOLEAN
    if strncmp(parser.at, b"null", 4) == 0:
        parser.at += 4
        return _NULL
    if (
        parser.json.settings.decode_invalid
        and char in (43, 73, 78, 105, 110)
        and _is_invalid(parser.at)
    ):
        return _read_number(parser)
    return _fail(parser, b"invalid token")


@cython.cfunc
@cython.exceptval(check=False)
def _raise_unexpected(
    L: State, parser: cython.pointer[_Parser], wanted: cython.p_const_char, token: cython.int
) -> cython.int:
    found: cython.p_const_char = parser.text if token == _ERROR else _names[token]
    return lua.raise_error(
        L,
        b"Expected %s but found %s at character %d",
        wanted,
        found,
        cython.cast(cython.int, parser.index + 1),
    )


@cython.cfunc
@cython.exceptval(check=False)
def _descend(L: State, parser: cython.pointer[_Parser]) -> cython.void:
    parser.depth += 1
    if parser.depth > parser.json.settings.decode_depth or lua.checkstack(L, 4) == 0:
        lua.raise_error(
            L,
            b"Found too many nested data structures (%d) at character %d",
            parser.depth,
            cython.cast(cython.int, parser.at - parser.start),
        )


@cython.cfunc
@cython.exceptval(check=False)
def _push_object(L: State, parser: cython.pointer[_Parser]) -> cython.void:
    token: cython.int
    _descend(L, parser)
    lua.createtable(L, 0, 0)
    token = _next(L, parser)
    while token != _OBJECT_END:
        if token != _STRING:
            _raise_unexpected(L, parser, b"object key string", token)
        lua.pushlstring(L, parser.text, parser.size)
        token = _next(L, parser)
        if token != _COLON:
            _raise_unexpected(L, parser, b"colon", token)
        _push_value(L, parser, _next(L, parser))
        lua.rawset(L, -3)
        token = _next(L, parser)
        if token == _OBJECT_END:
            break
        if token != _COMMA:
            _raise_unexpected(L, parser, b"comma or object end", token)
        token = _next(L, parser)
        if token == _OBJECT_END:
            _raise_unexpected(L, parser, b"object key string", token)
    parser.depth -= 1


@cython.cfunc
@cython.exceptval(check=False)
def _push_array(L: State, parser: cython.pointer[_Parser]) -> cython.void:
    token: cython.int
    count: cython.int = 0
    _descend(L, parser)
    lua.createtable(L, 0, 0)
    if parser.json.settings.mark_arrays:
        lua.rawgeti(L, REGISTRY, context_of(L).array_mark)
        lua.setmetatable(L, -2)
    token = _next(L, parser)
    if token != _ARRAY_END:
        while True:
            _push_value(L, parser, token)
            count += 1
            lua.rawseti(L, -2, count)
            token = _next(L, parser)
            if token == _ARRAY_END:
                break
            if token != _COMMA:
                _raise_unexpected(L, parser, b"comma or array end", token)
            token = _next(L, parser)
    parser.depth -= 1


@cython.cfunc
@cython.exceptval(check=False)
def _push_value(L: State, parser: cython.pointer[_Parser], token: cython.int) -> cython.void:
    if token == _STRING:
        lua.pushlstring(L, parser.text, parser.size)
    elif token == _NUMBER:
        lua.pushnumber(L, parser.number)
    elif token == _OBJECT:
        _push_object(L, parser)
    elif token == _ARRAY:
        _push_array(L, parser)
    elif token == _BOOLEAN:
        lua.pushboolean(L, parser.number != 0)
    elif token == _NULL:
        lua.pushlightuserdata(L, cython.NULL)
    else:
        _raise_unexpected(L, parser, b"value", token)


@cython.cfunc
@cython.exceptval(check=False)
def _decode(L: State) -> cython.int:
    parser = cython.declare(_Parser)
    size: cython.size_t = 0
    token: cython.int
    if lua.gettop(L) != 1:
        return lua.argerror(L, 1, b"expected 1 argument")
    parser.json = _json_of(L)
    parser.start = parser.at = lua.checklstring(L, 1, cython.address(size))
    parser.end = parser.start + size
    parser.depth = 0
    if size >= 2 and (parser.start[0] == 0 or parser.start[1] == 0):
        return lua.raise_error(L, b"JSON parser does not support UTF-16 or UTF-32")
    _push_value(L, cython.address(parser), _next(L, cython.address(parser)))
    token = _next(L, cython.address(parser))
    if token != _END:
        return _raise_unexpected(L, cython.address(parser), b"the end", token)
    return 1
