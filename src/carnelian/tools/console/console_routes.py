"""What the console answers, by method and path."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator
from email.message import Message
from typing import Any, NamedTuple

from carnelian.tools.console.access.browser_sessions import BrowserSession
from carnelian.tools.console.answers import (
    key_search,
    server_settings,
    server_views,
    taps,
    typed_commands,
    value_editing,
    value_reading,
)
from carnelian.tools.console.answers.json_values import BadRequestError
from carnelian.tools.console.answers.parameters import Parameters
from carnelian.tools.console.link.redis_link import RedisLink
from carnelian.tools.console.link.server_address import Credentials

JSON = "application/json; charset=utf-8"
LINES = "application/x-ndjson; charset=utf-8"
TEXT = "text/plain; charset=utf-8"


class Request(NamedTuple):
    """A request as far as it concerns what is answered."""

    path: str
    headers: Message
    body: bytes
    address: str

    def parameters(self) -> Parameters:
        """The body, which has to be a JSON object. Raises BadRequestError."""
        try:
            return Parameters(json.loads(self.body or b"{}"))
        except (ValueError, RecursionError):
            raise BadRequestError("The body is no JSON.") from None

    def basic_credentials(self) -> Credentials | None:
        """The user of Basic authentication; None if there is none. Raises BadRequestError."""
        kind, _, coded = self.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "basic":
            return None
        try:
            name, found, password = base64.b64decode(coded, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            raise BadRequestError("The Authorization header cannot be read.") from None
        if not found:
            raise BadRequestError("The Authorization header has no password.")
        return Credentials(name or "default", password)


class Answer(NamedTuple):
    """What is sent: a body, or the lines of one that has no end yet."""

    status: int
    body: bytes
    kind: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    lines: Iterator[bytes] | None = None


def as_json(value: Any, status: int = 200, *headers: tuple[str, str]) -> Answer:
    """An answer in JSON."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # What is no text after all, such as half a pair of surrogates, is escaped.
    return Answer(status, text.encode("utf-8", "backslashreplace"), JSON, headers)


def refusal(status: int, text: str, *headers: tuple[str, str]) -> Answer:
    """An answer that says what is wrong."""
    return as_json({"error": text}, status, *headers)


View = Callable[[RedisLink, Parameters], dict[str, Any]]

# What pages may ask for, and whether it changes something: all are POST with a token all the same.
VIEWS: dict[str, View] = {
    "/api/about": server_views.about_server,
    "/api/keys": key_search.list_keys,
    "/api/databases": key_search.list_databases,
    "/api/value": value_reading.read_value,
    "/api/element": value_reading.read_element,
    "/api/edit": value_editing.edit_value,
    "/api/slow": server_views.slow_log,
    "/api/slow/clear": server_views.clear_slow_log,
    "/api/clients": server_views.list_clients,
    "/api/clients/kill": server_views.kill_client,
    "/api/channels": server_views.list_channels,
    "/api/publish": server_views.publish,
    "/api/replication": server_views.replication_map,
    "/api/cluster": server_views.cluster_map,
    "/api/slot": server_views.find_slot,
    "/api/settings": server_settings.list_settings,
    "/api/settings/set": server_settings.change_setting,
    "/api/settings/act": server_settings.act_on_settings,
    "/api/commands": typed_commands.list_commands,
    "/api/commands/describe": typed_commands.describe_command,
}


def answer_page(session: BrowserSession, request: Request) -> Answer | None:
    """The answer to a page of somebody who is logged in; None if there is nothing at the path.

    Raises what the views raise.
    """
    view = VIEWS.get(request.path)
    if view is not None:
        return as_json(_view(session, view, request.parameters()))
    if request.path == "/api/keys/delete":
        wanted = request.parameters()
        return as_json(value_editing.delete_keys(session.pages, wanted, session.nodes))
    if request.path == "/api/figures":
        since = request.parameters().number("since", 0, 0, 2**53)
        return as_json(session.figures.since(since))
    if request.path == "/api/typed":
        return as_json(typed_commands.run_typed(session.typed, request.parameters()))
    if request.path == "/api/tap":
        return _tap(session, request.parameters())
    return None


def _view(session: BrowserSession, view: View, wanted: Parameters) -> dict[str, Any]:
    """What a view makes of the server, or of the node of its cluster that has the key."""
    return session.nodes.answer(session.pages, lambda link: view(link, wanted))


def _tap(session: BrowserSession, wanted: Parameters) -> Answer:
    if not session.taps.acquire(blocking=False):
        return refusal(429, "There are taps open already: close one first.")
    link = session.tap()
    try:
        batches = taps.open_tap(link, wanted)
        lines = _lines(session, link, batches)
        # What has not begun would not clean up if the browser has gone by now.
        next(lines)
        return Answer(200, b"", LINES, (), lines)
    except BaseException:
        link.close()
        session.taps.release()
        raise


def _lines(session: BrowserSession, link: RedisLink, batches: taps.Lines) -> Iterator[bytes]:
    """The batches of a tap as lines; whoever stops reading has the tap closed."""
    try:
        yield b""
        for batch in batches:
            yield json.dumps(batch, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
    finally:
        link.close()
        session.taps.release()
