"""Which small faults in grouping and ladder would no test notice?

Run ``poe mutate`` (all of them), ``poe mutate 60`` (a sample of so many) or ``poe mutate 60 geo.escalation`` (of one
module). A mutant (``mutants``) is killed when a test fails, or takes many times as long as it does without. At the end
it lists what survived, and the share that was killed, module by module.

Mutants come in an order that is drawn once: the first 60 are among the first 300, and ``--skip 300`` takes others than
these. A run that is stopped tells what it has found so far, and the next one goes on from there if no file has changed;
if one has, every mutant is tried anew, but first by the test that killed it last time.

What no test can tell from the code as it is stands in ``equivalents``, each with the argument why. These are not tried
and count neither as killed nor as survivors; ``--doubt`` tries them all the same, and names those that a test tells.

The tests are run once without any fault, each for itself, to learn which expressions it comes to and how long it takes.
A mutant is then shown, in a process of its own, only the tests that come to its expression, up to the first that fails:
first those that promise most for their time, by what they killed of its module; as many as take ``BUDGET_S`` together.
A property is tried on few examples first, and on more later.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import json
import os
import random
import resource
import signal
import sys
from collections import Counter, defaultdict
from contextlib import suppress
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest
from equivalents import EQUIVALENTS
from mutants import ROOT, install, mutants, probe, unprobe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mutants import Mutant

# Grouping and ladder, in the order in which they are read. What is compiled is left out (bonds, crowds, halves,
# partners, queues, searches, sweeps, woods): with a fault it must be compiled anew, for longer than its tests take.
TARGETS: Final = (
    "geo.standing", "geo.quantities", "geo.qualification", "geo.agreement", "geo.violations", "geo.sights",
    "geo.nearest", "geo.linking", "geo.arrangement", "geo.verdicts", "geo.incidents", "geo.course", "geo.throngs",
    "geo.bridges", "geo.escalation", "geo.decisions", "geo.suspects", "geo.evidence", "geo.knowing", "geo.breaches",
)  # fmt: skip
TESTS: Final = (
    "test_agreement", "test_bridges", "test_copies", "test_coverage", "test_escalation", "test_evidence",
    "test_exemptions", "test_incidents", "test_knowing", "test_ladder", "test_ladder_readings", "test_linking",
    "test_nearest", "test_partners", "test_quantities", "test_reviews", "test_standing", "test_stories",
    "test_throngs", "test_violations", "test_without_a_shot",
)  # fmt: skip
SEED: Final = 1
EXAMPLES: Final = 100  # that a property is tried on, at most
FEW: Final = 4  # so many times fewer are tried at first
NEAR: Final = 12  # expressions around a mutant that tell which tests are about it
BUDGET_S: Final = 40  # of tests, by their usual time, that a mutant is shown
TIMES: Final = 10  # as long as without a fault may a test take
PATIENCE_S: Final = 5  # and so much longer
MEMORY: Final = 4 << 30  # bytes that a fault may take
STUCK_S: Final = 600  # after which one that only waits is killed
NOTES: Final = ROOT / ".mutation_cache"


class Show(NamedTuple):
    """A test, and on how many examples at most it is tried if it is a property."""

    item: pytest.Item
    examples: int


class Notes:
    """What was learned and found on the very same files, from run to run."""

    def __init__(self) -> None:
        told = hashlib.sha256()
        for folder in ("geo", "pipelines", "tests", "data"):
            for path in sorted(ROOT.joinpath(folder).rglob("*.*")):
                if path.suffix in {".py", ".toml"}:
                    told.update(path.read_bytes())
        NOTES.mkdir(exist_ok=True)
        earlier = sorted(NOTES.glob("*.jsonl"), key=lambda path: path.stat().st_mtime)
        notes = (json.loads(line) for path in earlier for line in path.read_text(encoding="utf-8").splitlines())
        kills = (note for note in notes if "name" in note and note["killer"])
        self.killers = {(note["module"], note["name"]): note["killer"] for note in kills}
        self._file = NOTES / f"{told.hexdigest()[:16]}.jsonl"
        lines = self._file.read_text(encoding="utf-8").splitlines() if self._file.exists() else []
        self._every = [json.loads(line) for line in lines]

    def add(self, **note: object) -> None:
        """Write something down at once."""
        with self._file.open("a", encoding="utf-8") as out:
            out.write(json.dumps(note) + "\n")

    def of(self, kind: str) -> Iterator[dict[str, Any]]:
        """Yield what was written down before of one kind."""
        return (note for note in self._every if note["kind"] == kind)


class Trial:
    """A run of pytest that shows every mutant to the tests."""

    def __init__(self, chosen: list[Mutant]) -> None:
        self.chosen = chosen
        self.killers: dict[Mutant, str | None] = {}  # the test that killed it, ``None``: none did
        self.failed = False
        self.runs: dict[tuple[str, int], list[pytest.Item]] = defaultdict(list)
        self.most: dict[pytest.Item, int] = {}  # examples that a property is tried on; 0: it is no property
        self.cost_s: dict[pytest.Item, float] = {}
        self.kills, self.shows = Counter[tuple[str, Show]](), Counter[tuple[str, Show]]()  # by module
        self.notes = Notes()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take note of a failure."""
        self.failed |= report.failed

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the tests without any fault, and then with each."""
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        self.most = {item: _most(item) for item in session.items}
        with suppress(KeyboardInterrupt):  # what was found so far is told
            self.recall(session.items)
            new = [item for item in session.items if item not in self.cost_s]
            if not new or self.learn(new):
                _say(f"{len(self.cost_s)} tests take {sum(self.cost_s.values()):.0f} s without any mutant")
                self.try_all()
        return True

    def recall(self, items: list[pytest.Item]) -> None:
        """Take what earlier runs learned and found."""
        named = {item.nodeid: item for item in items}
        for note in self.notes.of("test"):
            self.learned(named[note["test"]], note["cost_s"], note["places"])
        tried = {(note["module"], note["name"]): note["killer"] for note in self.notes.of("mutant")}
        names = ((mutant, (mutant.module, mutant.name)) for mutant in self.chosen)
        self.killers = {mutant: tried[name] for mutant, name in names if name in tried}

    def learned(self, item: pytest.Item, cost_s: float, places: dict[str, list[int]]) -> None:
        """Take what a test costs and comes to."""
        self.cost_s[item] = cost_s
        for module, some in places.items():
            for place in some:
                self.runs[module, place].append(item)

    def learn(self, items: list[pytest.Item]) -> bool:
        """Run every test alone; return whether all passed."""
        noted = {module: probe(module) for module in TARGETS}
        for n, item in enumerate(items, start=1):
            for found in noted.values():
                found.clear()
            _forget()
            before = process_time()
            _run(Show(item, self.most[item]))
            cost_s = process_time() - before
            places = {module: sorted(found) for module, found in noted.items() if found}
            if self.failed:
                _say(f"{item.nodeid} fails without any mutant: mend that first")
                return False
            self.learned(item, cost_s, places)
            self.notes.add(kind="test", test=item.nodeid, cost_s=cost_s, places=places)
            if not n % 50:
                _say(f"... {n} of {len(items)} tests run without any mutant")
        for module in TARGETS:
            unprobe(module)
        _forget()
        self.failed = self.shown(None, self.within_budget(Show(item, self.most[item]) for item in items)).killed
        if self.failed:
            _say("a test fails in a process of its own without any mutant: mend that first")
        return not self.failed

    def try_all(self) -> None:
        """Show every mutant that was not tried before to the tests."""
        gc.freeze()  # else each child walks through all that was made before it
        for n, mutant in enumerate(self.chosen, start=1):
            if mutant not in self.killers:
                self.try_one(mutant)
            if not n % 20:
                _say(f"... {n} of {len(self.chosen)}, {len(self.survivors)} survived")

    @property
    def survivors(self) -> list[Mutant]:
        """The mutants that no test killed, so far."""
        return [mutant for mutant, killer in self.killers.items() if killer is None]

    def try_one(self, mutant: Mutant) -> None:
        """Show a mutant to the tests, and write down which of them killed it."""
        items, rare = self.runs[mutant.module, mutant.place], self.rare(mutant)
        shows = {Show(item, n) for item in items for n in (-(-self.most[item] // FEW), self.most[item])}
        last = self.notes.killers.get((mutant.module, mutant.name))
        hopes = {show: (show.item.nodeid != last, *self.hope(mutant.module, show, rare[show.item])) for show in shows}
        order = sorted(shows, key=hopes.__getitem__)
        found = self.shown(mutant, self.within_budget(order))
        of = mutant.module, ""
        self.shows.update((module, show) for show in found.begun for module in of)
        killer = None
        if found.killed:
            self.kills.update((module, found.begun[-1]) for module in of)
            killer = found.begun[-1].item.nodeid
        else:
            _say(f"survived {_words(mutant)}")
        self.killers[mutant] = killer
        self.notes.add(kind="mutant", module=mutant.module, name=mutant.name, killer=killer)

    def rare(self, mutant: Mutant) -> Counter[pytest.Item]:
        """Return how much each test runs, near a mutant, that few others run: it is about what happens there.

        A test of the module's own file is about it, too.
        """
        own = f"test_{mutant.module.rpartition('.')[2]}"
        found = Counter({item: 1.0 for item in self.runs[mutant.module, mutant.place] if item.path.stem == own})
        for place in range(mutant.place - NEAR, mutant.place + NEAR + 1):
            items = self.runs.get((mutant.module, place), [])
            found.update(dict.fromkeys(items, 1.0 / (1 + len(items))))
        return found

    def hope(self, module: str, show: Show, rare: float) -> tuple[float, str, int]:
        """Return the key of which the least is shown first: seconds per mutant of the module that it may kill."""
        share = (self.kills["", show] + (0.5 if show.examples else 0.02) + rare) / (self.shows["", show] + 1)
        share = (self.kills[module, show] + 2 * share) / (self.shows[module, show] + 2)
        return self.takes_s(show) / share, show.item.nodeid, show.examples

    def takes_s(self, show: Show) -> float:
        """Return how long a test takes without any mutant."""
        return self.cost_s[show.item] * (show.examples / self.most[show.item] if show.examples else 1.0)

    def within_budget(self, shows: Iterable[Show]) -> list[Show]:
        """Return the first of the tests, as many as a mutant is shown."""
        left_s, some = float(BUDGET_S), []
        for show in shows:
            left_s -= self.takes_s(show)
            if left_s > 0.0:
                some.append(show)
        return some

    def shown(self, mutant: Mutant | None, shows: list[Show]) -> Found:
        """Show a mutant to tests up to the first that fails, in a process of its own."""
        told, tell = os.pipe()
        child = os.fork()
        if child == 0:
            with suppress(BaseException):  # whatever a mutant does, this process must not go on as its parent
                self.show(mutant, shows, tell)
            os._exit(1)
        os.close(tell)
        try:
            status = os.waitpid(child, 0)[1]
        except KeyboardInterrupt:
            os.kill(child, signal.SIGKILL)
            raise
        with os.fdopen(told, "rb") as begun:
            tried = len(begun.read())
        if status and not tried:
            msg = f"{mutant} could not be put in place"
            raise RuntimeError(msg)
        return Found(shows[:tried], status != 0)

    def show(self, mutant: Mutant | None, shows: list[Show], tell: int) -> None:
        """Run tests on a mutant up to the first that fails, telling of each that it begins, and leave."""
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        _bound()
        if mutant is not None:
            install(mutant)
        for show in shows:
            os.write(tell, b".")
            signal.setitimer(signal.ITIMER_PROF, PATIENCE_S + TIMES * self.takes_s(show))
            _run(show)
            if self.failed:
                os._exit(1)
        os._exit(0)


class Found(NamedTuple):
    """The tests that a mutant was shown, and whether the last of them killed it."""

    begun: list[Show]
    killed: bool


def _most(item: pytest.Item) -> int:
    """Return on how many examples a property is tried at most; 0: it is no property."""
    usual = getattr(getattr(item, "obj", None), "_hypothesis_internal_use_settings", None)
    return 0 if usual is None else min(usual.max_examples, EXAMPLES)


def _run(show: Show) -> None:
    """Run a test with what it needs made anew, and taken down.

    Hypothesis tries the same examples every time, and stops at the first failure: nobody reads it.
    """
    from hypothesis import Phase, settings  # noqa: PLC0415 -- pytest must be the first to import it

    if show.examples:
        tried = show.item.obj  # type: ignore[attr-defined]  # a test's function
        vars(tried)["_hypothesis_internal_use_settings"] = settings(
            tried._hypothesis_internal_use_settings,  # noqa: SLF001 -- there is no other way to change them
            max_examples=show.examples,
            phases=[Phase.explicit, Phase.generate],
            derandomize=True,
            database=None,
        )
    show.item.ihook.pytest_runtest_protocol(item=show.item, nextitem=None)


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


def _words(mutant: Mutant) -> str:
    return f"{mutant.module}:{mutant.line}: {mutant.name}"


def _say(line: str) -> None:
    sys.__stdout__.write(f"{line}\n")
    sys.__stdout__.flush()


def told(trial: Trial, equivalent: int) -> int:
    """Print the survivors and the share that was killed; 0 if that is at least nine in ten of all that can be."""
    survivors, tried = trial.survivors, len(trial.killers)
    for mutant in sorted(survivors, key=lambda one: (one.module, one.line)):
        _say(f"survived {_words(mutant)}")
    many, left = (Counter(mutant.module for mutant in each) for each in (trial.killers, survivors))
    for module in sorted(many):
        _say(f"{module}: {many[module] - left[module]} of {many[module]}")
    share = 1 - len(survivors) / max(tried, 1)
    _say(f"{tried - len(survivors)} of {tried} mutants killed ({share:.1%})")
    if equivalent:
        _say(f"not among them: {equivalent} equivalent ones, which no test can tell")
    if tried < len(trial.chosen):
        _say(f"stopped: {len(trial.chosen) - tried} of {len(trial.chosen)} were not tried")
    return 0 if tried == len(trial.chosen) and share >= 0.9 else 1


def doubted(trial: Trial) -> int:
    """Print which of those that are said to be equivalent a test tells; 0 if there is none."""
    wrong = {mutant: killer for mutant, killer in trial.killers.items() if killer is not None}
    for mutant, killer in wrong.items():
        _say(f"not equivalent: {_words(mutant)}, says {killer}")
    _say(f"{len(trial.killers) - len(wrong)} of {len(trial.chosen)} equivalent mutants were told by no test")
    return 1 if wrong or len(trial.killers) < len(trial.chosen) else 0


def main() -> int:
    """Try as many mutants as were asked for, and tell what became of them."""
    asked = argparse.ArgumentParser()
    asked.add_argument("sample", type=int, nargs="?")
    asked.add_argument("modules", nargs="*", default=TARGETS)
    asked.add_argument("--skip", type=int, default=0)
    asked.add_argument("--doubt", action="store_true")
    given = asked.parse_args()
    os.chdir(ROOT)
    found = [mutant for module in given.modules for mutant in mutants(module)]
    random.Random(SEED).shuffle(found)  # noqa: S311
    drawn = found[given.skip :][: given.sample]
    equivalent = [mutant for mutant in drawn if mutant.name in EQUIVALENTS.get(mutant.module, {})]
    trial = Trial(equivalent if given.doubt else [mutant for mutant in drawn if mutant not in equivalent])
    files = [f"tests/{name}.py" for name in TESTS]
    plain = ["-p", "no:xdist", "-p", "no:terminal", "-p", "no:cacheprovider", "-o", "addopts=", "-m", "not slow"]
    if pytest.main([*plain, *files], plugins=[trial]) or trial.failed:
        return 1
    return doubted(trial) if given.doubt else told(trial, len(equivalent))


if __name__ == "__main__":
    sys.exit(main())
