"""Long random runs against a dict."""

from __future__ import annotations

import gc
import random

from carnelian.datatypes.base import memory
from carnelian.keyspace.clock import ManualClock
from carnelian.keyspace.keyspace import Keyspace


def test_strings_hold_what_a_dict_would_and_give_all_memory_back():
    gc.collect()
    before = memory.used()
    clock = ManualClock()
    db = Keyspace(clock).databases[0]
    model: dict[bytes, bytes] = {}
    rnd = random.Random(1)
    for _ in range(60_000):
        key = b"%d" % rnd.randrange(4000)
        action = rnd.random()
        if action < 0.45:
            value = rnd.choice([b"", b"12", b"-5", b"x" * rnd.randrange(100)])
            value = value if rnd.random() < 0.8 else b"y" * rnd.randrange(2000)
            assert db.set_string(key, value) == (key in model)
            model[key] = value
        elif action < 0.6:
            assert db.delete(key) == (model.pop(key, None) is not None)
        elif action < 0.7:
            tail = b"t" * rnd.randrange(50)
            model[key] = model.get(key, b"") + tail
            assert db.append(key, tail) == len(model[key])
        elif action < 0.8:
            offset = rnd.randrange(700)
            padded = bytearray(model.get(key, b"").ljust(offset, b"\0"))
            padded[offset : offset + 3] = b"abc"
            model[key] = bytes(padded)
            assert db.set_range(key, offset, b"abc") == len(padded)
        elif action < 0.9:
            if rnd.random() < 0.5:
                assert db.set_expiry(key, clock.ms + 10**6) == (key in model)
            else:
                db.persist(key)
        assert db.lookup(key) == model.get(key)
    assert len(db) == len(model)
    assert set(db.keys()) == set(model)
    for key in model:
        assert db.delete(key)
    assert len(db) == db.expires_count == 0
    del db
    gc.collect()
    assert memory.used() == before
