"""What the demo is told on: a clock that can be moved, calls that are timed, and checks that must hold."""

from __future__ import annotations

import os
import textwrap
import time
from collections.abc import Callable
from typing import TextIO, TypeVar

from safeconduct import Error, Grant

T = TypeVar("T")

WIDTH = 80
PLAIN = str.maketrans({"─": "-", "…": "...", "→": "->", "µ": "u", "✓": "+", "✗": "!", "·": "-"})
COLOURS = {"bold": "1", "dim": "2", "green": "32", "red": "31", "cyan": "36"}


class Unexpected(Exception):
    """A step did not do what it says."""


class Clock:
    """The time when the story begins; it moves only when it is told to, so a slow machine changes nothing."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


class Stage:
    """Prints the story, and counts what held."""

    def __init__(self, out: TextIO) -> None:
        self.clock = Clock()
        self.steps = self.checks = 0
        self._out = out
        is_plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        self._is_coloured = out.isatty() and not is_plain
        self._is_unicode = "utf" in (out.encoding or "").lower()

    def step(self, title: str, rule: str) -> None:
        """Begins a step: what it is, and the rule that decides it."""
        self.steps += 1
        self.say()
        self.say(self.paint("bold", f"{self.steps:2}  {title}"))
        for line in textwrap.wrap(rule, WIDTH - 4):
            self.say("    " + self.paint("dim", line))

    def call(self, shown: str, expected: str, call: Callable[[], T]) -> T:
        """Makes a call that must give something, and end as expected."""
        value, reason, took = _timed(call)
        self._decided(shown, expected, _outcome(value) if reason is None else reason.reason, took)
        if value is None and reason is not None:
            raise Unexpected(f"{shown} gave nothing")
        return value  # type: ignore[return-value]

    def refused(self, shown: str, expected: str, call: Callable[[], object]) -> Error:
        """Makes a call that must be refused for the expected reason."""
        value, error, took = _timed(call)
        if error is None:
            raise Unexpected(f"{shown} should be refused as {expected}, and was {_outcome(value)}")
        self._decided(shown, expected, error.reason, took)
        return error

    def check(self, holds: object, text: str) -> None:
        """Says what holds, where it does."""
        if not holds:
            raise Unexpected(f"it does not hold that {text}")
        self.checks += 1
        for number, line in enumerate(textwrap.wrap(text, WIDTH - 6)):
            self.say("    " + (self.paint("green", "✓") if number == 0 else " ") + " " + line)

    def show(self, name: str, token: str | None, note: str = "") -> None:
        """A token, shortened."""
        if token is None:
            raise Unexpected(f"there is no {name}")
        self.say(f"      {name:<13} {short(token):<30} {note}".rstrip())

    def wait(self, seconds: float, text: str) -> None:
        """Moves the clock."""
        self.clock.now += seconds
        self.say("    " + self.paint("cyan", f"· {text} pass (simulated: the clock is moved)"))

    def say(self, text: str = "") -> None:
        """Prints a line."""
        self._out.write((text if self._is_unicode else text.translate(PLAIN)) + "\n")

    def paint(self, colour: str, text: str) -> str:
        """The text in a colour, where somebody sees it."""
        return f"\x1b[{COLOURS[colour]}m{text}\x1b[0m" if self._is_coloured else text

    def _decided(self, shown: str, expected: str, outcome: str, took: float) -> None:
        if outcome != expected:
            raise Unexpected(f"{shown} should give {expected}, and gave {outcome}")
        self.checks += 1
        self.say(f"    {shown:<44} → {self.paint('bold', f'{outcome:<21}')}{lasted(took):>9}")


def short(token: str) -> str:
    """Enough of a token to tell it from others."""
    return f"{token[:16]}…{token[-8:]}" if len(token) > 30 else token


def lasted(seconds: float) -> str:
    """A duration as people read it."""
    return f"{seconds * 1e6:.0f} µs" if seconds < 1e-3 else f"{seconds * 1e3:.1f} ms"


def _timed(call: Callable[[], T]) -> tuple[T | None, Error | None, float]:
    started = time.perf_counter()
    try:
        return call(), None, time.perf_counter() - started
    except Error as error:
        return None, error, time.perf_counter() - started


def _outcome(value: object) -> str:
    if isinstance(value, Grant):
        return value.outcome
    return value if isinstance(value, str) else "done" if value is None or isinstance(value, list) else "accepted"
