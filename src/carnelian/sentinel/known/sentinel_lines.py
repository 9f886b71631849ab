"""Reading the ``sentinel`` lines of a configuration file."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from carnelian.engine.config.assigned import ConfigLine
from carnelian.engine.config.mistakes import ConfigError
from carnelian.sentinel.known.instances import Primary
from carnelian.sentinel.known.peer_address import AddressError
from carnelian.sentinel.known.roster import Roster, find
from carnelian.sentinel.known.sentinel_words import atoi, to_text
from carnelian.sentinel.known.watch import Watch

ID_LENGTH = 40

# Words with which a line is for what there is before any primary.
_FIRST = frozenset(
    (
        "announce-ip", "announce-port", "deny-scripts-reconfig", "sentinel-user", "sentinel-pass",
        "current-epoch", "myid", "resolve-hostnames", "announce-hostnames",
    )
)  # fmt: skip

_OLD_WORDS = {"known-slave": "known-replica"}


def load(watch: Watch, lines: Sequence[ConfigLine]) -> None:
    """Take in all ``sentinel`` lines of a file, in whatever order they stand.

    Raises ConfigFileError at the first that is bad.
    """
    reader = _Reader(watch)
    for line in sorted(lines, key=lambda line: _turn(to_text(line.words[1]).lower())):
        try:
            reader.read([to_text(word) for word in line.words[1:]])
        except (ConfigError, AddressError) as error:
            raise line.error(str(error)) from None


def _turn(word: str) -> int:
    """Options are read first, then primaries, then what is known of them."""
    if word in _FIRST:
        return 0
    return 1 if word == "monitor" else 2


class _Reader:
    """Reads lines, one after the other."""

    def __init__(self, watch: Watch):
        self._watch = watch
        self._roster = Roster(watch)

    def read(self, words: list[str]) -> None:
        """Take one line in."""
        word, *arguments = words
        word = word.lower()
        word = _OLD_WORDS.get(word, word)
        read = _READERS.get((word, len(arguments)))
        if read is None:
            raise ConfigError("Unrecognized sentinel configuration statement.")
        read(self, arguments)

    def _primary(self, name: str) -> Primary:
        primary = self._watch.primaries.get(name)
        if primary is None:
            raise ConfigError("No such master with specified name.")
        return primary

    def _monitor(self, words: list[str]) -> None:
        quorum = atoi(words[3])
        if quorum <= 0:
            raise ConfigError("Quorum must be 1 or greater.")
        self._roster.add_primary(words[0], words[1], atoi(words[2]), quorum)

    def _my_id(self, words: list[str]) -> None:
        if len(words[0]) != ID_LENGTH:
            raise ConfigError("Malformed Sentinel id in myid option.")
        self._watch.my_id = words[0]

    def _current_epoch(self, words: list[str]) -> None:
        self._watch.current_epoch = max(self._watch.current_epoch, atoi(words[0]))

    def _announce_port(self, words: list[str]) -> None:
        self._watch.options.announce_port = atoi(words[0])

    def _down_after(self, words: list[str]) -> None:
        primary = self._primary(words[0])
        primary.down_after = _positive(words[1])
        for member in primary.members():
            member.down_after = primary.down_after

    def _failover_timeout(self, words: list[str]) -> None:
        self._primary(words[0]).failover_timeout = _positive(words[1])

    def _parallel_syncs(self, words: list[str]) -> None:
        self._primary(words[0]).parallel_syncs = atoi(words[1])

    def _reboot(self, words: list[str]) -> None:
        primary = self._primary(words[0])
        primary.reboot_down_after = atoi(words[1])
        if primary.reboot_down_after < 0:
            raise ConfigError("negative time parameter.")

    def _notification_script(self, words: list[str]) -> None:
        primary = self._primary(words[0])
        if not self._watch.around.is_executable(words[1]):
            raise ConfigError("Notification script seems non existing or non executable.")
        primary.notification_script = words[1]

    def _reconfig_script(self, words: list[str]) -> None:
        primary = self._primary(words[0])
        if not self._watch.around.is_executable(words[1]):
            raise ConfigError("Client reconfiguration script seems non existing or non executable.")
        primary.reconfig_script = words[1]

    def _config_epoch(self, words: list[str]) -> None:
        primary = self._primary(words[0])
        primary.config_epoch = atoi(words[1])
        self._watch.current_epoch = max(self._watch.current_epoch, primary.config_epoch)

    def _leader_epoch(self, words: list[str]) -> None:
        self._primary(words[0]).leader_epoch = atoi(words[1])

    def _known_replica(self, words: list[str]) -> None:
        primary, host, port = self._primary(words[0]), words[1], atoi(words[2])
        known = find(primary.replicas.values(), self._watch.addresses.make(host, port, True))
        if known is None or known.address.host == host:
            self._roster.add_replica(primary, host, port)
        # Else it is one that is known by another name already.

    def _known_sentinel(self, words: list[str]) -> None:
        name, host, port, run_id = words
        self._roster.add_sentinel(self._primary(name), run_id, host, atoi(port))

    def _rename_command(self, words: list[str]) -> None:
        renamed = self._primary(words[0]).renamed
        if words[1].lower() in renamed:
            raise ConfigError("Same command renamed multiple times with rename-command.")
        renamed[words[1].lower()] = (words[1], words[2])


Read = Callable[[_Reader, list[str]], None]


def _of_primary(field: str) -> Read:
    """What reads a text for a primary."""

    def read(reader: _Reader, words: list[str]) -> None:
        setattr(reader._primary(words[0]), field, words[1])

    return read


def _option(field: str) -> Read:
    """What reads an option that is a text."""

    def read(reader: _Reader, words: list[str]) -> None:
        if words[0]:
            setattr(reader._watch.options, field, words[0])

    return read


def _switch(field: str, refusal: str) -> Read:
    """What reads an option that is yes or no."""

    def read(reader: _Reader, words: list[str]) -> None:
        word = words[0].lower()
        if word not in ("yes", "no"):
            raise ConfigError(refusal)
        setattr(reader._watch.options, field, word == "yes")

    return read


def _skip(reader: _Reader, words: list[str]) -> None:
    """Read nothing."""


# By the word and the number of arguments after it.
_READERS: dict[tuple[str, int], Read] = {
    ("monitor", 4): _Reader._monitor,
    ("myid", 1): _Reader._my_id,
    ("current-epoch", 1): _Reader._current_epoch,
    ("announce-ip", 1): _option("announce_ip"),
    ("announce-port", 1): _Reader._announce_port,
    ("sentinel-user", 1): _option("sentinel_user"),
    ("sentinel-pass", 1): _option("sentinel_pass"),
    ("deny-scripts-reconfig", 1): _switch(
        "deny_scripts_reconfig", "Please specify yes or no for the deny-scripts-reconfig options."
    ),
    ("resolve-hostnames", 1): _switch(
        "resolve_hostnames", "Please specify yes or no for the resolve-hostnames option."
    ),
    ("announce-hostnames", 1): _switch(
        "announce_hostnames", "Please specify yes or no for the announce-hostnames option."
    ),
    ("down-after-milliseconds", 2): _Reader._down_after,
    ("failover-timeout", 2): _Reader._failover_timeout,
    ("parallel-syncs", 2): _Reader._parallel_syncs,
    ("notification-script", 2): _Reader._notification_script,
    ("client-reconfig-script", 2): _Reader._reconfig_script,
    ("auth-pass", 2): _of_primary("auth_pass"),
    ("auth-user", 2): _of_primary("auth_user"),
    ("master-reboot-down-after-period", 2): _Reader._reboot,
    ("config-epoch", 2): _Reader._config_epoch,
    ("leader-epoch", 2): _Reader._leader_epoch,
    ("known-replica", 3): _Reader._known_replica,
    # Those of old Sentinels, which had no IDs, are left to be found again.
    ("known-sentinel", 3): _skip,
    ("known-sentinel", 4): _Reader._known_sentinel,
    ("rename-command", 3): _Reader._rename_command,
}


def _positive(word: str) -> int:
    number = atoi(word)
    if number <= 0:
        raise ConfigError("negative or zero time parameter.")
    return number
