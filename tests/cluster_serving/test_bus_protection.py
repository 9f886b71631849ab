"""Whether a bus that is open to everybody is refused, and when it is told of."""

from __future__ import annotations

import pytest

from carnelian.cluster.serving.member_config import BusProtection
from carnelian.engine.config import Config, ConfigFileError
from carnelian.resp.replies import Error

ENCRYPTION, MODE = b"tls-cluster", b"cluster-bus-port-protected-mode"
CANNOT_DISABLE = (
    b"ERR CONFIG SET failed (possibly related to argument 'tls-cluster') - can't disable "
    b"tls-cluster while cluster-bus-port-protected-mode is enabled, as that would leave the "
    b"cluster bus port unauthenticated; disable cluster-bus-port-protected-mode first, or in the "
    b"same CONFIG SET call"
)
CANNOT_ENABLE = (
    b"ERR CONFIG SET failed (possibly related to argument 'cluster-bus-port-protected-mode') - "
    b"can't enable cluster-bus-port-protected-mode while tls-cluster is disabled, as that leaves "
    b"the cluster bus port unauthenticated; enable tls-cluster first, or in the same CONFIG SET "
    b"call"
)


class Guarded:
    """The configuration of a node whose bus is encrypted, and has to be."""

    def __init__(self) -> None:
        self.config = Config()
        self.config.load_text(
            "cluster-enabled yes\ncluster-bus-port-protected-mode yes\ntls-cluster yes"
        )
        self.logged: list[str] = []
        self.protection = BusProtection(self.config, lambda level, line: self.logged.append(line))

    def set(self, *words: bytes) -> None:
        self.config.set(list(zip(words[::2], words[1::2], strict=True)))

    def refusal(self, *words: bytes) -> bytes:
        with pytest.raises(Error) as caught:
            self.set(*words)
        return caught.value.message

    @property
    def values(self) -> tuple[bool, bool]:
        return self.config["tls-cluster"], self.config["cluster-bus-port-protected-mode"]


@pytest.fixture
def guarded() -> Guarded:
    return Guarded()


def test_encryption_cannot_be_turned_off_alone(guarded: Guarded) -> None:
    guarded.protection.warn()
    assert guarded.refusal(ENCRYPTION, b"no") == CANNOT_DISABLE
    assert guarded.values == (True, True)
    assert not guarded.logged


@pytest.mark.parametrize(
    "words", [(ENCRYPTION, b"no", MODE, b"no"), (MODE, b"no", ENCRYPTION, b"no")]
)
def test_both_at_once_in_either_order(guarded: Guarded, words: tuple[bytes, ...]) -> None:
    guarded.set(*words)
    assert guarded.values == (False, False)
    [line] = guarded.logged
    assert "the cluster bus port is not authenticated" in line
    assert guarded.refusal(MODE, b"yes") == CANNOT_ENABLE
    assert guarded.values == (False, False)
    guarded.set(ENCRYPTION, b"yes", MODE, b"yes")
    assert guarded.values == (True, True)
    assert guarded.logged == [line]


def test_one_after_the_other(guarded: Guarded) -> None:
    guarded.set(MODE, b"no")
    guarded.set(ENCRYPTION, b"no")
    assert len(guarded.logged) == 1
    guarded.set(ENCRYPTION, b"yes")
    guarded.set(MODE, b"yes")
    assert guarded.values == (True, True)


def test_the_whole_configuration_counts(tmp_path) -> None:
    inner = tmp_path / "inner.conf"
    inner.write_text("cluster-enabled yes\ncluster-bus-port-protected-mode yes\n")
    with pytest.raises(ConfigFileError) as caught:
        Config().load_text(f"include {inner}\nport 7000")
    assert "is enabled but tls-cluster is disabled" in caught.value.reason
    assert caught.value.line_number == 0
    for more in ("tls-cluster yes", "cluster-bus-port-protected-mode no", "cluster-enabled no"):
        Config().load_text(f"include {inner}\n{more}")
