"""Which small faults can a module have, and how is one of them put into a process that has imported it?

Each mutant is one operator, number, bound or choice changed inside a function or a method. Left out are: the sentences
of reasons; what ``assert`` holds; ``strict`` of ``zip``, which like it can only stop what never happens; and what lays
things out for compiled loops, where most changes make a search wider and no answer another.

A fault is put in place by giving the function another code: whoever holds the function holds the faulty one, and
nothing is imported anew.
"""

from __future__ import annotations

import ast
import copy
import importlib
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

ROOT: Final = Path(__file__).resolve().parents[2]
SWAPS: Final[dict[type[ast.AST], type[ast.AST]]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.Add: ast.Sub, ast.Sub: ast.Add,
    ast.Mult: ast.Add, ast.And: ast.Or, ast.Or: ast.And, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip
NAMES: Final = {"min": "max", "max": "min", "any": "all", "all": "any"}
# Functions that lay things out for compiled loops: cells, orders, margins.
LAYOUT: Final = {
    "geo.agreement": {"searched", "_sorted", "_body", "_traits", "_by_number", "_crowd", "_measured"},
    "geo.linking": {"_compiled", "_in_order", "_by_block", "_steps"},
}
_HIT: Final = "_lines_that_were_run"


@dataclass(frozen=True)
class Mutant:
    """One change to a module: the choice-th one of its place-th decision, which ``statement`` (a line) depends on."""

    module: str
    place: int
    choice: int
    line: int
    statement: int
    was: str
    now: str


def mutants(module: str) -> Iterator[Mutant]:
    """Yield every mutant of a module."""
    for place, (statement, node) in enumerate(_decisions(_parsed(module), LAYOUT.get(module, set()))):
        for choice in range(_choices(node)):
            changed = copy.deepcopy(node)
            _change(changed, choice)
            words = ast.unparse(node), ast.unparse(changed)
            yield Mutant(module, place, choice, node.lineno, statement.lineno, *words)


def install(mutant: Mutant) -> None:
    """Let the functions of the module that this process has imported be those of the mutant."""
    tree = _parsed(mutant.module)
    _change(_decisions(tree, LAYOUT.get(mutant.module, set()))[mutant.place][1], mutant.choice)
    _exchange(mutant.module, ast.fix_missing_locations(tree))


def probe(module: str) -> set[int]:
    """Let every statement of a module's functions note its line when it is run; return where it is noted."""
    tree, found = _parsed(module), set[int]()
    vars(importlib.import_module(module))[_HIT] = found.add
    for function in _functions(tree):
        _noted(function)
    _exchange(module, ast.fix_missing_locations(tree))
    return found


def unprobe(module: str) -> None:
    """Let the functions of a module be what its file says."""
    _exchange(module, _parsed(module))


def _parsed(module: str) -> ast.Module:
    return ast.parse(_file(module).read_text(encoding="utf-8"))


def _file(module: str) -> Path:
    return ROOT.joinpath(*module.split(".")).with_suffix(".py")


def _noted(node: ast.AST) -> None:
    """Put before each statement of a block, and of the blocks within it, a note of its line."""
    for name, block in ast.iter_fields(node):
        if not (
            isinstance(block, list) and block and isinstance(block[0], ast.stmt | ast.excepthandler | ast.match_case)
        ):
            continue
        for each in block:
            _noted(each)
        if isinstance(block[0], ast.stmt):
            vars(node)[name] = [part for each in block for part in (_note(each), each)]


def _note(statement: ast.stmt) -> ast.stmt:
    return ast.copy_location(ast.parse(f"{_HIT}({statement.lineno})").body[0], statement)


def _functions(tree: ast.Module) -> list[ast.FunctionDef]:
    """Return the functions and methods that are not within another function."""
    within = [*tree.body, *(each for node in tree.body if isinstance(node, ast.ClassDef) for each in node.body)]
    return [node for node in within if isinstance(node, ast.FunctionDef)]


def _decisions(tree: ast.Module, but: Collection[str]) -> list[tuple[ast.stmt, ast.expr]]:
    """Return the expressions that decide something inside functions but some, each with its statement, in order."""
    return [
        (statement, node)
        for function in _functions(tree)
        if function.name not in but
        for line in function.body
        for statement, node in _walk(line, line)
        if _choices(node)
    ]


def _walk(node: ast.AST, statement: ast.stmt) -> Iterator[tuple[ast.stmt, ast.expr]]:
    """Yield the expressions of a statement and of those within it; no annotations, no sentences."""
    if isinstance(node, ast.JoinedStr | ast.Assert) or (isinstance(node, ast.keyword) and node.arg == "strict"):
        return
    if isinstance(node, ast.stmt):
        statement = node
    if isinstance(node, ast.expr):
        yield statement, node
    for name, child in ast.iter_fields(node):
        if name not in {"annotation", "returns", "args"} or isinstance(node, ast.Call):
            for each in child if isinstance(child, list) else [child]:
                if isinstance(each, ast.AST):
                    yield from _walk(each, statement)


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
        case ast.UnaryOp(op=ast.USub()):
            node.op = ast.UAdd()
        case ast.UnaryOp():
            node.operand = ast.UnaryOp(node.op, node.operand)  # twice is as good as not at all
        case ast.IfExp():
            node.body, node.orelse = node.orelse, node.body
        case ast.Constant(value=bool()):
            node.value = not node.value
        case ast.Constant():
            node.value += 1  # type: ignore[operator]
        case ast.Name():
            node.id = NAMES[node.id]


def _exchange(module: str, tree: ast.Module) -> None:
    """Give the functions of an imported module the codes that a tree of it is compiled to."""
    codes = dict(_codes(compile(tree, str(_file(module)), "exec")))
    holder = importlib.import_module(module)
    for owner in (holder, *(each for each in vars(holder).values() if _own_class(each, module))):
        for each in vars(owner).values():
            function = _plain(each)
            if function is not None and function.__module__ == module and function.__qualname__ in codes:
                function.__code__ = codes[function.__qualname__]


def _own_class(value: object, module: str) -> bool:
    return isinstance(value, type) and value.__module__ == module


def _plain(value: Any) -> FunctionType | None:  # noqa: ANN401 -- whatever a module or a class holds
    """Return the function that a property, a method or a cache calls."""
    for name in ("__func__", "fget", "func", "__wrapped__"):
        value = getattr(value, name, None) or value
    return value if isinstance(value, FunctionType) else None


def _codes(code: CodeType) -> Iterator[tuple[str, CodeType]]:
    """Yield the code of every function within another, by its full name."""
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield each.co_qualname, each
            if "<locals>" not in each.co_qualname:
                yield from _codes(each)
