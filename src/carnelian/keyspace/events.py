"""Classes of key space events: the bits of ``notify-keyspace-events`` and their letters.

The letters are part of Redis's configuration (https://redis.io/docs/latest/develop/pubsub/
keyspace-notifications/); the bits are those of its module API. Compiled modules take the bits
from ``events.pxd``.
"""

KEYSPACE = 1  # K: channels named after the key
KEYEVENT = 2  # E: channels named after the event
GENERIC = 4  # g: DEL, EXPIRE, RENAME, ...
STRING = 8  # $
LIST = 16  # l
SET = 32  # s
HASH = 64  # h
ZSET = 128  # z
EXPIRED = 256  # x
EVICTED = 512  # e
STREAM = 1024  # t
KEY_MISS = 2048  # m: a read of a key that is not there
LOADED = 4096  # a key read from a file; only modules see it
MODULE = 8192  # d
NEW = 16384  # n: a key that was not there before
OVERWRITTEN = 32768  # o: a value that another took the place of
TYPE_CHANGED = 65536  # c: one of another type
ARRAY = 262144  # a
SUBKEYSPACE = 1 << 19  # S: channels named after the key, with the fields
SUBKEYEVENT = 1 << 20  # T: channels named after the event, with key and fields
SUBKEYSPACEITEM = 1 << 21  # I: channels named after key and field
SUBKEYSPACEEVENT = 1 << 22  # V: channels named after event and key, with the fields

# Which of those that tell of fields.
SUBKEY = SUBKEYSPACE | SUBKEYEVENT | SUBKEYSPACEITEM | SUBKEYSPACEEVENT

# A: every class but those that tell what is not a change of a key.
ALL = GENERIC | STRING | LIST | SET | HASH | ZSET | EXPIRED | EVICTED | STREAM | MODULE | ARRAY

LETTERS = {
    "g": GENERIC,
    "$": STRING,
    "l": LIST,
    "s": SET,
    "h": HASH,
    "z": ZSET,
    "x": EXPIRED,
    "e": EVICTED,
    "t": STREAM,
    "d": MODULE,
    "a": ARRAY,
    "n": NEW,
    "o": OVERWRITTEN,
    "c": TYPE_CHANGED,
    "K": KEYSPACE,
    "E": KEYEVENT,
    "m": KEY_MISS,
    "S": SUBKEYSPACE,
    "T": SUBKEYEVENT,
    "I": SUBKEYSPACEITEM,
    "V": SUBKEYSPACEEVENT,
}


def parse_classes(text: str) -> int:
    """The bits of letters such as ``"KEA"``; raises ValueError for a letter that has no meaning."""
    bits = 0
    for letter in text:
        if letter == "A":
            bits |= ALL
        elif letter in LETTERS:
            bits |= LETTERS[letter]
        else:
            raise ValueError(f"unknown class of events: {letter!r}")
    return bits


def format_classes(bits: int) -> str:
    """The letters of these bits, in the order in which CONFIG GET shows them."""
    shown = "A" if bits & ALL == ALL else ""
    for letter, bit in LETTERS.items():
        if bits & bit and not (shown.startswith("A") and bit & ALL):
            shown += letter
    return shown
