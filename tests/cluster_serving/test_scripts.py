"""Scripts, functions and commands in Python at a node of a cluster: which keys they reach."""

from __future__ import annotations

from pathlib import Path

from carnelian.engine.engine import Engine
from support.local import LocalClient

from .conftest import MakeNode
from .local_node import ALIKE, KEY, OTHER, SLOT, LocalNode

GET = "return redis.call('get', '%s')"
ELSEWHERE = "ERR Script attempted to access a non local key in a cluster node"
TWO_SLOTS = "ERR Script attempted to access keys that do not hash to the same slot"


def failure(client: LocalClient, script: str, *keys: str) -> str:
    """The error of a script, without where in it."""
    return client.error("EVAL", script, len(keys), *keys).partition(" script: ")[0]


def test_keys_that_are_not_declared(node: LocalNode, client: LocalClient) -> None:
    client("SET", KEY, 1)
    assert client("EVAL", GET % KEY, 0) == b"1"
    # As always: who says nothing of itself may take keys of several slots.
    assert client("EVAL", f"redis.call('get', '{OTHER}') {GET % KEY}", 0) == b"1"
    assert client("EVAL", f"redis.call('get', '{OTHER}') {GET % KEY}", 1, KEY) == b"1"
    node.move(SLOT, node.other)
    assert failure(client, GET % KEY) == ELSEWHERE
    assert failure(client, f"return redis.call('mget', '{KEY}', '{OTHER}')") == (
        "ERR Command 'mget' in script attempted to access keys that don't hash to the same slot"
    )


def test_what_is_wrong_here_is_told_before_where_keys_are(
    node: LocalNode, client: LocalClient
) -> None:
    node.move(SLOT, node.other)
    script = f"return redis.call('set', '{KEY}', 1)"
    assert failure(client, script) == ELSEWHERE
    assert client.error("EVAL_RO", script, 0).startswith(
        "ERR Write commands are not allowed from read-only scripts."
    )
    client("CONFIG", "SET", "maxmemory", 1)
    assert failure(client, script).startswith("OOM ")
    client("CONFIG", "SET", "maxmemory", 0)
    client("CONFIG", "SET", "min-replicas-to-write", 1)
    assert failure(client, script) == "NOREPLICAS Not enough good replicas to write."
    client("CONFIG", "SET", "min-replicas-to-write", 0)
    client("ACL", "SETUSER", "u", "on", "nopass", "~*", "+@all", "-set")
    client("AUTH", "u", "any")
    assert failure(client, f"#!lua flags=no-writes\n{script}").startswith("ERR ACL failure")


def test_scripts_that_say_what_they_do(client: LocalClient) -> None:
    two = f"redis.call('get', '{OTHER}') {GET % KEY}"
    assert failure(client, f"#!lua\n{two}") == TWO_SLOTS
    assert failure(client, f"#!lua\n{GET % OTHER}", KEY) == TWO_SLOTS
    assert client("EVAL", f"#!lua\n{GET % ALIKE}", 1, KEY) is None
    assert client("EVAL", f"#!lua flags=allow-cross-slot-keys\n{two}", 0) is None
    assert client.error("EVAL", "#!lua flags=no-cluster\nreturn 1", 0) == (
        "ERR Can not run script on cluster, 'no-cluster' flag is set."
    )
    client("MULTI")
    client("SET", KEY, 1)
    client("EVAL", f"#!lua\n{GET % OTHER}", 0)
    assert str(client("EXEC")[1]).startswith(TWO_SLOTS)


def test_functions(client: LocalClient) -> None:
    client(
        "FUNCTION", "LOAD",
        "#!lua name=lib\n"
        f"local function both() redis.call('get', '{OTHER}') {GET % KEY} end\n"
        "redis.register_function('strict', both)\n"
        "redis.register_function{function_name='lax', callback=both, "
        "flags={'allow-cross-slot-keys'}}\n"
        "redis.register_function{function_name='alone', callback=both, flags={'no-cluster'}}",
    )  # fmt: skip
    assert client.error("FCALL", "strict", 0).startswith(TWO_SLOTS)
    assert client("FCALL", "lax", 0) is None
    assert client.error("FCALL", "alone", 0) == (
        "ERR Can not run script on cluster, 'no-cluster' flag is set."
    )


def test_what_others_are_told_while_a_script_runs(node: LocalNode, client: LocalClient) -> None:
    """They do not change which slot the script has begun with."""
    other = node.client()
    host = node.engine.scripting.host

    def meanwhile() -> None:
        other("GET", OTHER)

    host.on_interval = meanwhile
    loop = "for i = 1, 300000 do end "
    assert client("EVAL", f"#!lua\n{GET % KEY}", 0) is None
    assert client("EVAL", f"#!lua\nredis.call('get', '{KEY}') {loop} {GET % KEY}", 1, KEY) is None
    host.on_interval = None


def test_slots_on_their_way(node: LocalNode, client: LocalClient) -> None:
    client("SET", KEY, 1)
    client("CLUSTER", "SETSLOT", SLOT, "MIGRATING", node.other.id)
    assert client("EVAL", GET % KEY, 0) == b"1"
    assert failure(client, GET % ALIKE) == ELSEWHERE
    assert failure(client, f"return redis.call('mget', '{KEY}', '{ALIKE}')") == (
        "ERR Unable to execute command 'mget' in script because undeclared keys were accessed "
        "during rehashing of the slot"
    )
    node.move(SLOT, None)
    assert failure(client, GET % KEY) == "ERR Script attempted to access a slot not served"


def test_a_cluster_that_is_down(make_node: MakeNode) -> None:
    node = make_node(cluster_allow_reads_when_down="yes")
    client = node.client()
    node.view.is_ok = False
    assert client("EVAL", GET % KEY, 0) is None
    assert failure(client, f"return redis.call('set', '{KEY}', 1)") == (
        "ERR Script attempted to execute a write command while the cluster is down and readonly"
    )
    client("CONFIG", "SET", "cluster-allow-reads-when-down", "no")
    assert failure(client, GET % KEY) == (
        "ERR Script attempted to execute a command while the cluster is down"
    )
    assert client("EVAL", "return redis.call('ping')", 0) == b"PONG"


def test_scripts_on_a_replica(node: LocalNode, client: LocalClient) -> None:
    client("SET", KEY, 1)
    node.follow(node.other)
    assert failure(client, GET % KEY) == ELSEWHERE
    client("READONLY")
    assert client("EVAL", GET % KEY, 0) == b"1"
    assert failure(client, f"return redis.call('set', '{KEY}', 1)") == ELSEWHERE


def test_commands_in_python(node: LocalNode, client: LocalClient, tmp_path: Path) -> None:
    source = tmp_path / "node_commands.py"
    source.write_text(
        "import carnelian\n"
        "@carnelian.command('NODE.GET key', 'readonly', keys=1)\n"
        "def get(session, args):\n"
        "    return session.call('GET', args[1])\n"
        f"@carnelian.command('NODE.FOO', 'readonly')\n"
        "def foo(session, args):\n"
        f"    return session.call('GET', '{KEY}')\n"
    )
    node.engine.modules.load(str(source))
    client("SET", KEY, 1)
    assert client("NODE.GET", KEY) == b"1"
    assert client("NODE.FOO") == b"1"
    node.view.is_ok = False
    assert (
        client.error("NODE.FOO") == "ERR Can not execute a command 'get' while the cluster is down"
    )
    node.view.is_ok = True
    node.move(SLOT, node.other)
    assert client.error("NODE.GET", KEY) == f"MOVED {SLOT} 10.0.0.1:7000"
    assert client.error("NODE.FOO") == "ERR Attempted to access a non local key in a cluster node"
    client("MULTI")
    client("NODE.FOO")
    assert str(client("EXEC")[0]) == "ERR Attempted to access a non local key in a cluster node"


def test_no_cluster_is_for_clusters_alone(engine: Engine) -> None:
    assert LocalClient(engine)("EVAL", "#!lua flags=no-cluster\nreturn 1", 0) == 1
