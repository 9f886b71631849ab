"""CLUSTER, READONLY, READWRITE and ASKING on a server that is no node of a cluster.

All of them are known and refuse, which is how clients find out that there is none.
"""

from __future__ import annotations

from carnelian.engine.declaring import command
from carnelian.engine.help import container
from carnelian.engine.session import Session
from carnelian.resp.replies import Error

# Flags that go together.
_READING = "stale"
_CHANGING = "admin stale no_async_loading"

_VAGUE = "nondeterministic_output"
_SLOTS = "range=(start-slot:integer end-slot:integer)"


def _refuse(session: Session, args: list[bytes]) -> object:
    raise Error("ERR This instance has cluster support disabled")


def _declare(
    name: str,
    arity: int,
    flags: str,
    summary: str,
    arguments: str = "",
    *,
    since: str = "3.0.0",
    complexity: str = "O(1)",
    hints: str | tuple[str, ...] = (),
    history: tuple[tuple[str, str], ...] = (),
    replacement: tuple[str, str] | None = None,
    categories: str = "",
) -> None:
    lines = [summary, "", f"Since {since}, {complexity}"]
    lines += [f"{version}: {change}" for version, change in history]
    if replacement is not None:
        lines.append(f"Deprecated since {replacement[0]}: {replacement[1]}")
    command(
        name,
        flags,
        arity=arity,
        arguments=arguments,
        group="cluster",
        categories=categories,
        hints=hints,
        docstring="\n".join(lines),
    )(_refuse)


# -- How a connection goes about slots -------------------------------------------------------------

_declare(
    "ASKING", 1, "fast",
    "Lets the next command at a slot that is being imported, after a redirection.",
    categories="connection",
)  # fmt: skip
_declare(
    "READONLY", 1, "fast loading stale",
    "Has a replica answer reads of this connection by itself.",
    categories="connection",
)  # fmt: skip
_declare(
    "READWRITE", 1, "fast loading stale",
    "Has reads of this connection redirected to the primary again.",
    categories="connection",
)  # fmt: skip

# -- What a node knows -----------------------------------------------------------------------------

container(
    "CLUSTER",
    group="cluster",
    since="3.0.0",
    summary="Tells about nodes and slots of a cluster, and changes them.",
)
_declare(
    "CLUSTER HELP", 2, "loading stale", "Shows this list of subcommands.", since="5.0.0"
)  # fmt: skip
_declare(
    "CLUSTER COUNT-FAILURE-REPORTS", 3, "admin stale",
    "Counts the nodes that report a node as failing.",
    "node-id:string",
    complexity="O(N), with N the number of reports",
    hints=_VAGUE,
)  # fmt: skip
_declare(
    "CLUSTER COUNTKEYSINSLOT", 3, _READING,
    "Counts the keys that this node has in a slot.",
    "slot:integer",
)  # fmt: skip
_declare(
    "CLUSTER GETKEYSINSLOT", 4, _READING,
    "Lists keys that this node has in a slot.",
    "slot:integer count:integer",
    complexity="O(N), with N the number of keys asked for",
    hints=_VAGUE,
)  # fmt: skip
_declare(
    "CLUSTER INFO", 2, _READING,
    "Tells how the cluster is, as this node sees it.",
    hints=_VAGUE,
)  # fmt: skip
_declare(
    "CLUSTER KEYSLOT", 3, _READING,
    "Tells the slot that a key belongs to.",
    "key:string",
    complexity="O(N), with N the length of the key",
)  # fmt: skip
_declare(
    "CLUSTER LINKS", 2, _READING,
    "Lists the connections to and from other nodes.",
    since="7.0.0",
    complexity="O(N), with N the number of nodes",
    hints=_VAGUE,
)  # fmt: skip
_declare("CLUSTER MYID", 2, _READING, "Tells the ID of this node.")
_declare(
    "CLUSTER MYSHARDID", 2, _READING,
    "Tells the ID of the shard that this node is in.",
    since="7.2.0",
    hints=_VAGUE,
)  # fmt: skip
_declare(
    "CLUSTER NODES", 2, _READING,
    "Lists the nodes, in the form of their configuration file.",
    complexity="O(N), with N the number of nodes",
    hints=_VAGUE,
)  # fmt: skip
_declare(
    "CLUSTER REPLICAS", 3, "admin stale",
    "Lists the replicas of a primary.",
    "node-id:string",
    since="5.0.0",
    complexity="O(N), with N the number of replicas",
    hints=_VAGUE,
)  # fmt: skip
_declare(
    "CLUSTER SHARDS", 2, _READING,
    "Lists the shards: their slots and their nodes.",
    since="7.0.0",
    complexity="O(N), with N the number of nodes",
    hints=_VAGUE,
)  # fmt: skip
_declare(
    "CLUSTER SLAVES", 3, "admin stale",
    "Lists the replicas of a primary.",
    "node-id:string",
    complexity="O(N), with N the number of replicas",
    hints=_VAGUE,
    replacement=("5.0.0", "`CLUSTER REPLICAS`"),
)  # fmt: skip
_declare(
    "CLUSTER SLOT-STATS", -4, "loading stale",
    "Tells how much slots are used: keys, time, traffic, memory.",
    "filter=<SLOTSRANGE slotsrange=(start-slot:integer end-slot:integer) | ORDERBY "
    "orderby=(metric:string [LIMIT limit:integer] [ASC | DESC])>",
    since="8.2.0",
    complexity="O(N), with N the number of slots; O(N log N) with ORDERBY",
    hints=(_VAGUE, "request_policy:all_shards"),
)  # fmt: skip
_declare(
    "CLUSTER SLOTS", 2, _READING,
    "Lists ranges of slots with their nodes.",
    complexity="O(N), with N the number of nodes",
    hints=_VAGUE,
    history=(("4.0.0", "The IDs of nodes came."), ("7.0.0", "More about networks came.")),
    replacement=("7.0.0", "`CLUSTER SHARDS`"),
)  # fmt: skip

# -- What changes it -------------------------------------------------------------------------------

_declare(
    "CLUSTER ADDSLOTS", -3, _CHANGING,
    "Makes this node serve slots.",
    "slot:integer ...",
    complexity="O(N), with N the number of slots",
)  # fmt: skip
_declare(
    "CLUSTER ADDSLOTSRANGE", -4, _CHANGING,
    "Makes this node serve ranges of slots.",
    f"{_SLOTS} ...",
    since="7.0.0",
    complexity="O(N), with N the number of slots",
)  # fmt: skip
_declare(
    "CLUSTER BUMPEPOCH", 2, _CHANGING,
    "Takes the next epoch of the configuration.",
    hints=_VAGUE,
)  # fmt: skip
_declare(
    "CLUSTER DELSLOTS", -3, _CHANGING,
    "Makes this node know no owner of slots.",
    "slot:integer ...",
    complexity="O(N), with N the number of slots",
)  # fmt: skip
_declare(
    "CLUSTER DELSLOTSRANGE", -4, _CHANGING,
    "Makes this node know no owner of ranges of slots.",
    f"{_SLOTS} ...",
    since="7.0.0",
    complexity="O(N), with N the number of slots",
)  # fmt: skip
_declare(
    "CLUSTER FAILOVER", -2, _CHANGING,
    "Makes a replica take the place of its primary.",
    "[options=<FORCE | TAKEOVER>]",
)  # fmt: skip
_declare("CLUSTER FLUSHSLOTS", 2, _CHANGING, "Forgets the slots of this node.")
_declare(
    "CLUSTER FORGET", 3, _CHANGING,
    "Removes a node from those that are known.",
    "node-id:string",
)  # fmt: skip
_declare(
    "CLUSTER MEET", -4, _CHANGING,
    "Makes this node and another know each other.",
    "ip:string port:integer [cluster-bus-port:integer@4.0.0]",
    history=(("4.0.0", "The port of the bus can be given."),),
)  # fmt: skip
_declare(
    "CLUSTER MIGRATION", -4, _CHANGING,
    "Begins, calls off or shows the migration of slots to this node.",
    f"subcommand=<IMPORT {_SLOTS} ... | CANCEL cancel=<ID task-id:string | ALL> | "
    "STATUS status=<ID task-id:string | ALL>>",
    since="8.4.0",
    complexity="O(N), with N the number of slots",
)  # fmt: skip
_declare(
    "CLUSTER REPLICATE", 3, _CHANGING,
    "Makes this node a replica of another.",
    "node-id:string",
)  # fmt: skip
_declare(
    "CLUSTER RESET", -2, "admin noscript stale",
    "Makes this node forget the cluster.",
    "[reset-type=<HARD | SOFT>]",
    complexity="O(N), with N the number of nodes, and that of a FLUSHALL",
)  # fmt: skip
_declare("CLUSTER SAVECONFIG", 2, _CHANGING, "Writes the configuration file of this node.")
_declare(
    "CLUSTER SET-CONFIG-EPOCH", 3, _CHANGING,
    "Gives a new node its epoch of the configuration.",
    "config-epoch:integer",
)  # fmt: skip
_declare(
    "CLUSTER SETSLOT", -4, _CHANGING,
    "Says where a slot goes, comes from or belongs.",
    "slot:integer subcommand=<IMPORTING node-id:string | MIGRATING node-id:string | "
    "NODE node-id:string | STABLE>",
)  # fmt: skip
