"""Runs beside each other, of which one goes on at a time, as a plan says."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from handler import clock
from tests.support.stack import Stack, intercepted

Choose = Callable[[Sequence[int]], int]
"""Which of the runs, by their numbers, goes on now."""


class Interleaving:
    """Runs in threads that stop before each request and in each pause.

    Time goes by only while all of them pause, until the first of them goes on. ``skews`` are by how
    much the clocks of the runs differ from the stack's.
    """

    def __init__(
        self, stack: Stack, choose: Choose, skews: Sequence[timedelta] | None = None
    ) -> None:
        self._stack = stack
        self._choose = choose
        self._skews = skews or ()
        self._turns: list[threading.Semaphore] = []
        self._stopped = threading.Semaphore(0)
        self._wakes: dict[int, float] = {}
        self._local = threading.local()
        self._active = 0

    def run(self, *runs: Callable[[], object]) -> list[object]:
        """The result of each run, or what it raised."""
        results: list[object] = [None] * len(runs)
        self._turns = [threading.Semaphore(0) for _ in runs]
        threads = [
            threading.Thread(target=self._live, args=(number, run, results), daemon=True)
            for number, run in enumerate(runs)
        ]
        with self._stopping():
            now = self._stack.time.timestamp()
            self._wakes = dict.fromkeys(range(len(runs)), now)
            for thread in threads:
                thread.start()
            while self._wakes:
                self._go_on()
        for thread in threads:
            thread.join(timeout=60)
        return results

    def _go_on(self) -> None:
        """Let one run go on until it stops again."""
        now = self._stack.time.timestamp()
        first = min(self._wakes.values())
        if first > now:
            self._stack.time += timedelta(seconds=first - now)
            now = first
        able = sorted(number for number, wake in self._wakes.items() if wake <= now)
        self._active = self._choose(able)
        self._turns[self._active].release()
        assert self._stopped.acquire(timeout=60), "a run does not stop"

    def _live(self, number: int, run: Callable[[], object], results: list[object]) -> None:
        self._local.number = number
        self._turns[number].acquire()
        try:
            results[number] = run()
        except BaseException as error:  # noqa: BLE001 -- it is the run's result
            results[number] = error
        del self._wakes[number]
        self._stopped.release()

    @contextmanager
    def _stopping(self) -> Iterator[None]:
        """Requests and pauses stop the run that they are of."""

        def answer(_request: Any, send: Callable[[], Any]) -> Any:
            self._stop(0)
            return send()

        with pytest.MonkeyPatch.context() as patch, intercepted(answer):
            patch.setattr(clock, "sleep", self._stop)
            patch.setattr(clock, "now", lambda: self._stack.time + self._skew())
            yield

    def _stop(self, seconds: float) -> None:
        number: int | None = getattr(self._local, "number", None)
        if number is None:
            # A thread that reads for a run does not stop.
            return
        self._wakes[number] = self._stack.time.timestamp() + seconds
        self._stopped.release()
        self._turns[number].acquire()

    def _skew(self) -> timedelta:
        return self._skews[self._active] if self._skews else timedelta()
