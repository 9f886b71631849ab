"""ACL SETUSER, GETUSER and DRYRUN against redis-server, where 7.0 and later versions agree."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any

import pytest

from carnelian.engine.engine import Engine
from support.local import LocalClient
from support.servers import ReferenceServer
from support.wire import WireClient

SINGLE = """
on; off; nopass; resetpass; >a; >b; <a; !x; #x; reset; clearselectors; sanitize-payload
skip-sanitize-payload; allkeys; resetkeys; ~*; ~a; ~b*; ~; %R~a; %W~a; %RW~a; %r~c; %wr~d; %; %~
%R; %RR~a; %X~a; ~a b; allchannels; resetchannels; &*; &a; &b*; &; &a b; (; ); (); (+get ~a)
(+get %R~a); (&a); (on); (nonsense); ( +set   ~b ); (~* ~a); (&* &a); +; -; +nope; -nope; +@nope
-@nope; +get|a|b; +config|nope; -config|nope; +config|get|x; +config|; +select|; -select|0
+@all; -@all; +@read; -@read; +@string; -@string; +get; -get; +set; -set; +config; -config
+config|get; -config|set; +select|0; +mget; +publish; +subscribe; +psubscribe; -@pubsub; +@write
+@keyspace; ~[ab]; ~a?; %R~*; nonsense; ON
"""
RULES = [rule.strip() for line in SINGLE.strip().splitlines() for rule in line.split("; ")]

QUESTIONS = [
    line.split()
    for line in """
GET a
GET b1
GET c
GET zzz
SET a v
SET a v GET
SET d v
MGET a b1
MGET a zzz
MSET a 1 b 2
DEL a b1
COPY a b1
COPY zzz a
EXISTS a
STRLEN c
SORT a
SORT a STORE b
CONFIG GET x
CONFIG SET x y
SELECT 0
SELECT 1
PUBLISH a m
PUBLISH b1 m
SPUBLISH zzz m
SUBSCRIBE a
SUBSCRIBE a zzz
PSUBSCRIBE b*
PSUBSCRIBE b1*
UNSUBSCRIBE zzz
PING
AUTH x
XREAD STREAMS a b 0 0
ZUNIONSTORE a 2 b zzz
BITFIELD a GET u4 0
BITFIELD a SET u4 0 1
OBJECT ENCODING a
""".strip().splitlines()
]


@pytest.fixture
def theirs(redis_server: ReferenceServer) -> Iterator[WireClient]:
    client = WireClient(redis_server.port)
    yield client
    client.call("ACL", "DELUSER", "u")


@pytest.fixture
def ours() -> LocalClient:
    return LocalClient(Engine())


def told(reply: Any) -> Any:
    """A reply in plain types; an error is its text."""
    if isinstance(reply.value, list):
        return [told(part) for part in reply.value]
    return reply.value


def later(text: Any) -> Any:
    """What 7.0 says, as later versions say it."""
    if isinstance(text, bytes):
        return re.sub(rb"^This user has", b"User u has", text)
    return text


def without_command_rules(reply: Any) -> Any:
    """GETUSER without the rules about commands, which 7.0 makes anew from what they come to, and
    without the flag that it has only if it is asked for."""
    if not isinstance(reply, list):
        return reply
    fields = dict(zip(reply[::2], reply[1::2], strict=True))
    fields.pop(b"commands")
    if b"flags" in fields:
        fields[b"flags"] = [flag for flag in fields[b"flags"] if flag != b"sanitize-payload"]
        fields[b"selectors"] = [without_command_rules(one) for one in fields[b"selectors"]]
    return fields


@pytest.mark.parametrize("seed", range(60))
def test_they_agree(theirs: WireClient, ours: LocalClient, seed: int) -> None:
    chance = random.Random(seed)
    theirs.call("ACL", "DELUSER", "u")
    for _ in range(25):
        words = ["ACL", "SETUSER", "u", *chance.choices(RULES, k=chance.randint(1, 4))]
        assert told(ours.call(*words)) == told(theirs.call(*words)), words
        shown = [told(each.call("ACL", "GETUSER", "u")) for each in (ours, theirs)]
        assert without_command_rules(shown[0]) == without_command_rules(shown[1]), words
        if shown[1] is None:
            continue
        for question in chance.sample(QUESTIONS, 8):
            asked = ["ACL", "DRYRUN", "u", *question]
            assert told(ours.call(*asked)) == later(told(theirs.call(*asked))), (words, asked)


@pytest.mark.parametrize("rule", RULES)
def test_single_rules(theirs: WireClient, ours: LocalClient, rule: str) -> None:
    theirs.call("ACL", "DELUSER", "u")
    for words in ([rule], ["~x", "&y", "+get", "+@read", rule]):
        asked = ["ACL", "SETUSER", "u", *words]
        assert told(ours.call(*asked)) == told(theirs.call(*asked))
        assert told(ours.call("ACL", "USERS")) == told(theirs.call("ACL", "USERS"))


def test_categories(theirs: WireClient, ours: LocalClient) -> None:
    categories = told(theirs.call("ACL", "CAT"))
    # Redis has had arrays only since 8.8.
    assert [name for name in told(ours.call("ACL", "CAT")) if name != b"array"] == categories
    known = {command.name for command in ours.engine.registry.every()}
    listed = set(told(theirs.call("COMMAND", "LIST")))
    for category in categories:
        expected = set(told(theirs.call("ACL", "CAT", category))) & known
        found = set(told(ours.call("ACL", "CAT", category))) & listed
        # Later versions count WAIT among the blocking ones.
        assert found - expected <= {b"wait", b"waitaof"}
        assert expected <= found


CONVERSATIONS = """
ACL; ACL NOPE; ACL WHOAMI; ACL WHOAMI x; ACL USERS x; ACL LIST x; ACL GETUSER; ACL GETUSER nobody
ACL DELUSER; ACL DELUSER nobody; ACL DELUSER default; ACL SETUSER; ACL CAT nope; ACL CAT a b
ACL LOG x; ACL LOG 1 2; ACL LOG RESET; ACL LOG; ACL GENPASS 0; ACL GENPASS 4097; ACL GENPASS x
ACL GENPASS 1 2; ACL DRYRUN; ACL DRYRUN nobody get x; ACL DRYRUN default nope; ACL LOAD; ACL SAVE
ACL DRYRUN default get; ACL DRYRUN default get x; ACL DRYRUN default client nope; ACL LOAD x
ACL SETUSER u (+get; ACL SETUSER u (+get ~x; ACL SETUSER a\x00b; ACL HELP x
"""


def test_the_rest(theirs: WireClient, ours: LocalClient) -> None:
    for line in CONVERSATIONS.strip().splitlines():
        for command in line.split("; "):
            words = command.split(" ")
            assert told(ours.call(*words)) == told(theirs.call(*words)), command
