"""The server as its pages show it: slow log, latency events, clients, replication, cluster."""

from __future__ import annotations

from typing import Any

from carnelian.tools.console.answers.info_text import parse_facts, parse_info
from carnelian.tools.console.answers.json_values import BadRequestError, shortened
from carnelian.tools.console.answers.parameters import Parameters
from carnelian.tools.console.link.link_errors import RefusedError
from carnelian.tools.console.link.redis_link import RedisLink
from carnelian.tools.console.link.reply_stream import Reply
from carnelian.tools.fleet.wire.cluster_seen import SeenNode, parse_nodes

_MOST_SLOW = 128
_MOST_WORDS_SHOWN = 32
_LONGEST_WORD = 256
_MOST_CLIENTS = 1000
_MOST_CHANNELS = 500


def about_server(link: RedisLink, wanted: Parameters) -> dict[str, Any]:
    """What is told at the head of every page: kind, version, role, and who one is."""
    reply = link.attempt("INFO", "server")
    info = parse_info(_text(reply))
    # Servers before 6.0 have no users.
    user = _text(link.attempt("ACL", "WHOAMI"))
    return {
        "address": link.address.shown,
        "user": user or link.credentials.username,
        "name": info.get("server_name", "valkey" if "valkey_version" in info else "redis"),
        "version": info.get("carnelian_version")
        or info.get("valkey_version")
        or info.get("redis_version", ""),
        "redis_version": info.get("redis_version", ""),
        "mode": info.get("redis_mode", "standalone"),
    }


# -- Slow log --------------------------------------------------------------------------------------


def slow_log(link: RedisLink, wanted: Parameters) -> dict[str, Any]:
    """The slowest commands, newest first; and the events that the latency monitor has seen."""
    reply = link.call("SLOWLOG", "GET", wanted.number("count", _MOST_SLOW, 1, 10_000))
    entries = []
    for entry in reply if isinstance(reply, list) else []:
        assert isinstance(entry, list)
        words = entry[3] if isinstance(entry[3], list) else []
        entries.append(
            {
                "id": entry[0],
                "time": entry[1],
                "usec": entry[2],
                "words": [
                    shortened(word, _LONGEST_WORD)
                    for word in words[:_MOST_WORDS_SHOWN]
                    if isinstance(word, bytes)
                ],
                "client": _text(entry[4]) if len(entry) > 4 else "",
                "name": _text(entry[5]) if len(entry) > 5 else "",
            }
        )
    events = link.attempt("LATENCY", "LATEST")
    settings = link.attempt("CONFIG", "GET", "slowlog-log-slower-than")
    threshold = link.attempt("CONFIG", "GET", "latency-monitor-threshold")
    return {
        "entries": entries,
        "length": link.attempt("SLOWLOG", "LEN"),
        "threshold": _second(settings),
        "monitor": _second(threshold),
        "events": [
            {"name": _text(event[0]), "time": event[1], "latest": event[2], "most": event[3]}
            for event in (events if isinstance(events, list) else [])
            if isinstance(event, list)
        ],
    }


def clear_slow_log(link: RedisLink, wanted: Parameters) -> dict[str, Any]:
    """Forget what is in the slow log, or with ``events`` what the latency monitor has seen."""
    if wanted.flag("events"):
        link.call("LATENCY", "RESET")
    else:
        link.call("SLOWLOG", "RESET")
    return {}


# -- Clients ---------------------------------------------------------------------------------------


def list_clients(link: RedisLink, wanted: Parameters) -> dict[str, Any]:
    """The connections, each with the facts of CLIENT LIST; the one that asks is ``own``."""
    text = _text(link.call("CLIENT", "LIST"))
    own = link.attempt("CLIENT", "ID")
    lines = text.splitlines()
    clients = [_client(line) for line in lines[:_MOST_CLIENTS]]
    return {"clients": clients, "count": len(lines), "own": str(own)}


def _client(line: str) -> dict[str, str]:
    return dict(word.partition("=")[::2] for word in line.split(" ") if "=" in word)


def kill_client(link: RedisLink, wanted: Parameters) -> dict[str, Any]:
    """Close the connection of an ``id``; ``killed`` is 0 if it was gone already."""
    return {"killed": link.call("CLIENT", "KILL", "ID", wanted.number("id", None, 1, 2**53))}


def list_channels(link: RedisLink, wanted: Parameters) -> dict[str, Any]:
    """Channels that somebody listens to, with how many do."""
    reply = link.call("PUBSUB", "CHANNELS")
    channels = (
        [name for name in reply if isinstance(name, bytes)] if isinstance(reply, list) else []
    )
    chosen = sorted(channels)[:_MOST_CHANNELS]
    counts = link.call("PUBSUB", "NUMSUB", *chosen) if chosen else []
    numbers = counts[1::2] if isinstance(counts, list) else []
    return {
        "channels": [
            [shortened(name, _LONGEST_WORD), number]
            for name, number in zip(chosen, numbers, strict=True)
        ],
        "count": len(channels),
        "patterns": link.attempt("PUBSUB", "NUMPAT"),
    }


def publish(link: RedisLink, wanted: Parameters) -> dict[str, Any]:
    """Send ``message`` to ``channel``; ``receivers`` is how many have got it."""
    command = "SPUBLISH" if wanted.flag("sharded") else "PUBLISH"
    return {"receivers": link.call(command, wanted.data("channel"), wanted.data("message"))}


# -- Replication and cluster -----------------------------------------------------------------------


def replication_map(link: RedisLink, wanted: Parameters) -> dict[str, Any]:
    """This node, whom it follows, and who follows it."""
    info = parse_info(_text(link.call("INFO", "replication")))
    replicas = []
    for name, value in info.items():
        if name.startswith("slave") and name[5:].isdigit():
            facts = parse_facts(value)
            replicas.append(
                {
                    "address": f"{facts.get('ip', '')}:{facts.get('port', '')}",
                    "state": facts.get("state", ""),
                    "offset": _whole(facts.get("offset")),
                    "lag": _whole(facts.get("lag")),
                }
            )
    role = info.get("role", "")
    follower = role == "slave"
    return {
        "role": "replica" if follower else "primary",
        "address": link.address.shown,
        "offset": _whole(info.get("slave_repl_offset" if follower else "master_repl_offset")),
        "primary": {
            "address": f"{info.get('master_host')}:{info.get('master_port')}",
            "link": info.get("master_link_status", ""),
            "silence": _whole(info.get("master_last_io_seconds_ago")),
            "syncing": info.get("master_sync_in_progress") == "1",
        }
        if follower
        else None,
        "replicas": replicas,
        "id": info.get("master_replid", ""),
        "backlog": _whole(info.get("repl_backlog_size")),
    }


def cluster_map(link: RedisLink, wanted: Parameters) -> dict[str, Any]:
    """The nodes of the cluster with their slots, as this node sees them; ``nodes`` is null of none.

    ``slots`` are pairs of the first and the last of a range.
    """
    try:
        text = _text(link.call("CLUSTER", "NODES"))
    except RefusedError as error:
        if "cluster support disabled" in str(error) or "unknown command" in str(error):
            return {"nodes": None}
        raise
    own = next((line.split()[0] for line in text.splitlines() if "myself" in line), "")
    info = parse_info(_text(link.attempt("CLUSTER", "INFO")))
    nodes = [_node(node, own) for node in parse_nodes(text)]
    return {"nodes": nodes, "state": info.get("cluster_state", ""), "info": info}


def _node(node: SeenNode, own: str) -> dict[str, Any]:
    return {
        "id": node.id,
        "address": f"{node.host}:{node.port}",
        "role": "primary" if node.is_primary else "replica",
        "primary": node.primary_id,
        "state": "failing" if node.failing else "connected" if node.linked else "disconnected",
        "epoch": node.epoch,
        "own": node.id == own,
        "slots": ranges(node.slots),
        "count": len(node.slots),
        "open": [[slot.slot, slot.kind, slot.other] for slot in node.open],
    }


def ranges(numbers: set[int]) -> list[list[int]]:
    """Pairs of the first and the last of each run of numbers."""
    found: list[list[int]] = []
    for value in sorted(numbers):
        if found and found[-1][1] == value - 1:
            found[-1][1] = value
        else:
            found.append([value, value])
    return found


def find_slot(link: RedisLink, wanted: Parameters) -> dict[str, Any]:
    """The slot of ``key``, and how many keys this node has in it."""
    slot = link.call("CLUSTER", "KEYSLOT", wanted.data("key"))
    if not isinstance(slot, int):
        raise BadRequestError("The server has told no slot.")
    return {"slot": slot, "keys": link.attempt("CLUSTER", "COUNTKEYSINSLOT", slot)}


def _text(reply: Reply) -> str:
    return reply.decode(errors="replace") if isinstance(reply, bytes) else ""


def _second(reply: Reply) -> str | None:
    return _text(reply[1]) if isinstance(reply, list) and len(reply) == 2 else None


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.lstrip("-").isdigit() else None
