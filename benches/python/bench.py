"""bench.py RESULT [ROUNDS]: every library verifies the same token; the times go to RESULT as JSON.

One process; in each round every library has its turn, in another order, for about a millisecond. What is kept of each is
the first decile of its rounds: what it costs when nobody else is using the machine. Before that every library is seen to
accept the good token and to refuse four that are wrong in one thing each; `--check` does that alone.
"""
import gc
import json
import pathlib
import random
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

from peers import ALGORITHMS, Keys, Verify, eight_claims, floor, forged, peers, token

# joserfc calls EdDSA deprecated (RFC 9864) at every token.
warnings.simplefilter("ignore")


def fault(verify: Verify, good: str, exp: int, wrong: dict[str, str]) -> str | None:
    """The first thing a library does wrong, if there is one."""
    try:
        if verify(good) != exp:
            return "reads another `exp`"
    except Exception as error:
        return f"refuses the good token: {error!r}"
    for what, bad in wrong.items():
        try:
            verify(bad)
        except Exception:
            continue
        return f"accepts a token although {what}"
    return None


def check() -> None:
    """Ends the process where a library leaves a check out, or where that would not be seen."""
    for algorithm in ALGORITHMS:
        keys, now = Keys.of(algorithm), int(time.time())
        good, wrong = token(keys, eight_claims(now)), forged(keys, now)
        for name, verify in peers(keys).items():
            found = fault(verify, good, now + 600, wrong)
            if found is not None:
                sys.exit(f"{algorithm}, {name}: {found}")
        # One that leaves out a single check, for each of them, and one that refuses everything.
        strict = next(iter(peers(keys).values()))
        for what, let_through in wrong.items():
            lax = lambda text: now + 600 if text == let_through else strict(text)
            assert fault(lax, good, now + 600, wrong) == f"accepts a token although {what}"
        assert "refuses the good token" in (fault(lambda _: 1 // 0, good, now + 600, wrong) or "")


def batch(function: Callable[[], Any], count: int) -> float:
    """Nanoseconds for each of so many calls."""
    began = time.perf_counter_ns()
    for _ in range(count):
        function()
    return (time.perf_counter_ns() - began) / count


def measured(algorithm: str, rounds: int) -> dict[str, float]:
    keys, now = Keys.of(algorithm), int(time.time())
    good = token(keys, eight_claims(now))
    functions: dict[str, Callable[[], Any]] = {"floor": floor(keys, good.rpartition(".")[0].encode())}
    for name, verify in peers(keys).items():
        functions[name] = lambda verify=verify: verify(good)
    counts = {name: max(1, int(1e6 / batch(function, 50))) for name, function in functions.items()}
    times: dict[str, list[float]] = {name: [] for name in functions}
    order = list(functions)
    for _ in range(rounds):
        random.shuffle(order)
        for name in order:
            times[name].append(batch(functions[name], counts[name]))
    return {name: sorted(each)[len(each) // 10] for name, each in times.items()}


def main() -> None:
    check()
    if sys.argv[1:] == ["--check"]:
        return
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    gc.disable()
    result = {algorithm: measured(algorithm, rounds) for algorithm in ALGORITHMS}
    pathlib.Path(sys.argv[1]).write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
