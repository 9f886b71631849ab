"""The configuration of the server, with what each directive means."""

from __future__ import annotations

from functools import cache
from typing import Any

from carnelian.engine.config.directives import TOPICS
from carnelian.tools.console.answers.json_values import BadRequestError, text_or_bytes
from carnelian.tools.console.answers.parameters import Parameters
from carnelian.tools.console.link.redis_link import RedisLink
from carnelian.tools.console.link.reply_stream import Reply

# Passwords go to no page.
SECRETS = frozenset(
    (
        "requirepass",
        "masterauth",
        "primaryauth",
        "tls-key-file-pass",
        "tls-client-key-file-pass",
    )
)

_CHANGES = (("immutable", "at start"), ("protected", "protected"))


def list_settings(link: RedisLink, wanted: Parameters) -> dict[str, Any]:
    """All directives with their values; of those that we know, what they say and may be.

    Other servers have directives of the same names and meanings, though defaults may differ: they
    are told for ours alone.
    """
    reply = link.call("CONFIG", "GET", "*")
    words = reply if isinstance(reply, list) else []
    # What no other Redis has is not among all, and has to be named.
    own = link.attempt("CONFIG", "GET", *_hidden())
    words = words + (own if isinstance(own, list) else [])
    ours = "carnelian_version" in _text(link.attempt("INFO", "server"))
    settings = []
    for name, value in zip(words[::2], words[1::2], strict=True):
        if not isinstance(name, bytes) or not isinstance(value, bytes):
            continue
        setting = {"name": _text(name), **described().get(_text(name), {"topic": "Others"})}
        if not ours:
            setting.pop("default", None)
        if setting["name"] in SECRETS:
            setting.update(secret=True, value="", set=bool(value))
        else:
            setting["value"] = text_or_bytes(value)
        settings.append(setting)
    return {"settings": settings, "file": bool(ours)}


@cache
def _hidden() -> tuple[str, ...]:
    return tuple(
        directive.name
        for topic in TOPICS
        for directive in topic.directives
        if "hidden" in directive.flags and "debug" not in directive.flags
    )


@cache
def described() -> dict[str, dict[str, Any]]:
    """What we know of directives, by their names and by their older ones."""
    found = {}
    for topic in TOPICS:
        for directive in topic.directives:
            change = next((word for flag, word in _CHANGES if flag in directive.flags), "any time")
            facts = {
                "topic": topic.title,
                "summary": directive.summary,
                "form": directive.form,
                "default": directive.format(directive.default).decode(errors="replace"),
                "change": change,
                "words": list(getattr(directive, "words", ())),
            }
            found[directive.name] = facts
            if directive.alias is not None:
                found[directive.alias] = {**facts, "alias": directive.name}
    return found


def change_setting(link: RedisLink, wanted: Parameters) -> dict[str, Any]:
    """Set ``name`` to ``value``, and return the value that it has then."""
    name = wanted.text("name")
    if not name or any(c in "*?[" for c in name):
        raise BadRequestError("name has to be that of a directive.")
    link.call("CONFIG", "SET", name, wanted.data("value"))
    if name in SECRETS:
        return {"value": ""}
    reply = link.attempt("CONFIG", "GET", name)
    return {"value": _text(reply[1]) if isinstance(reply, list) and len(reply) == 2 else ""}


def act_on_settings(link: RedisLink, wanted: Parameters) -> dict[str, Any]:
    """``rewrite`` the configuration file, or ``resetstat``: begin all counters anew."""
    link.call("CONFIG", wanted.choice("act", "rewrite", "resetstat").upper())
    return {}


def _text(reply: Reply) -> str:
    return reply.decode(errors="replace") if isinstance(reply, bytes) else ""
