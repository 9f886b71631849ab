"""Histories, and the last bytes of them."""

from __future__ import annotations

import random

import pytest

from carnelian.replication.history import NO_ID, Backlog, History, Place, held
from carnelian.replication.primary.replica_feed import ReplicaFeed
from carnelian.resp.output import OutputBuffer

BLOCK = 16 * 1024


def drained(place: Place | None) -> bytes:
    """All that follows a place."""
    assert place is not None
    output = OutputBuffer()
    while place.pour(output):
        pass
    return output.take()


class TestHistory:
    def test_one_begins_with_nothing_and_an_id_of_its_own(self) -> None:
        history = History()
        assert len(history.id) == 40
        assert history.id != History().id
        assert history.offset == 0
        assert (history.second_id, history.second_offset) == (NO_ID, -1)

    def test_who_has_the_beginning_may_go_on(self) -> None:
        history = History()
        history.offset = 100
        assert history.can_continue(history.id, 0)
        assert history.can_continue(history.id, 100)
        assert not history.can_continue("1" * 40, 0)
        assert not history.can_continue(NO_ID, 0)
        assert not history.can_continue("?", -1)

    def test_after_a_shift_the_old_name_holds_until_there(self) -> None:
        history = History()
        old, history.offset = history.id, 100
        history.shift()
        assert history.id != old
        assert (history.second_id, history.second_offset) == (old, 100)
        assert history.offset == 100
        history.offset = 150
        assert history.can_continue(old, 100)
        assert not history.can_continue(old, 101)
        assert history.can_continue(history.id, 150)

    def test_who_adopts_or_begins_anew_has_no_other_name(self) -> None:
        history = History()
        history.shift()
        history.adopt("a" * 40, 7)
        assert (history.id, history.offset, history.second_id) == ("a" * 40, 7, NO_ID)
        history.shift()
        history.new_id()
        assert history.second_id == NO_ID
        assert history.offset == 7
        assert not history.can_continue("a" * 40, 0)


class TestBacklog:
    def test_it_gives_what_it_was_given(self) -> None:
        backlog = Backlog(1000, BLOCK)
        backlog.put(b"abc")
        backlog.put(b"def")
        assert (backlog.first, backlog.length, backlog.end_offset) == (1000, 6, 1006)
        assert drained(backlog.since(1000)) == b"abcdef"
        assert drained(backlog.since(1004)) == b"ef"
        assert drained(backlog.since(1006)) == b""
        assert backlog.since(999) is None
        assert backlog.since(1007) is None

    def test_an_empty_one_has_a_place(self) -> None:
        backlog = Backlog(5, BLOCK)
        place = backlog.since(5)
        assert place is not None and place.offset() == 5
        backlog.put(b"x")
        assert drained(place) == b"x"
        assert backlog.since(4) is None

    def test_it_forgets_the_oldest_whole_blocks(self) -> None:
        backlog = Backlog(0, BLOCK)
        for _ in range(100):
            backlog.put(bytes(1024))
        assert BLOCK <= backlog.length < 3 * BLOCK
        assert backlog.end_offset == 100 * 1024
        assert backlog.since(0) is None

    def test_somebody_who_is_behind_keeps_what_follows(self) -> None:
        backlog = Backlog(0, BLOCK)
        place = backlog.end()
        for number in range(100):
            backlog.put(b"%4d" % number * 256)
        assert backlog.length == 100 * 1024
        assert place.behind() == 100 * 1024
        assert place.blocks_behind() == 7
        # Others profit from it.
        assert backlog.since(0) is not None
        place.leave()
        backlog.trim()
        assert backlog.length < 3 * BLOCK

    def test_a_copy_of_a_place_goes_its_own_way(self) -> None:
        backlog = Backlog(0, BLOCK)
        backlog.put(b"abc")
        place = backlog.since(1)
        assert place is not None
        other = place.copy()
        assert drained(place) == b"bc"
        assert (place.offset(), other.offset()) == (3, 1)
        assert drained(other) == b"bc"

    def test_it_can_be_made_smaller(self) -> None:
        backlog = Backlog(0, 100 * BLOCK)
        backlog.put(bytes(50 * BLOCK))
        assert backlog.length == 50 * BLOCK
        backlog.resize(BLOCK)
        assert backlog.length == BLOCK

    def test_what_is_being_sent_stays_when_all_else_goes(self) -> None:
        before = held()
        backlog = Backlog(0, BLOCK)
        for number in range(1000):
            backlog.put(b"%8d" % number * 128)
        place = backlog.since(backlog.first)
        assert place is not None
        expected = b"".join(b"%8d" % number * 128 for number in range(1000))[backlog.first :]
        output = OutputBuffer()
        place.pour(output)
        place.leave()
        backlog.drop()
        assert output.take() == expected
        assert held() == before

    def test_a_long_chain_is_given_back_without_deep_recursion(self) -> None:
        before = held()
        backlog = Backlog(0, BLOCK)
        place = backlog.end()
        piece = bytes(1024 * 1024)
        for _ in range(2000):
            backlog.put(piece)
        output = OutputBuffer()
        place.pour(output, 3)
        backlog.drop()
        place.leave()
        output.clear()
        assert held() == before

    def test_a_place_outlives_its_backlog(self) -> None:
        before = held()
        backlog = Backlog(0, BLOCK)
        place = backlog.end()
        backlog.put(bytes(100 * BLOCK))
        backlog.drop()
        del backlog
        assert len(drained(place)) == 100 * BLOCK
        place.leave()
        assert held() == before

    @pytest.mark.parametrize("seed", range(20))
    def test_at_random(self, seed: int) -> None:
        """Readers that come, read as they like, and go: each sees a piece of the one stream."""
        chance = random.Random(seed)
        before = held()
        backlog = Backlog(0, chance.choice([1, BLOCK, 5 * BLOCK]))
        stream = bytearray()
        readers: list[tuple[Place, int, bytearray]] = []
        for _ in range(400):
            step = chance.random()
            if step < 0.6:
                piece = chance.randbytes(chance.choice([1, 100, 5000, 40_000]))
                stream += piece
                backlog.put(piece)
            elif step < 0.7:
                begin = chance.randint(backlog.first, backlog.end_offset)
                place = backlog.since(begin)
                assert place is not None and place.offset() == begin
                readers.append((place, begin, bytearray()))
            elif readers and step < 0.9:
                place, _, seen = chance.choice(readers)
                output = OutputBuffer()
                place.pour(output, chance.randint(1, 3))
                seen += output.take()
            elif readers:
                place, begin, seen = readers.pop(chance.randrange(len(readers)))
                assert seen == stream[begin : begin + len(seen)]
                place.leave()
        for place, begin, seen in readers:
            seen += drained(place)
            assert seen == stream[begin:]
            place.leave()
        backlog.drop()
        assert held() == before


class TestFeed:
    def test_a_copy_goes_before_the_stream(self) -> None:
        backlog = Backlog(0, BLOCK)
        feed, output = ReplicaFeed(), OutputBuffer()
        feed.place = backlog.end()
        backlog.put(b"stream")
        feed.put(b"copy ")
        feed.put(b"of data ")
        feed.fill(output)
        assert output.take() == b"copy of data "
        feed.flowing = True
        feed.fill(output)
        assert output.take() == b"stream"
        assert feed.memory() == 64

    def test_it_says_when_the_copy_has_left(self) -> None:
        feed, output, sent = ReplicaFeed(), OutputBuffer(), []
        feed.put(b"copy")
        feed.on_sent = lambda: sent.append(True)
        feed.fill(output)
        assert not sent
        output.take()
        feed.fill(output)
        feed.fill(output)
        assert sent == [True]

    def test_it_asks_its_source_for_more(self) -> None:
        feed, output = ReplicaFeed(), OutputBuffer()
        pieces = [b"a", b"b"]

        def more() -> bool:
            if pieces:
                feed.put(pieces.pop(0))
                return True
            return False

        feed.source = more
        feed.fill(output)
        assert output.take() == b"ab"
        assert feed.waiting == 0
