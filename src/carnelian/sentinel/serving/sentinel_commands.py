"""SENTINEL and its subcommands.

See https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/
"""

from __future__ import annotations

from collections.abc import Callable

from carnelian.commands.common.operands import integer
from carnelian.datatypes.algorithms.glob import matches
from carnelian.engine import help as helping
from carnelian.engine.catalogue.registry import Declaration, refuse
from carnelian.engine.config.settings import Config
from carnelian.engine.declaring import split_name
from carnelian.engine.session import Session
from carnelian.resp.numbers import parse_int
from carnelian.resp.replies import OK, Error, Status
from carnelian.sentinel.known.instances import Primary
from carnelian.sentinel.known.peer_address import AddressError
from carnelian.sentinel.known.sentinel_words import to_bytes, to_text, without_controls
from carnelian.sentinel.serving import sentinel_settings
from carnelian.sentinel.serving.instance_rows import info_cache, row, rows
from carnelian.sentinel.serving.sentinel_settings import GlobalSettings, PrimarySettings, saved
from carnelian.sentinel.watching.script_queue import Job
from carnelian.sentinel.watching.watching_loop import Sentinel

_FLAGS = frozenset(("admin", "sentinel", "only_sentinel"))
_HELP_FLAGS = frozenset(("loading", "stale", "sentinel", "only_sentinel"))

_HANDLERS: dict[str, Callable] = {}


def _subcommand(line: str) -> Callable[[Callable], Callable]:
    """Declare a method of SentinelCommands as a subcommand, with the grammar of its arguments."""

    def declare(handler: Callable) -> Callable:
        _HANDLERS[line] = handler
        return handler

    return declare


class SentinelCommands:
    """The subcommands of SENTINEL, for one Sentinel. Each takes a session and the words."""

    def __init__(self, sentinel: Sentinel, config: Config):
        self._sentinel = sentinel
        self._watch = sentinel.watch
        self._settings = GlobalSettings(sentinel, config)

    def declarations(self) -> list[Declaration]:
        """The container first, then what it holds."""
        document = "Holds the commands of a Sentinel.\n\nSince 2.8.4, Depends on subcommand."
        container = _declaration("SENTINEL", refuse, "", document, words=-2)
        document = "Shows this list of subcommands.\n\nSince 6.2.0, O(1)"
        shown = _declaration("SENTINEL HELP", helping.reply, "", document, _HELP_FLAGS)
        made = [container, shown]
        for line, method in _HANDLERS.items():
            name, arguments = split_name(f"SENTINEL {line}")
            bound = method.__get__(self)
            made.append(_declaration(name, bound, arguments, method.__doc__ or ""))
        return made

    def _named(self, name: bytes) -> Primary:
        primary = self._watch.primaries.get(to_text(name))
        if primary is None:
            raise Error("ERR No such master with that name")
        return primary

    # -- Asking ----------------------------------------------------------------------------------

    @_subcommand("MASTERS")
    def masters(self, session: Session, args: list[bytes]) -> list:
        """Shows all primaries that are watched, and their state.

        Since 2.8.4, O(N), for N primaries
        """
        return rows(self._watch, self._watch.primaries.values())

    @_subcommand("MASTER master-name")
    def master(self, session: Session, args: list[bytes]) -> dict:
        """Shows a primary and its state.

        Since 2.8.4, O(1)
        """
        return row(self._watch, self._named(args[2]))

    @_subcommand("REPLICAS master-name")
    def replicas(self, session: Session, args: list[bytes]) -> list:
        """Shows the replicas of a primary, and their state.

        Since 5.0.0, O(N), for N replicas
        """
        return rows(self._watch, self._named(args[2]).replicas.values())

    @_subcommand("SLAVES master-name")
    def slaves(self, session: Session, args: list[bytes]) -> list:
        """Shows the replicas of a primary, and their state.

        Since 2.8.0, O(N), for N replicas
        Deprecated since 5.0.0: `SENTINEL REPLICAS`
        """
        return self.replicas(session, args)

    @_subcommand("SENTINELS master-name")
    def sentinels(self, session: Session, args: list[bytes]) -> list:
        """Shows the other Sentinels of a primary, and their state.

        Since 2.8.4, O(N), for N Sentinels
        """
        return rows(self._watch, self._named(args[2]).sentinels.values())

    @_subcommand("GET-MASTER-ADDR-BY-NAME master-name")
    def get_master_addr_by_name(self, session: Session, args: list[bytes]) -> list | None:
        """Tells where a primary is.

        Since 2.8.4, O(1)
        """
        primary = self._watch.primaries.get(to_text(args[2]))
        if primary is None:
            return None
        address = primary.current_address
        return [to_bytes(self._watch.addresses.shown(address)), to_bytes(address.port)]

    @_subcommand("MYID")
    def myid(self, session: Session, args: list[bytes]) -> bytes:
        """Tells the ID of this Sentinel.

        Since 6.2.0, O(1)
        """
        return to_bytes(self._watch.my_id)

    @_subcommand("INFO-CACHE nodename ...")
    def info_cache(self, session: Session, args: list[bytes]) -> object:
        """Shows the last INFO of primaries and of their replicas.

        Since 3.2.0, O(N), for N instances
        """
        names = dict.fromkeys(map(to_text, args[2:]))
        known = self._watch.primaries
        return info_cache(self._watch, [known[name] for name in names if name in known])

    @_subcommand("CKQUORUM master-name")
    def ckquorum(self, session: Session, args: list[bytes]) -> Status:
        """Tells whether enough Sentinels can be reached to agree on a failover and to allow it.

        Since 2.8.4
        """
        primary = self._named(args[2])
        usable = 1 + sum(not other.is_down for other in primary.sentinels.values())
        problems = []
        if usable < primary.quorum:
            problems.append(
                "Not enough available Sentinels to reach the specified quorum for this master"
            )
        if usable < (len(primary.sentinels) + 1) // 2 + 1:
            problems.append(
                "Not enough available Sentinels to reach the majority and authorize a failover"
            )
        if problems:
            raise Error(f"NOQUORUM {usable} usable Sentinels. {'. '.join(problems)}")
        return Status(
            b"OK %d usable Sentinels. Quorum and failover authorization can be reached" % usable
        )

    @_subcommand("PENDING-SCRIPTS")
    def pending_scripts(self, session: Session, args: list[bytes]) -> list:
        """Shows the scripts that run or are going to.

        Since 2.8.4
        """
        return [self._job(job) for job in self._sentinel.scripts.jobs]

    def _job(self, job: Job) -> dict:
        passed = self._watch.since(job.start)
        if job.pid:
            name, time = b"run-time", passed
        else:
            name, time = b"run-delay", max(0, -passed)
        return {
            b"argv": [to_bytes(word) for word in job.words],
            b"flags": b"running" if job.pid else b"scheduled",
            b"pid": to_bytes(job.pid),
            name: to_bytes(time),
            b"retry-num": to_bytes(job.tries),
        }

    @_subcommand("IS-MASTER-DOWN-BY-ADDR ip port:integer current-epoch:integer runid")
    def is_master_down_by_addr(self, session: Session, args: list[bytes]) -> list:
        """Tells another Sentinel whether a primary is down for this one, and votes.

        Since 2.8.4, O(1)
        """
        port, epoch = parse_int(args[3]), parse_int(args[4])
        candidate = to_text(args[5])
        try:
            address = self._watch.addresses.make(to_text(args[2]), port, unresolved=True)
        except AddressError:
            return [0, b"*", 0]
        down, leader, leader_epoch = self._sentinel.is_down(address, epoch, candidate)
        return [int(down), to_bytes(leader), leader_epoch]

    # -- Changing --------------------------------------------------------------------------------

    @_subcommand("MONITOR name ip port:integer quorum:integer")
    def monitor(self, session: Session, args: list[bytes]) -> bytes:
        """Begins to watch a primary.

        Since 2.8.4, O(1)
        """
        quorum = integer(args[5], "ERR Invalid quorum")
        port = integer(args[4], "ERR Invalid port")
        if quorum <= 0:
            raise Error("ERR Quorum must be 1 or greater.")
        name = without_controls("Master name", args[2])
        host = to_text(args[3])
        if self._watch.addresses.lookup(host) is None:
            raise Error("ERR Invalid IP address or hostname specified")
        try:
            primary = self._sentinel.roster.add_primary(name, host, port, quorum)
        except AddressError as error:
            raise Error(f"ERR {error}") from None
        try:
            return saved(self._watch)
        finally:
            self._sentinel.announce(primary)

    @_subcommand("REMOVE master-name")
    def remove(self, session: Session, args: list[bytes]) -> bytes:
        """Watches a primary no longer.

        Since 2.8.4, O(1)
        """
        primary = self._named(args[2])
        self._watch.event("warning", "-monitor", primary)
        self._sentinel.roster.remove_primary(primary)
        return saved(self._watch)

    @_subcommand("RESET pattern")
    def reset(self, session: Session, args: list[bytes]) -> int:
        """Forgets all that was found out about the primaries whose names match a pattern.

        Since 2.8.4, O(N), for N primaries
        """
        count = 0
        for primary in self._watch.primaries.values():
            if matches(args[2], to_bytes(primary.name)):
                self._sentinel.roster.reset(primary)
                self._watch.event("warning", "+reset-master", primary)
                count += 1
        if count:
            self._watch.save()
        return count

    @_subcommand("FAILOVER master-name")
    def failover(self, session: Session, args: list[bytes]) -> bytes:
        """Fails a primary over, whether it is down or not, without asking other Sentinels.

        Since 2.8.4
        """
        primary = self._named(args[2])
        if primary.failing_over:
            raise Error("INPROG Failover already in progress")
        failovers = self._sentinel.failovers
        if failovers.best_replica(primary) is None:
            raise Error("NOGOODSLAVE No suitable replica to promote")
        text = f"Executing user requested FAILOVER of '{primary.name}'"
        self._watch.around.log("warning", text)
        failovers.begin(primary)
        primary.forced = True
        return OK

    @_subcommand("FLUSHCONFIG")
    def flushconfig(self, session: Session, args: list[bytes]) -> bytes:
        """Writes the configuration file with the present state.

        Since 2.8.4, O(1)
        """
        return saved(self._watch)

    @_subcommand("SET master-name data=(option value) ...")
    def set(self, session: Session, args: list[bytes]) -> bytes:
        """Sets options of a primary.

        Since 2.8.4, O(1)
        """
        return PrimarySettings(self._sentinel, self._named(args[2])).set_all(args, 3)

    @_subcommand("CONFIG action=<set=(SET data=(parameter value) ...) | GET parameter ...>")
    def config(self, session: Session, args: list[bytes]) -> object:
        """Shows or sets options of the Sentinel itself.

        Since 6.2.0, O(N), for N options
        7.2.0: Takes several options.
        """
        action = args[2].lower()
        if action == b"set" and len(args) >= 5:
            return self._settings.set_all(args[3:])
        if action == b"get" and len(args) >= 4:
            return self._settings.get(args[3:])
        raise Error(
            "ERR Only SENTINEL CONFIG GET <param> [<param> <param> ...] / SET <param> <value> "
            "[<param> <value> ...] are supported."
        )

    @_subcommand("DEBUG [data=(parameter value) ...]")
    def debug(self, session: Session, args: list[bytes]) -> object:
        """Shows or changes the times that a Sentinel goes by, in milliseconds.

        Since 7.0.0, O(N), for N times
        """
        if len(args) == 2:
            return sentinel_settings.periods(self._watch)
        return sentinel_settings.set_periods(self._watch, args[2:])

    @_subcommand("SIMULATE-FAILURE mode=<CRASH-AFTER-ELECTION | CRASH-AFTER-PROMOTION | HELP> ...")
    def simulate_failure(self, session: Session, args: list[bytes]) -> object:
        """Has this Sentinel crash in the middle of a failover, for tests.

        Since 3.2.0
        """
        return sentinel_settings.simulate(self._watch, args[2:])


def _declaration(
    name: str,
    handler: Callable,
    arguments: str,
    docstring: str,
    flags: frozenset[str] = _FLAGS,
    words: int | None = None,
) -> Declaration:
    return Declaration(
        name=name,
        handler=handler,
        flags=flags,
        group="sentinel",
        arguments=arguments,
        docstring=docstring,
        words=words,
    )
