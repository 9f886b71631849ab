"""EVAL and its kind: what scripts get, what they return, and what they fail with."""

from __future__ import annotations

import hashlib

import pytest

from carnelian.engine.engine import Engine
from carnelian.engine.extensions.conversion import plain
from support.local import LocalClient, Recorder


def sha(script: str) -> str:
    return hashlib.sha1(script.encode()).hexdigest()


def failure(client: LocalClient, script: str, *words: str | int) -> str:
    """The error of a script, without the place that it comes with."""
    message = client.error("EVAL", script, *(words or (0,)))
    place = f" script: {sha(script)}, on @user_script:1."
    assert message.endswith(place), message
    return message.removesuffix(place)


@pytest.mark.parametrize(
    ("script", "reply"),
    [
        ("return 'hello'", b"hello"),
        ("return 100.9", 100),
        ("return -3.9", -3),
        ("return 1e300", -(2**63)),
        ("return 0/0", -(2**63)),
        ("return true", 1),
        ("return false", None),
        ("return nil", None),
        ("return", None),
        ("return function() end", None),
        ("return {1,2,3,'ciao',{1,2}}", [1, 2, 3, b"ciao", [1, 2]]),
        ("return {1,nil,3}", [1]),
        ("return {ok='fine'}", b"fine"),
        ("return {ok='a\\r\\nb'}", b"a  b"),
        ("return {ok={}}", []),
        ("return {double=1.5}", 1.5),
        ("return {double='x'}", []),
        ("return {map={a=1}}", {b"a": 1}),
        ("return {set={a=true}}", {b"a"}),
        ("return {big_number='12\\n3'}", b"12 3"),
        ("return {verbatim_string={string='a',format='txt'}}", b"a"),
        ("return _G", []),
        ("return setmetatable({}, {__index=function() error('x') end})", []),
        ("return redis.sha1hex('')", b"da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        ("return redis.sha1hex(nil)", b"da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        ("return redis.status_reply('X')", b"X"),
        ("return redis.replicate_commands()", 1),
        ("return redis.breakpoint()", None),
        ("return redis.debug(1, {2})", None),
        ("return redis.setresp(3)", None),
        ("return redis.acl_check_cmd('get', 'x')", 1),
        ("return tostring(redis.call('get', 'nokey'))", b"false"),
        ("return {KEYS[1], KEYS[2], ARGV[1], #ARGV}", [b"{a}1", b"{a}2", b"x", 2]),
        ("return server.call('ping')", b"PONG"),
        ("return type(os.clock())", b"number"),
        ("return cjson.encode({1, 'a', {b = cjson.null}})", b'[1,"a",{"b":null}]'),
    ],
)
def test_replies(client: LocalClient, script: str, reply: object) -> None:
    keys = (2, "{a}1", "{a}2", "x", "y") if "KEYS" in script else (0,)
    assert plain(client("EVAL", script, *keys)) == reply


@pytest.mark.parametrize(
    ("script", "reply"),
    [
        ("redis.setresp(3) return redis.call('hgetall', 'h')", {b"f": b"v"}),
        ("redis.setresp(3) return redis.call('hgetall', 'h').map.f", b"v"),
        ("return redis.call('hgetall', 'h')", [b"f", b"v"]),
        ("redis.setresp(3) return redis.call('smembers', 's').set.m", True),
        ("redis.setresp(3) return redis.call('zscore', 'z', 'm').double", 1),
        ("redis.setresp(3) return redis.call('get', 'nokey') == nil", True),
        ("redis.setresp(3) return {true, false}", [True, False]),
        ("return {true, false}", [1, None]),
        ("return {double=3.5}", 3.5),
    ],
)
def test_replies_in_resp3(engine: Engine, script: str, reply: object) -> None:
    client = LocalClient(engine, protocol=3)
    client("HSET", "h", "f", "v")
    client("SADD", "s", "m")
    client("ZADD", "z", 1, "m")
    assert plain(client("EVAL", script, 0)) == reply


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("redis.call()", "ERR Please specify at least one argument for this redis lib call"),
        ("redis.call({})", "ERR Lua redis lib command arguments must be strings or integers"),
        ("redis.call('nope')", "ERR Unknown Redis command called from script"),
        ("redis.call('config', 'nope')", "ERR Unknown Redis command called from script"),
        ("redis.call('get')", "ERR Wrong number of args calling Redis command from script"),
        ("redis.call('eval', 'x', 0)", "ERR This Redis command is not allowed from script"),
        ("redis.call('multi')", "ERR This Redis command is not allowed from script"),
        ("redis.call('incr', 'list')", WRONGTYPE := (
            "WRONGTYPE Operation against a key holding the wrong kind of value"
        )),
        ("return redis.call('get', 'list')", WRONGTYPE),
        ("error('x')", "ERR user_script:1: x"),
        ("error(12)", "ERR user_script:1: 12"),
        ("error(true)", "ERR true"),
        ("error({err='X y'})", "X y"),
        ("local a; return a.b", "ERR user_script:1: attempt to index local 'a' (a nil value)"),
        ("redis.log(1)", "ERR redis.log() requires two arguments or more."),
        ("redis.log('a', 'b')", "ERR First argument must be a number (log level)."),
        ("redis.log(9, 'b')", "ERR Invalid debug level."),
        ("redis.setresp()", "ERR redis.setresp() requires one argument."),
        ("redis.setresp(4)", "ERR RESP version must be 2 or 3."),
        ("redis.set_repl()", "ERR redis.set_repl() requires two arguments."),
        (
            "redis.set_repl(9)",
            "ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.",
        ),
        (
            "redis.acl_check_cmd('x')",
            "ERR Invalid command passed to redis.acl_check_cmd()",
        ),
        ("redis.sha1hex()", "ERR wrong number of arguments"),
        (
            "return nope",
            "ERR user_script:1: Script attempted to access nonexistent global variable 'nope'",
        ),
        ("x = 1", "ERR user_script:1: Attempt to modify a readonly table"),
        (
            "return cjson.decode('[')",
            "ERR user_script:1: Expected value but found T_END at character 2",
        ),
    ],
)  # fmt: skip
def test_errors(client: LocalClient, script: str, message: str) -> None:
    client("RPUSH", "list", "a")
    assert failure(client, script) == message


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("return redis.pcall('get', 'list')", "WRONGTYPE Operation against a key holding the "
         "wrong kind of value"),
        ("return {err='x y\\r\\nz'}", "x y  z"),
        ("return redis.error_reply('x')", "ERR x"),
        ("return redis.error_reply('A b')", "A b"),
        ("return redis.error_reply('-A b')", "A b"),
        ("return redis.error_reply({})", "ERR wrong number or type of arguments"),
        ("return redis.status_reply({})", "ERR wrong number or type of arguments"),
    ],
)  # fmt: skip
def test_errors_that_are_returned(client: LocalClient, script: str, message: str) -> None:
    client("RPUSH", "list", "a")
    assert client.error("EVAL", script, 0) == message


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("EVAL", "return 1"), "ERR wrong number of arguments for 'eval' command"),
        (("EVAL", "return 1", "x"), "ERR value is not an integer or out of range"),
        (("EVAL", "return 1", -1), "ERR Number of keys can't be negative"),
        (
            ("EVAL", "return 1", 3, "a"),
            "ERR Number of keys can't be greater than number of args",
        ),
        (
            ("EVAL", "retur", 0),
            "ERR Error compiling script (new function): user_script:1: '=' expected near '<eof>'",
        ),
        (
            ("SCRIPT", "LOAD", "retur"),
            "ERR Error compiling script (new function): user_script:1: '=' expected near '<eof>'",
        ),
        (("EVALSHA", "x", 0), "NOSCRIPT No matching script. Please use EVAL."),
        (("SCRIPT", "SHOW", "x"), "NOSCRIPT No matching script. Please use EVAL."),
        (("SCRIPT", "FLUSH", "x"), "ERR SCRIPT FLUSH only support SYNC|ASYNC option"),
        (("SCRIPT", "KILL"), "NOTBUSY No scripts in execution right now."),
        (("FUNCTION", "KILL"), "NOTBUSY No scripts in execution right now."),
        (("SCRIPT", "DEBUG", "x"), "ERR Use SCRIPT DEBUG YES/SYNC/NO"),
        (("SCRIPT", "NOPE"), "ERR unknown subcommand 'NOPE'. Try SCRIPT HELP."),
        (("EVAL", "#!lua", 0), "ERR Invalid script shebang"),
        (("EVAL", "#!js\n", 0), "ERR Unexpected engine in script shebang: #!js"),
        (("EVAL", "#!lua name=a\n", 0), "ERR Unknown lua shebang option: name=a"),
        (("EVAL", "#!lua flags=x\n", 0), "ERR Unexpected flag in script shebang: x"),
    ],
)
def test_refusals(client: LocalClient, words: tuple, message: str) -> None:
    assert client.error(*words) == message


def test_tables_that_contain_themselves(client: LocalClient) -> None:
    reply = client("EVAL", "local t = {} t[1] = t return t", 0)
    levels = 0
    while isinstance(reply, list):
        reply = reply[0]
        levels += 1
    assert levels > 100 and str(reply) == "ERR reached lua stack limit"


# -- Scripts that are kept -------------------------------------------------------------------------


def test_scripts_are_found_by_their_sha(client: LocalClient) -> None:
    script = "return redis.call('get', KEYS[1])"
    client("SET", "k", "v")
    assert client("SCRIPT", "EXISTS", sha(script)) == [0]
    assert client("SCRIPT", "LOAD", script) == sha(script).encode()
    assert client("SCRIPT", "EXISTS", sha(script), "x", sha(script).upper()) == [1, 0, 1]
    assert client("EVALSHA", sha(script), 1, "k") == b"v"
    assert client("EVALSHA", sha(script).upper(), 1, "k") == b"v"
    assert client("EVALSHA_RO", sha(script), 1, "k") == b"v"
    assert client("SCRIPT", "SHOW", sha(script)) == script.encode()
    assert client("SCRIPT", "FLUSH", "ASYNC") == b"OK"
    assert client.error("EVALSHA", sha(script), 1, "k").startswith("NOSCRIPT")


def test_what_eval_has_run_is_known(client: LocalClient) -> None:
    assert client("EVAL", "return 1", 0) == 1
    assert client("EVALSHA", sha("return 1"), 0) == 1


def test_scripts_of_eval_give_way_to_newer_ones(client: LocalClient) -> None:
    client("SCRIPT", "LOAD", "return 'loaded'")
    client("EVAL", "return 0", 0)
    client("EVAL", "return 1", 0)
    for number in range(2, 501):
        client("EVAL", f"return {number}", 0)
        client("EVALSHA", sha("return 0"), 0)
    assert client("SCRIPT", "EXISTS", sha("return 0"), sha("return 1")) == [1, 0]
    assert client("SCRIPT", "EXISTS", sha("return 'loaded'"), sha("return 2")) == [1, 1]
    stats = client.engine.info.fields("stats")
    assert stats["evicted_scripts"] == 1
    memory = client.engine.info.fields("memory")
    assert memory["number_of_cached_scripts"] == 501
    assert memory["used_memory_scripts_eval"] > 501 * 8  # type: ignore[operator]
    assert memory["used_memory_vm_eval"] > 10_000  # type: ignore[operator]


def test_a_script_that_was_loaded_later_stays(client: LocalClient) -> None:
    client("EVAL", "return 'kept'", 0)
    client("SCRIPT", "LOAD", "return 'kept'")
    for number in range(600):
        client("EVAL", f"return {number}", 0)
    assert client("EVALSHA", sha("return 'kept'"), 0) == b"kept"


# -- What is passed on -----------------------------------------------------------------------------


def test_what_a_script_writes_is_passed_on_as_one(client: LocalClient) -> None:
    written = Recorder(client.engine)
    client("EVAL", "redis.call('set', 'a', 1) redis.call('incr', 'a') return 1", 0)
    assert written.take() == [b"MULTI", b"set a 1", b"incr a", b"EXEC"]
    client("EVAL", "redis.call('set', 'a', 1) redis.call('get', 'a') return 1", 0)
    assert written.take() == [b"set a 1"]
    client("EVAL", "return redis.call('get', 'a')", 0)
    assert written.take() == []
    client("EVAL", "redis.call('set', 'a', 2) error('x')", 0)
    assert written.take() == [b"set a 2"]


def test_nothing_is_passed_on_where_a_script_does_not_want_it(client: LocalClient) -> None:
    written = Recorder(client.engine)
    client(
        "EVAL",
        "redis.set_repl(redis.REPL_NONE) redis.call('set', 'a', 1) "
        "redis.set_repl(redis.REPL_ALL) redis.call('set', 'b', 1)",
        0,
    )
    assert written.take() == [b"set b 1"]
    client("EVAL", "redis.set_repl(redis.REPL_NONE) redis.call('set', 'a', 1)", 0)
    client("SET", "c", 1)
    assert written.take() == [b"SET c 1"]


def test_scripts_in_transactions(client: LocalClient) -> None:
    written = Recorder(client.engine)
    client("MULTI")
    client("EVAL", "return redis.call('incr', 'n')", 0)
    client("INCR", "n")
    assert client("EXEC") == [1, 2]
    assert written.take() == [b"MULTI", b"incr n", b"INCR n", b"EXEC"]


def test_the_database_of_a_script_is_its_own(client: LocalClient) -> None:
    client("EVAL", "redis.call('select', 5) redis.call('set', 'a', 1)", 0)
    assert client("GET", "a") is None
    client("SELECT", 5)
    assert client("GET", "a") == b"1"
    assert client("EVAL", "return redis.call('get', 'a')", 0) == b"1"


def test_blocking_commands_are_not_for_scripts(client: LocalClient) -> None:
    assert failure(client, "redis.call('blpop', 'l', 0)") == (
        "ERR This Redis command is not allowed from script"
    )
    assert failure(client, "redis.call('xread', 'block', 0, 'streams', 's', '$')") == (
        "ERR xread command is not allowed with BLOCK option from scripts"
    )


def test_a_script_sees_one_time(client: LocalClient, clock: object) -> None:
    script = (
        "redis.call('set', 'k', 'v', 'px', 50) local t = redis.call('time') "
        "return redis.call('exists', 'k')"
    )
    assert client("EVAL", script, 0) == 1


# -- Rules -----------------------------------------------------------------------------------------

READ_ONLY = "ERR Write commands are not allowed from read-only scripts."


def test_scripts_that_must_not_write(client: LocalClient) -> None:
    script = "redis.call('set', 'a', 1)"
    assert client.error("EVAL_RO", script, 0).startswith(READ_ONLY)
    client("SCRIPT", "LOAD", script)
    assert client.error("EVALSHA_RO", sha(script), 0).startswith(READ_ONLY)
    assert client.error("EVAL", "#!lua flags=no-writes\n" + script, 0).startswith(READ_ONLY)
    assert client.error("EVAL_RO", "#!lua\n" + script, 0) == (
        "ERR Can not execute a script with write flag using *_ro command."
    )
    assert client("EVAL_RO", "#!lua flags=no-writes\nreturn redis.call('get', 'a')", 0) is None


OOM = "OOM command not allowed when used memory > 'maxmemory'."


def test_scripts_without_memory(client: LocalClient) -> None:
    client("SET", "a", "v")
    client("CONFIG", "SET", "maxmemory", 1)
    script = "return redis.call('set', 'x', 1)"
    assert client.error("EVAL", script, 0).startswith(OOM)
    assert client.error("EVAL", "#!lua\n" + script, 0) == OOM
    assert client("EVAL", "#!lua flags=allow-oom\n" + script, 0) == b"OK"
    assert client("EVAL", "#!lua flags=no-writes\nreturn redis.call('get', 'a')", 0) == b"v"
    assert client("EVAL", "redis.call('del', 'a') return redis.call('set', 'b', 2)", 0) == b"OK"
    assert client("EVAL", "return redis.call('get', 'x')", 0) == b"1"


def test_scripts_wait_for_the_end_of_a_pause(client: LocalClient) -> None:
    client("CLIENT", "PAUSE", 1000, "WRITE")
    other = LocalClient(client.engine)
    assert other("EVAL", "#!lua flags=no-writes\nreturn 1", 0) == 1
    other("EVAL", "return 1", 0)
    assert other.session.blocked is not None
    client("CLIENT", "UNPAUSE")
    client.engine.before_sleep()
    assert [message.value for message in other.messages()] == [1]


# -- What is counted -------------------------------------------------------------------------------


def test_failures_are_counted_once(client: LocalClient) -> None:
    client("RPUSH", "list", 1)
    client("CONFIG", "RESETSTAT")
    client("EVAL", "return redis.pcall('get', 'list', 'x')", 0)
    client("EVAL", "return redis.pcall('get', 'list')", 0)
    client("EVAL", "return redis.call('get', 'list')", 0)
    client("EVAL", "return {err='ZZ x'}", 0)
    client("EVAL", "error('x')", 0)
    client("EVAL", "nosyn(", 0)
    client("EVALSHA", "aaaa", 0)
    stats = client.engine.stats
    assert stats.errors == {"ERR": 3, "WRONGTYPE": 2, "ZZ": 1, "NOSCRIPT": 1}
    get, evaluate = (client.engine.registry.find(name) for name in ("get", "eval"))
    assert get is not None and evaluate is not None
    assert (get.calls, get.rejected_calls, get.failed_calls) == (2, 1, 2)
    assert (evaluate.calls, evaluate.failed_calls) == (6, 6)


def test_monitor_and_slow_log(client: LocalClient) -> None:
    other = LocalClient(client.engine)
    other("MONITOR")
    other.messages()
    client("CONFIG", "SET", "slowlog-log-slower-than", 0)
    client("EVAL", "redis.call('set', 'a', 1)", 0)
    shown = [str(line) for line in other.messages()]
    assert '"EVAL"' in shown[-2] and '[0 lua] "set" "a" "1"' in shown[-1]
    newest = client("SLOWLOG", "GET", 3)
    assert [entry[3][0] for entry in newest][:2] == [b"EVAL", b"set"]
    assert newest[1][4] == b"?:0"
