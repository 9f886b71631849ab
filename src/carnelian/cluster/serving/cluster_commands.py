"""CLUSTER as far as it tells something, READONLY, READWRITE and ASKING.

A server that is no node of a cluster knows all of them and refuses, which is how clients find out.

See https://redis.io/docs/latest/commands/?group=cluster
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from carnelian.cluster.known.cluster_errors import ClusterError
from carnelian.datatypes.algorithms.hash_slot import hash_slot
from carnelian.engine.declaring import command
from carnelian.engine.ground.flags import ASKED, FLAG_ASKING, FLAG_HAS_ASKED, FLAG_READONLY
from carnelian.engine.help import container
from carnelian.engine.session import Session
from carnelian.resp.numbers import parse_int
from carnelian.resp.replies import OK, Error, Verbatim

if TYPE_CHECKING:
    from carnelian.cluster.serving.cluster_service import ClusterService

GROUP = "cluster"

SLOTS = 16384
# Flags and hints that go together.
READING = "stale"
VAGUE = "nondeterministic_output"


def service_of(session: Session) -> ClusterService:
    """The node that the server is. Raises Error if it is none."""
    service = session.engine.cluster
    if service is None:
        raise Error("ERR This instance has cluster support disabled")
    return service


container(
    "CLUSTER",
    group="cluster",
    since="3.0.0",
    summary="Tells about nodes and slots of a cluster, and changes them.",
    check=service_of,
)


def refusal(error: ClusterError) -> Error:
    """What cannot be, as a reply."""
    return Error(f"ERR {error}")


def text_of(word: bytes) -> str:
    """A word as text: IDs and addresses are compared as they are."""
    return word.decode("utf-8", "surrogateescape")


def slot_of_word(word: bytes) -> int:
    """The number of a slot. Raises Error if it is none."""
    try:
        slot = parse_int(word)
    except Error:
        slot = -1
    if not 0 <= slot < SLOTS:
        raise Error("ERR Invalid or out of range slot")
    return slot


def unknown_form(args: list[bytes]) -> Error:
    """The error for words that make no call of a subcommand."""
    return Error(
        b"ERR unknown subcommand or wrong number of arguments for '%.128s'. Try CLUSTER HELP."
        % args[1]
    )


# -- How a connection goes about slots -------------------------------------------------------------


@command("ASKING", "fast", categories="connection")
def asking(session: Session, args: list[bytes]) -> object:
    """Lets the next command at a slot that is being imported, after a redirection.

    Since 3.0.0, O(1)
    """
    service_of(session)
    session.flags = session.flags & ~FLAG_HAS_ASKED | FLAG_ASKING
    session.gate |= ASKED
    return OK


@command("READONLY", "fast loading stale", categories="connection")
def readonly(session: Session, args: list[bytes]) -> object:
    """Has a replica answer reads of this connection by itself.

    Since 3.0.0, O(1)
    """
    service_of(session)
    session.flags |= FLAG_READONLY
    return OK


@command("READWRITE", "fast loading stale", categories="connection")
def readwrite(session: Session, args: list[bytes]) -> object:
    """Has reads of this connection redirected to the primary again.

    Since 3.0.0, O(1)
    """
    service_of(session)
    session.flags &= ~FLAG_READONLY
    return OK


# -- What a node knows -----------------------------------------------------------------------------


@command("CLUSTER COUNT-FAILURE-REPORTS node-id:string", "admin stale", hints=VAGUE)
def count_failure_reports(session: Session, args: list[bytes]) -> int:
    """Counts the nodes that report a node as failing.

    Since 3.0.0, O(N), with N the number of reports
    """
    try:
        return service_of(session).member.count_failure_reports(text_of(args[2]))
    except ClusterError as error:
        raise refusal(error) from None


@command("CLUSTER COUNTKEYSINSLOT slot:integer", READING)
def count_keys_in_slot(session: Session, args: list[bytes]) -> int:
    """Counts the keys that this node has in a slot.

    Since 3.0.0, O(1)
    """
    service = service_of(session)
    slot = parse_int(args[2])
    if not 0 <= slot < SLOTS:
        raise Error("ERR Invalid slot")
    return service.count_keys(slot)


@command("CLUSTER GETKEYSINSLOT slot:integer count:integer", READING, hints=VAGUE)
def get_keys_in_slot(session: Session, args: list[bytes]) -> list[bytes]:
    """Lists keys that this node has in a slot.

    Since 3.0.0, O(N), with N the number of keys asked for
    """
    service = service_of(session)
    slot, count = parse_int(args[2]), parse_int(args[3])
    if not 0 <= slot < SLOTS or count < 0:
        raise Error("ERR Invalid slot or number of keys")
    return service.keys_in_slot(slot, count)


@command("CLUSTER INFO", READING, hints=VAGUE)
def info(session: Session, args: list[bytes]) -> Verbatim:
    """Tells how the cluster is, as this node sees it.

    Since 3.0.0, O(1)
    """
    return Verbatim(service_of(session).replies.info())


@command("CLUSTER KEYSLOT key:string", READING)
def key_slot(session: Session, args: list[bytes]) -> int:
    """Tells the slot that a key belongs to.

    Since 3.0.0, O(N), with N the length of the key
    """
    service_of(session)
    return hash_slot(args[2])


@command("CLUSTER LINKS", READING, hints=VAGUE)
def links(session: Session, args: list[bytes]) -> list:
    """Lists the connections to and from other nodes.

    Since 7.0.0, O(N), with N the number of nodes
    """
    return service_of(session).replies.links()


@command("CLUSTER MYID", READING)
def my_id(session: Session, args: list[bytes]) -> bytes:
    """Tells the ID of this node.

    Since 3.0.0, O(1)
    """
    return service_of(session).view.myself.id.encode()


@command("CLUSTER MYSHARDID", READING, hints=VAGUE)
def my_shard_id(session: Session, args: list[bytes]) -> bytes:
    """Tells the ID of the shard that this node is in.

    Since 7.2.0, O(1)
    """
    return service_of(session).view.myself.shard_id.encode()


@command("CLUSTER NODES", READING, hints=VAGUE)
def nodes(session: Session, args: list[bytes]) -> Verbatim:
    """Lists the nodes, in the form of their configuration file.

    Since 3.0.0, O(N), with N the number of nodes
    """
    return Verbatim(service_of(session).replies.nodes(session))


@command("CLUSTER REPLICAS node-id:string", "admin stale", hints=VAGUE)
def replicas(session: Session, args: list[bytes]) -> list[bytes]:
    """Lists the replicas of a primary.

    Since 5.0.0, O(N), with N the number of replicas
    """
    try:
        return service_of(session).replies.replicas(session, text_of(args[2]))
    except ClusterError as error:
        raise refusal(error) from None


@command("CLUSTER SLAVES node-id:string", "admin stale", hints=VAGUE)
def slaves(session: Session, args: list[bytes]) -> list[bytes]:
    """Lists the replicas of a primary.

    Since 3.0.0, O(N), with N the number of replicas
    Deprecated since 5.0.0: `CLUSTER REPLICAS`
    """
    return replicas(session, args)


@command("CLUSTER SHARDS", READING, hints=VAGUE)
def shards(session: Session, args: list[bytes]) -> list:
    """Lists the shards: their slots and their nodes.

    Since 7.0.0, O(N), with N the number of nodes
    """
    return service_of(session).replies.shards()


@command("CLUSTER SLOTS", READING, hints=VAGUE)
def slots(session: Session, args: list[bytes]) -> list:
    """Lists ranges of slots with their nodes.

    Since 3.0.0, O(N), with N the number of nodes
    4.0.0: The IDs of nodes came.
    7.0.0: More about networks came.
    Deprecated since 7.0.0: `CLUSTER SHARDS`
    """
    return service_of(session).replies.slots(session)


@command(
    "CLUSTER SLOT-STATS filter=<SLOTSRANGE slotsrange=(start-slot:integer end-slot:integer) | "
    "ORDERBY orderby=(metric:string [LIMIT limit:integer] [ASC | DESC])>",
    "loading stale",
    hints=(VAGUE, "request_policy:all_shards"),
    arity=-4,
)
def slot_stats(session: Session, args: list[bytes]) -> list:
    """Tells how much slots are used: keys, time, traffic, memory.

    Since 8.2.0, O(N), with N the number of slots; O(N log N) with ORDERBY
    """
    service = service_of(session)
    kind = args[2].lower()
    if kind == b"slotsrange" and len(args) == 5:
        first, last = slot_of_word(args[3]), slot_of_word(args[4])
        if first > last:
            raise Error(f"ERR Start slot number {first} is greater than end slot number {last}")
        return service.slot_stats.of_range(first, last)
    if kind == b"orderby":
        return service.slot_stats.in_order(args[3:])
    raise unknown_form(args)
