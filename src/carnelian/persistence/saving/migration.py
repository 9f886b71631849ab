"""MIGRATE: keys go to another server, and are deleted here once it has them."""

from __future__ import annotations

from carnelian.engine.declaring import after, at, command
from carnelian.engine.engine import Engine
from carnelian.engine.parts.monitors import redact
from carnelian.engine.session import Session
from carnelian.keyspace import events
from carnelian.persistence.rdb import payloads
from carnelian.persistence.saving.migration_targets import MigrationError, Target, Targets
from carnelian.persistence.saving.snapshots import snapshots_of
from carnelian.resp.client.reply_values import Refusal
from carnelian.resp.command_buffer import CommandBuffer
from carnelian.resp.numbers import format_int, parse_int
from carnelian.resp.replies import OK, SYNTAX_ERROR, Error, Status

GROUP = "generic"

NO_KEY = Status(b"NOKEY")
_DEFAULT_MS = 1000
# Bytes of keys that are sent at a time.
_PART = 64 * 1024
_MOVED = "RW access delete"


class Request:
    """What the words of a MIGRATE ask for."""

    def __init__(self, args: list[bytes]):
        self.copy = self.replace = False
        self.credentials: list[bytes] = []
        self.keys = [args[3]]
        self._read_options(args)
        timeout_ms = parse_int(args[5])
        self.database = parse_int(args[4])
        self.timeout = (timeout_ms if timeout_ms > 0 else _DEFAULT_MS) / 1000
        host = args[1].decode("utf-8", "replace")
        self.place = (host, _port(args[2]), tuple(self.credentials))

    def _read_options(self, args: list[bytes]) -> None:
        at_word = 6
        while at_word < len(args):
            word, more = args[at_word].lower(), len(args) - at_word - 1
            if word == b"copy":
                self.copy = True
            elif word == b"replace":
                self.replace = True
            elif word == b"auth" and more >= 1:
                self.credentials = [args[at_word + 1]]
                redact(args, at_word + 1)
                at_word += 1
            elif word == b"auth2" and more >= 2:
                self.credentials = args[at_word + 1 : at_word + 3]
                redact(args, at_word + 1, at_word + 2)
                at_word += 2
            elif word == b"keys":
                if args[3]:
                    raise Error(
                        "ERR When using MIGRATE KEYS option, the key argument must be set to the "
                        "empty string"
                    )
                self.keys = args[at_word + 1 :]
                return
            else:
                raise SYNTAX_ERROR
            at_word += 1


def _port(text: bytes) -> int:
    """The number that a text begins with; no server listens on port 0."""
    digits = text[: len(text) - len(text.lstrip(b"0123456789"))]
    return int(digits or b"0") & 0xFFFF


def _keys_of_migrate(args: list[bytes]) -> list[tuple[int, str]]:
    """The key, or what follows KEYS if that is empty; none if there are both."""
    at_word = 6
    while at_word < len(args):
        word = args[at_word].lower()
        if word == b"keys" and args[3]:
            return []
        if word == b"keys":
            return [(position, _MOVED) for position in range(at_word + 1, len(args))]
        at_word += {b"auth": 2, b"auth2": 3}.get(word, 1)
    return [(3, _MOVED)]


@command(
    'MIGRATE host port:integer key-selector=<key#0 | empty-string="":pure-token> '
    "destination-db:integer timeout:integer [COPY@3.0.0] [REPLACE@3.0.0] "
    "[authentication=<AUTH auth~password@4.0.7 | AUTH2 auth2@6.0.0=(username password)>] "
    "[KEYS keys~key:key#1@3.0.6 ...]",
    "write",
    keys=(
        at(3, _MOVED),
        after("KEYS", f"{_MOVED} incomplete", start=-2, last=-1),
    ),
    categories="keyspace dangerous",
    hints=("nondeterministic_output",),
    get_keys=_keys_of_migrate,
    arity=-6,
)
def migrate(session: Session, args: list[bytes]) -> object:
    """Moves keys to a database of another server: they are there before they are deleted here.

    Since 2.6.0, that of DUMP, DEL, and RESTORE over there, and O(N) for N bytes to send
    3.0.0: Added COPY and REPLACE.
    3.0.6: Added KEYS.
    4.0.7: Added AUTH.
    6.0.0: Added AUTH2.
    """
    request = Request(args)
    keys = [key for key in request.keys if session.db.exists(key)]
    if not keys:
        return NO_KEY
    targets = _targets_of(session.engine)
    moved: list[bytes] = []
    refusals: list[bytes] = []
    try:
        _move(session, targets, request, keys, moved, refusals)
    except MigrationError as error:
        message = f"IOERR error or timeout {error.doing} to target instance"
        if error.doing == "connecting":
            message = "IOERR error or timeout connecting to the client"
        raise Error(message) from None
    finally:
        session.engine.facts["migrate_cached_sockets"] = len(targets)
        if moved:
            session.rewrite([b"DEL", *moved])
    if refusals:
        raise Error(b"ERR Target instance replied with error: " + refusals[0])
    return OK


def _targets_of(engine: Engine) -> Targets:
    snapshots = snapshots_of(engine)
    if snapshots.targets is None:
        snapshots.targets = Targets(snapshots.secure)
        engine.on_cron.append(lambda: _look_after(engine, snapshots.targets))
    return snapshots.targets


def _look_after(engine: Engine, targets: Targets) -> None:
    targets.drop_idle()
    engine.facts["migrate_cached_sockets"] = len(targets)


def _move(
    session: Session,
    targets: Targets,
    request: Request,
    keys: list[bytes],
    moved: list[bytes],
    refusals: list[bytes],
) -> None:
    """Send the keys and hear what becomes of them; once more where a kept connection was dead.

    Raises MigrationError.
    """
    for attempt in (1, 2):
        try:
            target = targets.get(request.place, request.timeout)
            sent, prelude = _send(session, target, request, keys)
            _hear(session, target, request, prelude, sent, moved, refusals)
            return
        except MigrationError as error:
            targets.drop(request.place)
            if attempt == 2 or error.timed_out or moved or refusals:
                raise
        except BaseException:
            # Nobody knows which replies are still to come.
            targets.drop(request.place)
            raise


def _send(
    session: Session, target: Target, request: Request, keys: list[bytes]
) -> tuple[list[bytes], int]:
    """Send what it takes: the keys that were still there, and how many replies precede theirs.

    It is sent in parts, so that little of it is held here beside the values themselves.
    """
    db, config = session.db, session.engine.config
    buffer, prelude = CommandBuffer(), 0
    if request.credentials:
        buffer.command([b"AUTH", *request.credentials])
        prelude += 1
    if target.database != request.database:
        buffer.command([b"SELECT", format_int(request.database)])
        prelude += 1
    sent = []
    verb = b"RESTORE-ASKING" if config["cluster-enabled"] else b"RESTORE"
    version, compressed = config["rdb-version"], config["rdbcompression"]
    for key in keys:
        expiry = db.expiry(key)
        left = expiry - session.engine.clock.ms if expiry >= 0 else 0
        payload = payloads.of_key(db, key, version, compressed)
        if payload is None or left < 0:
            continue
        sent.append(key)
        words = [verb, key, format_int(max(left, 1) if expiry >= 0 else 0), payload]
        if request.replace:
            words.append(b"REPLACE")
        buffer.command(words)
        if buffer.length >= _PART:
            del words, payload
            part = buffer.value()
            buffer.clear()
            target.send(part)
    target.send(buffer.value())
    return sent, prelude


def _hear(
    session: Session,
    target: Target,
    request: Request,
    prelude: int,
    sent: list[bytes],
    moved: list[bytes],
    refusals: list[bytes],
) -> None:
    """Read the replies, and delete what the other side has, one key after the other."""
    before = [target.reply() for _ in range(prelude)]
    refused = [bytes(reply) for reply in before if isinstance(reply, Refusal)]
    refusals += refused[:1]
    heard = 0
    while heard < len(sent):
        accepted = target.pass_accepted()
        if not accepted:
            reply = target.reply()
            if isinstance(reply, Refusal):
                if not refusals:
                    refusals.append(bytes(reply))
                heard += 1
                continue
            accepted = 1
        if not refused:
            target.database = request.database
            if not request.copy:
                _delete(session, sent[heard : heard + accepted], moved)
        heard += accepted
    if refusals:
        target.database = -1


def _delete(session: Session, keys: list[bytes], moved: list[bytes]) -> None:
    db = session.db
    for key in keys:
        if db.delete(key):
            moved.append(key)
            db.changed(key, events.GENERIC, b"del")
