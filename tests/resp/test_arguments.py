"""Lists of finished commands are filled again, but never behind anybody's back."""

import gc

from hypothesis import given
from hypothesis import strategies as st

from carnelian.resp.arguments import recycle_all
from carnelian.resp.parser import Parser
from support.wire import request

# A name for a command would be a second reference to it, so they stand in lists here.


def test_a_finished_list_is_filled_again():
    parser = Parser()
    parser.feed(request(b"SET", b"key-1", b"value-1") + request(b"GET", b"key-2", b"value-22"))
    held = [parser.next()]
    where = id(held[0]), id(held[0][1])
    hash(held[0][1])
    recycle_all(held)
    command = parser.next()
    assert (id(command), id(command[1])) == where
    assert command == [b"GET", b"key-2", b"value-22"]
    assert {b"key-2": 1}[command[1]] == 1


def test_what_is_referred_to_stays():
    parser = Parser()
    parser.feed(request(b"SET", b"key-1", b"value-1") * 2 + request(b"SET", b"key-2", b"value-2"))
    kept = parser.next()
    recycle_all([kept])
    held = [parser.next()]
    value = held[0][2]
    recycle_all(held)
    command = parser.next()
    assert kept == [b"SET", b"key-1", b"value-1"]
    assert value == b"value-1"
    assert command == [b"SET", b"key-2", b"value-2"]


def test_changed_lists():
    parser = Parser()
    for change in (
        lambda command: command.clear(),
        lambda command: command.append(b"more"),
        lambda command: command.__setitem__(1, 17),
        lambda command: command.__setitem__(2, bytearray(b"value")),
        lambda command: command.__setitem__(0, None),
    ):
        parser.feed(request(b"SET", b"key", b"value"))
        held = [parser.next()]
        change(held[0])
        recycle_all(held)
        gc.collect()
        parser.feed(request(b"SET", b"KEY", b"VALUE"))
        assert parser.next() == [b"SET", b"KEY", b"VALUE"]


def test_an_unfinished_command_in_a_used_list():
    for _ in range(5):
        parser = Parser()
        parser.feed(request(b"SET", b"key", b"value"))
        recycle_all([parser.next()])
        parser.feed(request(b"SET", b"KEY", b"VALUE")[:20])
        assert parser.next() is None
        gc.collect()
        del parser


words = st.binary(max_size=4) | st.sampled_from([b"x" * 300, b"y" * 40000])


@given(
    st.lists(
        st.tuples(st.lists(words, min_size=1, max_size=40), st.booleans(), st.booleans()),
        max_size=30,
    )
)
def test_any_commands_with_some_kept(commands):
    parser = Parser()
    kept = []
    for words, keep_list, keep_some in commands:
        data = request(*words)
        parser.feed(data[: len(data) // 2])
        held = [parser.next()]
        if held[0] is None:
            parser.feed(data[len(data) // 2 :])
            held = [parser.next()]
        assert held[0] == words
        if keep_list:
            kept.append((held[0], words))
        if keep_some:
            kept.append((held[0][::2], words[::2]))
        recycle_all(held)
    for command, words in kept:
        assert command == words
