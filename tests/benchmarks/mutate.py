"""Which small faults in grouping and ladder would no test notice?

Run ``poe mutate`` (all of them), ``poe mutate 60`` (a sample of so many) or ``poe mutate 60 geo.escalation``
(of one module). A mutant (``mutants``) is killed when a test fails, or takes many times as long as it does without.
What survives is printed with its line, then the share that was killed, module by module.

The tests are run once without any fault, each for itself, to learn which statements it runs and how long that takes. A
mutant is then shown, in a process of its own, only the tests that run its statement, up to the first that fails: first
those that killed others of its module, then the quickest, as many as take ``BUDGET_S`` together. Mutants come in a
random order, so that what was found up to any moment is a sample too.
"""

from __future__ import annotations

import os
import random
import resource
import signal
import sys
from collections import Counter, defaultdict
from contextlib import suppress
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, Final

import pytest
from mutants import ROOT, install, mutants, probe, unprobe

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mutants import Mutant

# Grouping and ladder, in the order in which they are read. What is compiled is left out (bonds, crowds, halves,
# partners, queues, searches, sweeps, woods): with a fault it must be compiled anew, for longer than its tests take.
TARGETS: Final = (
    "geo.standing", "geo.quantities", "geo.qualification", "geo.agreement", "geo.violations", "geo.sights",
    "geo.nearest", "geo.linking", "geo.arrangement", "geo.verdicts", "geo.incidents", "geo.course", "geo.bridges",
    "geo.escalation", "geo.decisions", "geo.suspects", "geo.evidence", "geo.knowing", "geo.breaches",
)  # fmt: skip
TESTS: Final = (
    "test_agreement", "test_bridges", "test_escalation", "test_evidence", "test_incidents", "test_ladder",
    "test_ladder_readings", "test_linking", "test_nearest", "test_partners", "test_quantities", "test_reviews",
    "test_standing", "test_stories", "test_violations", "test_without_a_shot",
)  # fmt: skip
SEED: Final = 1
EXAMPLES: Final = 100  # that a property is tried on, at most
BUDGET_S: Final = 30  # of tests, by their usual time, that a mutant is shown
TIMES: Final = 10  # as long as without a fault may a test take
PATIENCE_S: Final = 5  # and so much longer
MEMORY: Final = 4 << 30  # bytes that a fault may take
STUCK_S: Final = 600  # after which one that only waits is killed


class Trial:
    """A run of pytest that shows every mutant to the tests."""

    def __init__(self, chosen: list[Mutant]) -> None:
        self.chosen = chosen
        self.survivors: list[Mutant] = []
        self.failed = False
        self.runs: dict[tuple[str, int], list[pytest.Item]] = defaultdict(list)
        self.cost_s: dict[pytest.Item, float] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take note of a failure."""
        self.failed |= report.failed

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the tests without any fault, and then with each."""
        for item in session.items:
            _hurry(item)
        if not self.learn(session.items):
            return True
        kills: Counter[tuple[str, pytest.Item]] = Counter()
        if self.shown(None, self.within_budget(session.items)) is not None:
            _say("a test fails in a process of its own without any mutant: mend that first")
            self.failed = True
            return True
        for n, mutant in enumerate(self.chosen, start=1):
            killer = self.killer(mutant, kills)
            if killer is None:
                self.survivors.append(mutant)
                _say(f"survived {mutant.module}:{mutant.line}: {mutant.was}  →  {mutant.now}")
            else:
                kills[mutant.module, killer] += 1
            if not n % 20:
                _say(f"... {n} of {len(self.chosen)}, {len(self.survivors)} survived")
        return True

    def learn(self, items: list[pytest.Item]) -> bool:
        """Run every test alone; return whether all passed."""
        modules = sorted({mutant.module for mutant in self.chosen})
        lines = {module: probe(module) for module in modules}
        for item in items:
            for found in lines.values():
                found.clear()
            _forget()
            before = process_time()
            _run(item)
            self.cost_s[item] = process_time() - before
            if self.failed:
                _say(f"{item.nodeid} fails without any mutant: mend that first")
                return False
            for module, found in lines.items():
                for line in found:
                    self.runs[module, line].append(item)
        for module in modules:
            unprobe(module)
        _forget()
        _say(f"{len(items)} tests take {sum(self.cost_s.values()):.0f} s without any mutant")
        return True

    def killer(self, mutant: Mutant, kills: Counter[tuple[str, pytest.Item]]) -> pytest.Item | None:
        """Return a test that fails on a mutant."""
        items = sorted(
            self.runs[mutant.module, mutant.statement],
            key=lambda item: (not _is_property(item), self.cost_s[item] / (1 + kills[mutant.module, item])),
        )
        return self.shown(mutant, self.within_budget(items))

    def within_budget(self, items: Iterable[pytest.Item]) -> list[pytest.Item]:
        """Return the first of the tests, as many as a mutant is shown."""
        left_s, some = float(BUDGET_S), []
        for item in items:
            left_s -= self.cost_s[item]
            if left_s > 0.0:
                some.append(item)
        return some

    def shown(self, mutant: Mutant | None, items: list[pytest.Item]) -> pytest.Item | None:
        """Return the first test that fails on a mutant, in a process of its own."""
        shown, tell = os.pipe()
        child = os.fork()
        if child == 0:
            with suppress(BaseException):  # whatever a mutant does, this process must not go on as its parent
                self.show(mutant, items, tell)
            os._exit(1)
        os.close(tell)
        status = os.waitpid(child, 0)[1]
        with os.fdopen(shown, "rb") as told:
            tried = len(told.read())
        if status and not tried:
            msg = f"{mutant} could not be put in place"
            raise RuntimeError(msg)
        return items[tried - 1] if status else None

    def show(self, mutant: Mutant | None, items: list[pytest.Item], tell: int) -> None:
        """Run tests on a mutant up to the first that fails, telling of each that it begins, and leave."""
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        _bound()
        if mutant is not None:
            install(mutant)
        for item in items:
            os.write(tell, b".")
            signal.setitimer(signal.ITIMER_PROF, PATIENCE_S + TIMES * self.cost_s[item])
            _run(item)
            if self.failed:
                os._exit(1)
        os._exit(0)


def _is_property(item: pytest.Item) -> bool:
    """Return whether a test tries many worlds: one of the first tells of most faults."""
    return hasattr(getattr(item, "obj", None), "hypothesis")


def _run(item: pytest.Item) -> None:
    """Run a test with what it needs made anew, and taken down."""
    item.ihook.pytest_runtest_protocol(item=item, nextitem=None)


def _hurry(item: pytest.Item) -> None:
    """Let hypothesis try the same few examples every time, and stop at the first failure: nobody reads it."""
    from hypothesis import Phase, settings  # noqa: PLC0415 -- pytest must be the first to import it

    tried = getattr(item, "obj", None)
    usual = getattr(tried, "_hypothesis_internal_use_settings", None)
    if usual is not None:
        vars(tried)["_hypothesis_internal_use_settings"] = settings(
            usual,
            max_examples=min(usual.max_examples, EXAMPLES),
            phases=[Phase.explicit, Phase.generate],
            derandomize=True,
            database=None,
        )


def _forget() -> None:
    """Forget what functions of ours remember: it was found without a fault."""
    for module in list(sys.modules.values()):
        if str(getattr(module, "__file__", None)).startswith(str(ROOT)):
            for value in list(vars(module).values()):
                getattr(value, "cache_clear", int)()


def _bound() -> None:
    """Let this process end when it takes much memory, or waits for long."""
    signal.alarm(STUCK_S)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = MEMORY + pages * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _say(line: str) -> None:
    sys.__stdout__.write(f"{line}\n")
    sys.__stdout__.flush()


def main(sample: int | None, modules: list[str]) -> int:
    """Print the survivors and the share that was killed; 0 if that is at least nine in ten."""
    os.chdir(ROOT)
    found = [mutant for module in modules for mutant in mutants(module)]
    chosen = random.Random(SEED).sample(found, min(sample or len(found), len(found)))  # noqa: S311
    trial = Trial(chosen)
    files = [f"tests/{name}.py" for name in TESTS]
    plain = ["-p", "no:xdist", "-p", "no:terminal", "-p", "no:cacheprovider", "-o", "addopts=", "-m", "not slow"]
    if pytest.main([*plain, *files], plugins=[trial]) or trial.failed:
        return 1
    many, left = (Counter(mutant.module for mutant in each) for each in (chosen, trial.survivors))
    for module in sorted(many):
        _say(f"{module}: {many[module] - left[module]} of {many[module]}")
    killed, share = many.total() - left.total(), 1 - left.total() / many.total()
    _say(f"{killed} of {many.total()} mutants killed ({share:.1%}; {len(found)} in all, seed {SEED})")
    return 0 if share >= 0.9 else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else None, sys.argv[2:] or list(TARGETS)))
