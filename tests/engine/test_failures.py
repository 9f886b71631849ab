"""Commands that fail: what is counted, and what is left of the exception."""

from __future__ import annotations

import traceback

import pytest

from carnelian.engine.engine import Engine
from carnelian.resp.replies import (
    NO_FLOAT,
    NO_INTEGER,
    NO_SUCH_KEY,
    SYNTAX_ERROR,
    WRONG_TYPE,
    Error,
)
from support.local import LocalClient

READY = {
    WRONG_TYPE: "WRONGTYPE Operation against a key holding the wrong kind of value",
    SYNTAX_ERROR: "ERR syntax error",
    NO_INTEGER: "ERR value is not an integer or out of range",
    NO_FLOAT: "ERR value is not a valid float",
    NO_SUCH_KEY: "ERR no such key",
}


@pytest.mark.parametrize("error", READY, ids=lambda error: error.code)
def test_ready_made_errors_have_fresh_likes(error: Error) -> None:
    assert str(error) == READY[error]
    assert error.fresh() is not error
    assert error.fresh().message == error.message


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("INCR", "list"), WRONG_TYPE),
        (("GET", "list"), WRONG_TYPE),
        (("LPUSH", "text", "x"), WRONG_TYPE),
        (("INCR", "text"), NO_INTEGER),
        (("INCRBY", "number", "x"), NO_INTEGER),
        (("SET", "text", "v", "YZ"), SYNTAX_ERROR),
        (("ZADD", "scores", "x", "m"), NO_FLOAT),
        (("LSET", "missing", "0", "v"), NO_SUCH_KEY),
    ],
)
def test_a_command_fails_with_one_that_is_ready(
    client: LocalClient, words: tuple[str, ...], error: Error
) -> None:
    client("RPUSH", "list", "a")
    client("SET", "text", "some text")
    for _ in range(3):
        assert client(*words) is error
        assert error.__traceback__ is None


def test_compiled_functions_leave_no_frames(client: LocalClient) -> None:
    client("RPUSH", "list", "a")
    with pytest.raises(Error) as caught:
        client.session.db.increment(b"list", 1)
    frames = traceback.extract_tb(caught.value.__traceback__)
    assert {frame.filename for frame in frames} == {__file__}
    caught.value.__traceback__ = None


def test_other_exceptions_keep_theirs(client: LocalClient) -> None:
    with pytest.raises(TypeError) as caught:
        client.engine.execute(client.session, None)  # type: ignore[arg-type]
    assert caught.value.__traceback__ is not None


def test_errors_are_counted_by_their_code(client: LocalClient, engine: Engine) -> None:
    client("RPUSH", "list", "a")
    for _ in range(2):
        client("INCR", "list")
    client("SET", "k", "v", "YZ")
    client("GET")
    client("NOSUCH")
    client("XGROUP", "CREATE", "missing", "g", "0")
    client("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">")
    assert engine.stats.errors == {"WRONGTYPE": 2, "ERR": 4, "NOGROUP": 1}
    assert engine.stats.error_replies == 7
    incr, get = engine.registry.find("incr"), engine.registry.find("get")
    assert incr is not None
    assert get is not None
    assert (incr.calls, incr.failed_calls, incr.rejected_calls) == (2, 2, 0)
    assert (get.calls, get.failed_calls, get.rejected_calls) == (0, 0, 1)


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("no\0such",), "'no', with args beginning with: "),
        (("nosuch", "a\0b", ""), "'nosuch', with args beginning with: 'a' '' "),
        (("n" * 200,), f"'{'n' * 128}', with args beginning with: "),
        (("x", "a" * 200, "b"), f"'x', with args beginning with: '{'a' * 128}' "),
        (("x", "a" * 120, "b" * 9), f"'x', with args beginning with: '{'a' * 120}' '{'b' * 5}' "),
    ],
)
def test_unknown_commands_are_shown(
    client: LocalClient, words: tuple[str, ...], shown: str
) -> None:
    assert client.error(*words) == f"ERR unknown command {shown}"
