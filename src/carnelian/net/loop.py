"""The event loop: waits for file descriptors and timers, and calls what belongs to them.

One turn: the before-sleep hook (which sends all pending replies), what is to be sent after those, a
wait for events, their channels, those that were reminded, due timers, deferred callbacks.
Everything runs in the thread that calls :meth:`Loop.run` except :meth:`Loop.call_from_thread` and
:meth:`Loop.wake`. The interpreter lock is released only while waiting.
"""

from __future__ import annotations

import heapq
import os
from collections import deque

import cython
from cython.cimports.carnelian.net.epoll import epoll_event, epoll_wait
from cython.cimports.carnelian.net.poller import READABLE, WRITABLE
from cython.cimports.cpython.exc import PyErr_CheckSignals
from cython.cimports.libc.errno import EINTR, errno
from cython.cimports.libc.math import ceil
from cython.cimports.posix.time import CLOCK_MONOTONIC, clock_gettime, timespec

from carnelian.net.poller import epoll_descriptor, make_poller, poller_name, socket_pair

MAX_EVENTS = cython.declare(cython.int, 1024)
NEVER = cython.declare(cython.double, 1e300)
MAX_WAIT = cython.declare(cython.double, 3600.0)


@cython.cclass
class Channel:
    """A file descriptor that the loop watches. Subclasses override :meth:`on_event`."""

    def __init__(self, fd: cython.int):
        self.fd = fd
        self.interest = 0
        self.reminded = False

    @cython.ccall
    def on_event(self, events: cython.int):
        """Called with READABLE and WRITABLE bits; errors and hang-ups set the bits watched for."""
        raise NotImplementedError


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def seconds() -> cython.double:
    """Seconds of a clock that is never set back."""
    reading = cython.declare(timespec)
    clock_gettime(CLOCK_MONOTONIC, cython.address(reading))
    return reading.tv_sec + reading.tv_nsec * 1e-9


@cython.cclass
class Hooks:
    """What a user of the loop does in every turn, before the wait and right after it."""

    @cython.ccall
    def before_sleep(self):
        """Called before each wait: send what is to be sent."""

    @cython.ccall
    def after_sleep(self):
        """Called after each wait, before its events."""


class Timer:
    """A callback at a time; :meth:`cancel` makes it none."""

    __slots__ = ("callback",)

    def __init__(self, callback):
        self.callback = callback

    def cancel(self) -> None:
        """Do not call it."""
        self.callback = None


@cython.cclass
class Loop:
    """Watches channels and timers until :meth:`stop`; ``hooks`` are called in every turn."""

    def __init__(self):
        self.poller = make_poller()
        # The descriptor of epoll, which the loop waits for by itself.
        self.epoll = epoll_descriptor(self.poller)
        self.channels = []
        self.timers = []
        self.timer_count = 0
        self.soon = []
        self.parting = []
        self.reminders = []
        self.threadsafe: deque = deque()
        self.next_timer = NEVER
        # When it began to wait the last time, and when that was over, in seconds.
        self.slept = self.woke = seconds()
        self.hooks = Hooks()
        self.stopping = False
        self.longest_wait = MAX_WAIT
        self.turns = 0
        self.waker = Waker(self)
        self.watch(self.waker, READABLE)

    # -- What is watched -------------------------------------------------------------------------

    @cython.ccall
    def watch(self, channel: Channel, interest: cython.int):
        """Watch ``channel`` for the READABLE and WRITABLE bits of ``interest``; 0 pauses it."""
        if interest == channel.interest:
            return
        if interest == 0:
            # The poller would tell of errors all the same, again and again.
            self.unwatch(channel)
            return
        fd: cython.int = channel.fd
        while len(self.channels) <= fd:
            self.channels.append(None)
        if self.channels[fd] is channel:
            self.poller.modify(fd, interest)
        else:
            self.poller.register(fd, interest)
            self.channels[fd] = channel
        channel.interest = interest

    @cython.ccall
    def unwatch(self, channel: Channel):
        """Forget ``channel``; must come before its descriptor is closed."""
        fd: cython.int = channel.fd
        if fd < len(self.channels) and self.channels[fd] is channel:
            self.channels[fd] = None
            self.poller.unregister(fd)
        channel.interest = 0

    @cython.ccall
    def remind(self, channel: Channel):
        """Tell ``channel`` that it is readable in this turn or the next one, without a wait.

        For input that it has taken from its descriptor, of which the poller knows nothing.
        """
        if not channel.reminded:
            channel.reminded = True
            self.reminders.append(channel)

    # -- Callbacks -------------------------------------------------------------------------------

    @cython.ccall
    def call_soon(self, callback):
        """Call ``callback()`` at the end of this turn, or of the next one."""
        self.soon.append(callback)

    @cython.ccall
    def call_before_wait(self, callback):
        """Call ``callback()`` before the next wait, after the before-sleep hook."""
        self.parting.append(callback)

    def call_later(self, delay: float, callback) -> Timer:
        """Call ``callback()`` once after ``delay`` seconds. O(log n) in the number of timers."""
        timer = Timer(callback)
        due: cython.double = seconds() + cython.cast(cython.double, delay)
        self.timer_count += 1
        heapq.heappush(self.timers, (due, self.timer_count, timer))
        self.next_timer = min(self.next_timer, due)
        return timer

    def call_from_thread(self, callback) -> None:
        """Call ``callback()`` in the loop's thread, from any thread; never if that has ended."""
        self.threadsafe.append(callback)
        self.wake()

    def wake(self) -> None:
        """Wake the loop, from any thread or from a signal handler."""
        self.waker.wake()

    @property
    def api(self) -> str:
        """The system call that waits, as INFO's multiplexing_api names it."""
        return poller_name(self.poller)

    @property
    def wakeup_fd(self) -> int:
        """Where ``signal.set_wakeup_fd`` may write to wake the loop for a signal."""
        return self.waker.sender.fileno()

    # -- Running ---------------------------------------------------------------------------------

    def run(self) -> None:
        """Turn until :meth:`stop` is called."""
        self.stopping = False
        while not self.stopping:
            self.turn()
        if self.parting:
            self.run_parting()

    def stop(self) -> None:
        """Leave :meth:`run` after the current turn."""
        self.stopping = True

    def close(self) -> None:
        """Give the loop's own descriptors back."""
        self.unwatch(self.waker)
        self.waker.close()
        self.poller.close()

    def limit_wait(self, longest: float) -> None:
        """Wait no longer than these seconds in this turn: called by the before-sleep hook."""
        self.longest_wait = min(self.longest_wait, max(longest, 0.0))

    @cython.ccall
    def turn(self):
        """One turn: hooks, a wait, events, reminders, timers, deferred callbacks."""
        self.hooks.before_sleep()
        if self.parting:
            self.run_parting()
        if self.stopping:
            return
        self.slept = seconds()
        if self.epoll >= 0:
            self.wait_for_epoll()
        else:
            self.wait_for_poller()
        if self.reminders:
            self.run_reminders()
        if self.next_timer <= self.woke:
            self.run_timers()
        if self.soon:
            self.run_soon()

    @cython.cfunc
    def wait_for_epoll(self):
        """Wait for events and tell their channels of them."""
        # Not the loop's: a channel may have the loop turn.
        ready = cython.declare(epoll_event[1024])
        milliseconds: cython.int = cython.cast(cython.int, ceil(self.timeout() * 1000))
        count: cython.int
        i: cython.int
        with cython.nogil:
            count = epoll_wait(self.epoll, ready, MAX_EVENTS, milliseconds)
        if count < 0 and errno != EINTR:
            raise OSError(errno, os.strerror(errno))
        if count < 0:
            PyErr_CheckSignals()
        self.turns += 1
        self.woke = seconds()
        self.hooks.after_sleep()
        for i in range(count):
            self.tell(ready[i].data.fd, ready[i].events)

    @cython.cfunc
    def wait_for_poller(self):
        """:meth:`wait_for_epoll` where there is another poller."""
        ready: list = self.poller.poll(self.timeout(), MAX_EVENTS)
        self.turns += 1
        self.woke = seconds()
        self.hooks.after_sleep()
        for fd, events in ready:
            self.tell(fd, events)

    @cython.cfunc
    def tell(self, fd: cython.int, events: cython.int):
        """Call the channel of a descriptor that something has happened to."""
        channel = self.channels[fd] if fd < len(self.channels) else None
        if channel is None:
            return  # an earlier event of this turn has ended it
        if events & ~(READABLE | WRITABLE):
            events = cython.cast(Channel, channel).interest
        cython.cast(Channel, channel).on_event(events)

    @cython.cfunc
    @cython.exceptval(check=False)
    def timeout(self) -> cython.double:
        """Seconds until the next timer, 0 if there is work already."""
        longest: cython.double = self.longest_wait
        self.longest_wait = MAX_WAIT
        if self.soon or self.reminders:
            return 0.0
        if self.next_timer < NEVER:
            longest = min(longest, self.next_timer - self.slept)
        # epoll counts in milliseconds and rounds up by itself: nothing turns around in vain.
        return max(longest, 0.0)

    @cython.cfunc
    def run_reminders(self):
        channels: list = self.reminders
        self.reminders = []
        channel: Channel
        for channel in channels:
            channel.reminded = False
            if channel.interest & READABLE:
                channel.on_event(READABLE)

    @cython.cfunc
    def run_timers(self):
        while self.timers and cython.cast(cython.double, self.timers[0][0]) <= self.woke:
            timer = heapq.heappop(self.timers)[2]
            if timer.callback is not None:
                timer.callback()
        self.next_timer = self.timers[0][0] if self.timers else NEVER

    @cython.cfunc
    def run_parting(self):
        # One that fails may leave others something to send, which must not wait for an event.
        while self.parting:
            callbacks: list = self.parting
            self.parting = []
            for callback in callbacks:
                callback()

    @cython.cfunc
    def run_soon(self):
        callbacks: list = self.soon
        self.soon = []
        for callback in callbacks:
            callback()

    def run_from_threads(self) -> None:
        """Callbacks that other threads have left."""
        while self.threadsafe:
            self.threadsafe.popleft()()


class Waker(Channel):
    """The two ends of a socket pair: a byte into one wakes the loop through the other."""

    def __init__(self, loop):
        self.loop = loop
        self.receiver, self.sender = socket_pair()
        super().__init__(self.receiver.fileno())

    def wake(self) -> None:
        """Wake the loop, from any thread or from a signal handler."""
        try:
            self.sender.send(b"\0")
        except BlockingIOError:
            pass  # full of bytes that wake it already
        except OSError:
            if self.sender.fileno() >= 0:
                raise

    def on_event(self, events) -> None:
        try:
            while len(self.receiver.recv(4096)) == 4096:
                pass
        except BlockingIOError:
            pass
        PyErr_CheckSignals()
        self.loop.run_from_threads()

    def close(self) -> None:
        """Close both ends."""
        self.receiver.close()
        self.sender.close()
