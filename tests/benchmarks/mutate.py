"""Which small faults in grouping and ladder would no test notice?

Run ``poe mutate`` (all of them), ``poe mutate 60`` (a sample of so many) or ``poe mutate 60 geo.escalation``
(of one module). Each mutant is one operator, number, bound or choice changed in grouping or ladder; it is killed when a
test fails. What survives is printed with its line. A mutant runs in a process of its own, forked from one in which the
tests passed. The sentences of reasons are not mutated.
"""

from __future__ import annotations

import ast
import copy
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import random
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import Phase, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).resolve().parents[2]
# What is tried on the mutants of each module, the quickest first.
TARGETS: Final = {
    "geo.course": ("tests/test_ladder.py", "tests/test_escalation.py", "tests/test_ladder_readings.py"),
    "geo.escalation": ("tests/test_ladder.py", "tests/test_escalation.py", "tests/test_ladder_readings.py"),
    "geo.incidents": ("tests/test_incidents.py", "tests/test_escalation.py", "tests/test_agreement.py"),
}
LIMIT_S: Final = 300  # a mutant that never ends is killed
SEED: Final = 1
SWAPS: Final[dict[type[ast.AST], type[ast.AST]]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.Add: ast.Sub, ast.Sub: ast.Add,
    ast.Mult: ast.Add, ast.And: ast.Or, ast.Or: ast.And, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip
NAMES: Final = {"min": "max", "max": "min", "any": "all", "all": "any"}


@dataclass(frozen=True)
class Mutant:
    """One module with one change."""

    module: str
    line: int
    was: str
    now: str
    source: str


def mutants(module: str) -> Iterator[Mutant]:
    """Yield every mutant of a module."""
    text = ROOT.joinpath(*module.split(".")).with_suffix(".py").read_text(encoding="utf-8")
    tree = ast.parse(text)
    for place, node in enumerate(_decisions(tree)):
        for choice in range(_choices(node)):
            changed = copy.deepcopy(tree)
            mine = _decisions(changed)[place]
            was = ast.unparse(mine)
            _change(mine, choice)
            yield Mutant(module, mine.lineno, was, ast.unparse(mine), ast.unparse(changed))


def _decisions(tree: ast.Module) -> list[ast.expr]:
    """Return the expressions inside functions that decide something, in order; no annotations, no sentences."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    found = [node for function in functions for line in function.body for node in _walk(line) if _choices(node)]
    return list(dict.fromkeys(found))


def _walk(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.JoinedStr | ast.Assert | ast.FunctionDef):
        return
    if isinstance(node, ast.expr):
        yield node
    for name, child in ast.iter_fields(node):
        if name != "annotation":
            for each in child if isinstance(child, list) else [child]:
                if isinstance(each, ast.AST):
                    yield from _walk(each)


def _choices(node: ast.expr) -> int:
    """Return in how many ways an expression can be changed."""
    match node:
        case ast.Compare(ops=ops):
            return sum(type(op) in SWAPS for op in ops)
        case ast.BinOp(op=op) | ast.BoolOp(op=op):
            return int(type(op) in SWAPS)
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.Invert()) | ast.IfExp():
            return 1
        case ast.Constant(value=bool() | int() | float()):
            return 1
        case ast.Name(id=name):
            return int(name in NAMES)
        case _:
            return 0


def _change(node: ast.expr, choice: int) -> None:
    match node:
        case ast.Compare(ops=ops):
            at = [n for n, op in enumerate(ops) if type(op) in SWAPS][choice]
            ops[at] = SWAPS[type(ops[at])]()  # type: ignore[call-overload]
        case ast.BinOp() | ast.BoolOp():
            node.op = SWAPS[type(node.op)]()  # type: ignore[assignment]
        case ast.UnaryOp():
            node.op = ast.UAdd() if isinstance(node.op, ast.USub) else ast.Not()
            if not isinstance(node.op, ast.UAdd):
                node.operand = ast.UnaryOp(ast.Not(), node.operand)
        case ast.IfExp():
            node.body, node.orelse = node.orelse, node.body
        case ast.Constant(value=bool()):
            node.value = not node.value
        case ast.Constant():
            node.value += 1  # type: ignore[operator]
        case ast.Name():
            node.id = NAMES[node.id]


class Instead(importlib.abc.Loader, importlib.abc.MetaPathFinder):
    """Imports a mutant in its module's place."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant

    def find_spec(self, name: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        """Answer for the one module."""
        return importlib.util.spec_from_loader(name, self) if name == self.mutant.module else None

    def exec_module(self, module: ModuleType) -> None:
        """Run the mutant's source."""
        exec(compile(self.mutant.source, f"<{self.mutant.module}>", "exec"), vars(module))  # noqa: S102 -- our own source


def killed(mutant: Mutant) -> bool:
    """Return whether some test fails, in a process of its own."""
    child = os.fork()
    if child == 0:
        signal.alarm(LIMIT_S)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        _forget(mutant.module)
        sys.meta_path.insert(0, Instead(mutant))
        _hurry()
        os._exit(int(any(map(_fails, TARGETS[mutant.module]))))
    return os.waitpid(child, 0)[1] != 0


def _hurry() -> None:
    """Let hypothesis stop at the first failure: nobody reads it."""
    strategies = importlib.import_module("strategies")
    vars(strategies)["PROFILE"] = settings(strategies.PROFILE, phases=[Phase.explicit, Phase.generate])


def _fails(file: str) -> bool:
    return pytest.main(["-x", "-q", "-p", "no:xdist", "-p", "no:warnings", "--no-header", file]) != 0


def _forget(module: str) -> None:
    """Forget a module and every one of ours that holds something of it, so that they are imported anew."""
    ours = {n: m for n, m in sys.modules.items() if str(ROOT) in str(getattr(m, "__file__", None))}
    gone, before = {module}, set[str]()
    while gone != before:
        before = set(gone)
        gone |= {name for name, each in ours.items() if any(_of(value) in before for value in vars(each).values())}
    for name in gone - {__name__}:
        sys.modules.pop(name, None)
    for parent in {name.rpartition(".")[0] for name in gone} & set(sys.modules):
        for name in gone:
            vars(sys.modules[parent]).pop(name.rpartition(".")[2], None)


def _of(value: object) -> str | None:
    return value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)


def main(sample: int | None, modules: list[str]) -> int:
    """Print the survivors and the share that was killed; 0 if that is at least nine in ten."""
    os.chdir(ROOT)
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    found = [mutant for module in modules for mutant in mutants(module)]
    chosen = found if sample is None else random.Random(SEED).sample(found, min(sample, len(found)))  # noqa: S311
    if any(_fails(file) for file in sorted({file for mutant in chosen for file in TARGETS[mutant.module]})):
        sys.stdout.write("the tests fail without any mutant: mend that first\n")
        return 1
    survivors = 0
    for mutant in sorted(chosen, key=lambda each: (each.module, each.line)):
        if not killed(mutant):
            survivors += 1
            sys.stdout.write(f"survived {mutant.module}:{mutant.line}: {mutant.was}  →  {mutant.now}\n")
            sys.stdout.flush()
    share = 1 - survivors / len(chosen)
    sys.stdout.write(f"{len(chosen) - survivors} of {len(chosen)} mutants killed ({share:.0%}; {len(found)} in all)\n")
    return 0 if share >= 0.9 else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else None, sys.argv[2:] or list(TARGETS)))
