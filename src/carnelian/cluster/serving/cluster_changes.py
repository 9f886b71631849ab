"""CLUSTER as far as it changes something: nodes, slots, roles and epochs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from carnelian.cluster.known.cluster_errors import ClusterError
from carnelian.cluster.serving.cluster_commands import (
    VAGUE,
    refusal,
    service_of,
    slot_of_word,
    text_of,
    unknown_form,
)
from carnelian.engine.catalogue.registry import wrong_arity
from carnelian.engine.declaring import command
from carnelian.engine.session import Session
from carnelian.resp.numbers import parse_int
from carnelian.resp.replies import OK, SYNTAX_ERROR, Error, Status

if TYPE_CHECKING:
    from carnelian.cluster.serving.cluster_service import ClusterService

GROUP = "cluster"

_CHANGING = "admin stale no_async_loading"
# What SETSLOT does with a slot, and the words that it takes for each.
_SETSLOT_WORDS = {b"stable": 4, b"migrating": 5, b"importing": 5, b"node": 5}
_RANGES = "range=(start-slot:integer end-slot:integer) ..."


@contextmanager
def _changing(session: Session) -> Iterator[ClusterService]:
    """A change by an administrator: what it comes to is heeded before the next command."""
    service = service_of(session)
    try:
        yield service
    except ClusterError as error:
        raise refusal(error) from None
    finally:
        service.changed()


# -- Slots -----------------------------------------------------------------------------------------


@command("CLUSTER ADDSLOTS slot:integer ...", _CHANGING)
def add_slots(session: Session, args: list[bytes]) -> object:
    """Makes this node serve slots.

    Since 3.0.0, O(N), with N the number of slots
    """
    with _changing(session) as service:
        service.member.add_slots([slot_of_word(word) for word in args[2:]])
    return OK


@command(f"CLUSTER ADDSLOTSRANGE {_RANGES}", _CHANGING)
def add_slots_range(session: Session, args: list[bytes]) -> object:
    """Makes this node serve ranges of slots.

    Since 7.0.0, O(N), with N the number of slots
    """
    return _for_ranges(session, args, lambda service, slots: service.member.add_slots(slots))


@command("CLUSTER DELSLOTS slot:integer ...", _CHANGING)
def del_slots(session: Session, args: list[bytes]) -> object:
    """Makes this node know no owner of slots.

    Since 3.0.0, O(N), with N the number of slots
    """
    with _changing(session) as service:
        service.member.del_slots([slot_of_word(word) for word in args[2:]])
    return OK


@command(f"CLUSTER DELSLOTSRANGE {_RANGES}", _CHANGING)
def del_slots_range(session: Session, args: list[bytes]) -> object:
    """Makes this node know no owner of ranges of slots.

    Since 7.0.0, O(N), with N the number of slots
    """
    return _for_ranges(session, args, lambda service, slots: service.member.del_slots(slots))


def _for_ranges(
    session: Session, args: list[bytes], change: Callable[[ClusterService, Iterable[int]], None]
) -> object:
    with _changing(session) as service:
        if len(args) % 2:
            command = session.engine.registry.lookup(args)
            assert command is not None
            raise wrong_arity(command)
        change(service, _slots_in_ranges(args))
    return OK


def _slots_in_ranges(args: list[bytes]) -> Iterator[int]:
    # One after the other: of several faults, that of the first range is told.
    for at in range(2, len(args), 2):
        first, last = slot_of_word(args[at]), slot_of_word(args[at + 1])
        if first > last:
            raise Error(f"ERR start slot number {first} is greater than end slot number {last}")
        yield from range(first, last + 1)


@command("CLUSTER FLUSHSLOTS", _CHANGING)
def flush_slots(session: Session, args: list[bytes]) -> object:
    """Forgets the slots of this node.

    Since 3.0.0, O(1)
    """
    with _changing(session) as service:
        service.member.flush_slots()
    return OK


@command(
    "CLUSTER SETSLOT slot:integer subcommand=<IMPORTING node-id:string | MIGRATING node-id:string "
    "| NODE node-id:string | STABLE>",
    _CHANGING,
    arity=-4,
)
def set_slot(session: Session, args: list[bytes]) -> object:
    """Says where a slot goes, comes from or belongs.

    Since 3.0.0, O(1)
    """
    service = service_of(session)
    if service.is_replica:
        raise Error("ERR Please use SETSLOT only with masters.")
    slot, action = slot_of_word(args[2]), args[3].lower()
    try:
        service.mover.check_setslot(slot)
        if _SETSLOT_WORDS.get(action) != len(args):
            raise Error(
                "ERR Invalid CLUSTER SETSLOT action or number of arguments. Try CLUSTER HELP"
            )
        change = getattr(service.member, f"set_slot_{action.decode()}")
        change(slot, *map(text_of, args[4:]))
    except ClusterError as error:
        raise refusal(error) from None
    # Tools move thousands of slots one by one: the others stay as they are.
    service.slot_changed(slot)
    if service.is_replica:
        service.changed()
    return OK


# -- Nodes and roles -------------------------------------------------------------------------------


@command("CLUSTER MEET ip:string port:integer [cluster-bus-port:integer@4.0.0]", _CHANGING)
def meet(session: Session, args: list[bytes]) -> object:
    """Makes this node and another know each other.

    Since 3.0.0, O(1)
    4.0.0: The port of the bus can be given.
    """
    with _changing(session) as service:
        if len(args) > 5:
            raise unknown_form(args)
        port = _port(args[3], "base")
        bus_port = _port(args[4], "bus") if len(args) == 5 else None
        service.member.meet(text_of(args[2]), port, bus_port)
    return OK


def _port(word: bytes, kind: str) -> int:
    try:
        return parse_int(word)
    except Error:
        raise Error(f"ERR Invalid {kind} port specified: {text_of(word)}") from None


@command("CLUSTER FORGET node-id:string", _CHANGING)
def forget(session: Session, args: list[bytes]) -> object:
    """Removes a node from those that are known.

    Since 3.0.0, O(1)
    """
    with _changing(session) as service:
        service.member.forget(text_of(args[2]))
    return OK


@command("CLUSTER REPLICATE node-id:string", _CHANGING)
def replicate(session: Session, args: list[bytes]) -> object:
    """Makes this node a replica of another.

    Since 3.0.0, O(1)
    """
    with _changing(session) as service:
        service.member.replicate(text_of(args[2]))
    return OK


@command("CLUSTER FAILOVER [options=<FORCE | TAKEOVER>]", _CHANGING)
def failover(session: Session, args: list[bytes]) -> object:
    """Makes a replica take the place of its primary.

    Since 3.0.0, O(1)
    """
    with _changing(session) as service:
        option = _option(args, (b"force", b"takeover"))
        service.member.failover(option in (b"force", b"takeover"), option == b"takeover")
    return OK


@command("CLUSTER RESET [reset-type=<HARD | SOFT>]", "admin noscript stale")
def reset(session: Session, args: list[bytes]) -> object:
    """Makes this node forget the cluster.

    Since 3.0.0, O(N), with N the number of nodes, and that of a FLUSHALL
    """
    with _changing(session) as service:
        service.member.reset(_option(args, (b"hard", b"soft")) == b"hard")
    return OK


def _option(args: list[bytes], known: tuple[bytes, ...]) -> bytes:
    """The word behind the subcommand, if there is one."""
    if len(args) > 3:
        raise unknown_form(args)
    option = args[2].lower() if len(args) == 3 else b""
    if option and option not in known:
        raise SYNTAX_ERROR
    if len(args) == 3 and not option:
        raise SYNTAX_ERROR
    return option


# -- Epochs and the file ---------------------------------------------------------------------------


@command("CLUSTER BUMPEPOCH", _CHANGING, hints=VAGUE)
def bump_epoch(session: Session, args: list[bytes]) -> Status:
    """Takes the next epoch of the configuration.

    Since 3.0.0, O(1)
    """
    with _changing(session) as service:
        word = "BUMPED" if service.member.bump_epoch() else "STILL"
        return Status(f"{word} {service.view.myself.config_epoch}".encode())


@command("CLUSTER SET-CONFIG-EPOCH config-epoch:integer", _CHANGING)
def set_config_epoch(session: Session, args: list[bytes]) -> object:
    """Gives a new node its epoch of the configuration.

    Since 3.0.0, O(1)
    """
    with _changing(session) as service:
        service.member.set_config_epoch(parse_int(args[2]))
    return OK


@command("CLUSTER SAVECONFIG", _CHANGING)
def save_config(session: Session, args: list[bytes]) -> object:
    """Writes the configuration file of this node.

    Since 3.0.0, O(1)
    """
    try:
        service_of(session).member.save_config()
    except OSError as error:
        raise Error(f"ERR error saving the cluster node config: {error.strerror}") from None
    return OK


# -- Migration of slots as a whole -----------------------------------------------------------------


@command(
    "CLUSTER MIGRATION subcommand=<IMPORT range=(start-slot:integer end-slot:integer) ... | "
    "CANCEL cancel=<ID task-id:string | ALL> | STATUS status=<ID task-id:string | ALL>>",
    _CHANGING,
    arity=-4,
)
def migration(session: Session, args: list[bytes]) -> object:
    """Begins, calls off or shows the migration of slots to this node.

    Since 8.4.0, O(N), with N the number of slots
    """
    service_of(session)
    raise unknown_form(args)
