"""Votes: in each epoch, every Sentinel has one for each primary, and a majority makes a leader."""

from __future__ import annotations

from collections import Counter

from carnelian.sentinel.known.instances import Primary
from carnelian.sentinel.known.watch import Watch

# Sentinels wait for up to so many milliseconds before they want to be leaders again, each another
# time, so that not all do at once.
DESYNCHRONY = 1000


class Election:
    """Votes, and counts votes."""

    def __init__(self, watch: Watch):
        self._watch = watch

    def delay(self) -> int:
        """Some milliseconds, by chance."""
        return self._watch.host.random.randrange(DESYNCHRONY)

    def vote(self, primary: Primary, epoch: int, candidate: str) -> tuple[str | None, int]:
        """Vote for a candidate in an epoch, if there was no vote in it or a later one.

        Returns whom we have voted for, if we remember, and in which epoch. Nobody is told before it
        is on the disk.
        """
        watch = self._watch
        watch.raise_epoch(epoch, primary)
        if primary.leader_epoch < epoch and watch.current_epoch <= epoch:
            primary.leader = candidate
            primary.leader_epoch = watch.current_epoch
            watch.save()
            text = f"{candidate} {primary.leader_epoch}"
            watch.announce("warning", "+vote-for-leader", primary, text)
            if candidate.lower() != watch.my_id.lower():
                # The other has its time for a failover.
                primary.failover_started = watch.now + self.delay()
        return primary.leader, primary.leader_epoch

    def leader(self, primary: Primary, epoch: int) -> str | None:
        """Whom the majority has voted for, if it has; we vote now at the latest.

        The majority is that of all Sentinels that we know of, and at least the quorum.
        """
        votes: Counter[str] = Counter(
            other.leader
            for other in primary.sentinels.values()
            if other.leader is not None and other.leader_epoch == self._watch.current_epoch
        )
        favourite = votes.most_common(1)[0][0] if votes else self._watch.my_id
        own, own_epoch = self.vote(primary, epoch, favourite)
        if own is not None and own_epoch == epoch:
            votes[own] += 1
        if not votes:
            return None
        winner, count = votes.most_common(1)[0]
        voters = len(primary.sentinels) + 1
        return winner if count >= voters // 2 + 1 and count >= primary.quorum else None
