"""The command line: what somebody types, as it would be typed to redis-cli."""

from __future__ import annotations

import time
from typing import Any

from carnelian.resp.client.reply_values import Refusal, Simple
from carnelian.resp.quoting import split_arguments
from carnelian.tools.console.answers.json_values import BadRequestError, ReplyView
from carnelian.tools.console.answers.parameters import Parameters
from carnelian.tools.console.link.redis_link import RedisLink
from carnelian.tools.console.link.reply_stream import Reply
from carnelian.tools.console.link.typed_links import TypedLinks

# What would make something else of the connection, and where the same is to be had.
_ELSEWHERE = {
    b"SUBSCRIBE": "The Messages page listens to channels.",
    b"PSUBSCRIBE": "The Messages page listens to channels.",
    b"SSUBSCRIBE": "The Messages page listens to channels.",
    b"UNSUBSCRIBE": "The Messages page listens to channels.",
    b"PUNSUBSCRIBE": "The Messages page listens to channels.",
    b"SUNSUBSCRIBE": "The Messages page listens to channels.",
    b"MONITOR": "The Messages page shows commands as they come.",
    b"SYNC": "The console is no replica.",
    b"PSYNC": "The console is no replica.",
    b"HELLO": "The console speaks RESP2.",
    b"AUTH": "Log out, and log in as somebody else.",
    b"RESET": "Reload the page to begin again.",
    b"QUIT": "Log out to leave.",
}
_CLIENT_ELSEWHERE = {b"REPLY", b"TRACKING"}


def run_typed(links: TypedLinks, wanted: Parameters) -> dict[str, Any]:
    """The reply to ``line``, with the time that it took, and the database that is selected then.

    In a cluster, the node that has the key is ``node`` if it is not the one that is looked at.
    """
    try:
        words = split_arguments(wanted.text("line").encode())
    except UnicodeEncodeError:
        raise BadRequestError("The line is no text.") from None
    if words is None:
        raise BadRequestError("Invalid argument(s): a quote has no end.")
    if not words:
        raise BadRequestError("There is no command.")
    name = words[0].upper()
    elsewhere = _ELSEWHERE.get(name, "")
    if name == b"CLIENT" and len(words) > 1 and words[1].upper() in _CLIENT_ELSEWHERE:
        elsewhere = "It would leave this connection without replies."
    if elsewhere:
        raise BadRequestError(f"{name.decode()} cannot be typed here. {elsewhere}")
    with links.link_for(words) as typed:
        link = typed.link
        began = time.perf_counter()
        reply = typed.run(words)
        took = time.perf_counter() - began
        _note_database(link, words, reply)
        view = ReplyView()
        shown = view.show(reply)
        return {
            "reply": shown,
            "cut": view.cut,
            "ms": round(took * 1e3, 2),
            "db": link.database,
            "node": None if typed.asked == links.address else typed.asked.shown,
        }


def _note_database(link: RedisLink, words: list[bytes], reply: Reply) -> None:
    """Keep in mind which database is selected; in a transaction only EXEC selects it."""
    name = words[0].upper()
    chosen = int(words[1]) if name == b"SELECT" and len(words) == 2 and words[1].isdigit() else None
    if name == b"EXEC" and isinstance(reply, list):
        for queued, done in zip(link.queued, reply, strict=False):
            if queued is not None and isinstance(done, Simple):
                link.database = queued
    if name in (b"MULTI", b"EXEC", b"DISCARD"):
        link.queued = []
    elif isinstance(reply, Simple) and reply == b"QUEUED":
        link.queued.append(chosen)
    elif chosen is not None and isinstance(reply, Simple):
        link.database = chosen


def list_commands(link: RedisLink, wanted: Parameters) -> dict[str, Any]:
    """The names of all commands that the server knows."""
    reply = link.attempt("COMMAND", "LIST")
    if not isinstance(reply, list):
        # Servers before 7.0 tell all of each command.
        reply = [facts[0] for facts in _lists(link.attempt("COMMAND"))]
    names = sorted(_text(name).upper().replace("|", " ") for name in reply)
    return {"commands": names}


def describe_command(link: RedisLink, wanted: Parameters) -> dict[str, Any]:
    """What COMMAND DOCS says of a command: a summary, and how its arguments are written."""
    name = wanted.text("name")
    reply = link.attempt("COMMAND", "DOCS", "|".join(name.split()[:2]))
    if not isinstance(reply, list) or len(reply) < 2:
        return {}
    facts = _named(reply[1])
    arguments = " ".join(map(_syntax, _lists(facts.get("arguments"))))
    return {
        "name": name.upper(),
        "arguments": arguments,
        "summary": _text(facts.get("summary")),
        "since": _text(facts.get("since")),
        "complexity": _text(facts.get("complexity")),
        "subcommands": [
            _text(word).upper().replace("|", " ")
            for word in (facts["subcommands"][::2] if _is_list(facts.get("subcommands")) else [])
        ],
    }


def _syntax(argument: Reply) -> str:
    """An argument as manuals write it."""
    facts = _named(argument)
    kind, token = _text(facts.get("type")), _text(facts.get("token"))
    parts = [_syntax(part) for part in _lists(facts.get("arguments"))]
    text = _text(facts.get("display_text")) or _text(facts.get("name"))
    if kind == "oneof":
        text = " | ".join(parts)
    elif kind == "block":
        text = " ".join(parts)
    elif kind == "pure-token":
        text = ""
    flags = {_text(flag) for flag in (facts["flags"] if _is_list(facts.get("flags")) else [])}
    if "multiple" in flags:
        repeated = f"{token} {text}" if "multiple_token" in flags else text
        text = f"{text} [{repeated} ...]"
    written = " ".join(filter(None, (token, text)))
    if "optional" in flags:
        return f"[{written}]"
    return f"<{written}>" if kind == "oneof" else written


def _named(reply: Reply) -> dict[str, Any]:
    words = reply if isinstance(reply, list) else []
    return {_text(name): value for name, value in zip(words[::2], words[1::2], strict=False)}


def _lists(reply: Reply) -> list[list[Reply]]:
    return [item for item in reply if isinstance(item, list)] if isinstance(reply, list) else []


def _is_list(reply: Reply) -> bool:
    return isinstance(reply, list)


def _text(reply: Reply) -> str:
    if isinstance(reply, bytes) and not isinstance(reply, Refusal):
        return reply.decode(errors="replace")
    return ""
