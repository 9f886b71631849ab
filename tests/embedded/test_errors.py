"""The exceptions of the package: what they are, also in another process."""

from __future__ import annotations

import copy
import multiprocessing
import os
import pickle

import pytest

import carnelian

ERRORS: list[BaseException] = [
    carnelian.DatabaseError("/a/b", "what has happened"),
    carnelian.DatabaseLockedError("/a/b", 7),
    carnelian.DatabaseLockedError("/a/b", None),
    carnelian.DatabaseLockedError("/a/b", os.getpid()),
    carnelian.DatabaseLoadError("/a/b", "what has happened"),
    carnelian.DatabaseSaveError("/a/b", "what has happened"),
    carnelian.EngineClosedError("the engine is closed"),
    carnelian.SessionCutError("this session was closed: it took too much"),
    carnelian.Error("WRONGTYPE what has happened"),
]


def test_these_are_all() -> None:
    public = [getattr(carnelian, name) for name in carnelian.__all__]
    raised = {kind for kind in public if isinstance(kind, type) and issubclass(kind, Exception)}
    assert raised == {type(error) for error in ERRORS}


@pytest.mark.parametrize("error", ERRORS, ids=repr)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_errors_are_pickled(error: BaseException, protocol: int) -> None:
    error.add_note("a note")
    for other in (pickle.loads(pickle.dumps(error, protocol)), copy.copy(error)):
        assert type(other) is type(error)
        assert str(other) == str(error) and other.args == error.args
        for name in ("path", "pid", "code", "__notes__"):
            assert getattr(other, name, None) == getattr(error, name, None)


def _open(path: str) -> None:
    carnelian.Engine(path)


def test_errors_come_back_from_a_pool(tmp_path) -> None:
    path = str(tmp_path / "app.db")
    with (
        carnelian.Engine(path),
        multiprocessing.get_context("spawn").Pool(1) as pool,
        pytest.raises(carnelian.DatabaseLockedError) as e,
    ):
        pool.apply_async(_open, [path]).get(60)
    assert (e.value.path, e.value.pid) == (path, os.getpid())
