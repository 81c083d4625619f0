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
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

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
_HIT: Final = "_come_to"


@dataclass(frozen=True)
class Mutant:
    """One change to a module: the choice-th one of its place-th decision.

    ``name`` says in words what it is, and tells it apart in its module wherever lines move.
    """

    module: str
    place: int
    choice: int
    line: int
    name: str


def mutants(module: str) -> Iterator[Mutant]:
    """Yield every mutant of a module."""
    alike = Counter[str]()
    for place, each in enumerate(_decisions(_parsed(module), LAYOUT.get(module, set()))):
        for choice in range(_choices(each.node)):
            changed = copy.deepcopy(each)
            _change(changed.node, choice)
            name = f"{each.function}: {ast.unparse(each.around)} → {ast.unparse(changed.around)}"
            alike[name] += 1
            name += f" ({alike[name]})" if alike[name] > 1 else ""
            yield Mutant(module, place, choice, each.node.lineno, name)


def install(mutant: Mutant) -> None:
    """Let the functions of the module that this process has imported be those of the mutant."""
    tree = _parsed(mutant.module)
    _change(_decisions(tree, LAYOUT.get(mutant.module, set()))[mutant.place].node, mutant.choice)
    _exchange(mutant.module, ast.fix_missing_locations(tree))


def probe(module: str) -> set[int]:
    """Let every decision of a module note its place when it is come to; return where it is noted."""
    tree, found = _parsed(module), set[int]()
    vars(importlib.import_module(module))[_HIT] = found.add
    places = {each.node: place for place, each in enumerate(_decisions(tree, LAYOUT.get(module, set())))}
    _exchange(module, ast.fix_missing_locations(_Noting(places).visit(tree)))
    return found


def unprobe(module: str) -> None:
    """Let the functions of a module be what its file says."""
    _exchange(module, _parsed(module))


def _parsed(module: str) -> ast.Module:
    return ast.parse(_file(module).read_text(encoding="utf-8"))


def _file(module: str) -> Path:
    return ROOT.joinpath(*module.split(".")).with_suffix(".py")


class _Noting(ast.NodeTransformer):
    """Puts before each of some expressions a note of its place."""

    def __init__(self, places: dict[ast.expr, int]) -> None:
        self._places = places

    def visit(self, node: ast.AST) -> ast.AST:
        """Return ``note(place) or node`` for those, as a note says nothing; anything else with what is in it."""
        self.generic_visit(node)
        if not isinstance(node, ast.expr) or node not in self._places:
            return node
        note = ast.Call(ast.Name(_HIT, ast.Load()), [ast.Constant(self._places[node])], [])
        return ast.copy_location(ast.BoolOp(ast.Or(), [note, node]), node)


def _functions(tree: ast.Module) -> dict[str, ast.FunctionDef]:
    """Return by full name the functions and methods that are not within another function; what comes last counts."""
    owned = [("", node) for node in tree.body]
    owned += [(f"{node.name}.", each) for node in tree.body if isinstance(node, ast.ClassDef) for each in node.body]
    return {f"{owner}{node.name}": node for owner, node in owned if isinstance(node, ast.FunctionDef)}


class _Decision(NamedTuple):
    """An expression that decides something, what is around it, and the function that it stands in."""

    node: ast.expr
    around: ast.expr
    function: str


def _decisions(tree: ast.Module, but: Collection[str]) -> list[_Decision]:
    """Return the expressions that decide something inside functions but some, in order."""
    return [
        _Decision(node, around, name)
        for name, function in _functions(tree).items()
        if function.name not in but
        for line in function.body
        for node, around in _walk(line, None)
        if _choices(node)
    ]


def _walk(node: ast.AST, around: ast.expr | None) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield the expressions within a statement or an expression; no annotations, no sentences.

    Each comes with the least expression around it that is more than a number or a name: ``around`` holds this node.
    """
    if isinstance(node, ast.JoinedStr | ast.Assert) or (isinstance(node, ast.keyword) and node.arg == "strict"):
        return
    if isinstance(node, ast.stmt):
        around = None
    if isinstance(node, ast.expr):
        says_more = not isinstance(node, ast.Constant | ast.Name | ast.UnaryOp | ast.Slice)
        around = node if says_more or around is None else around
        yield node, around
    for name, child in ast.iter_fields(node):
        if name not in {"annotation", "returns", "args"} or isinstance(node, ast.Call):
            for each in child if isinstance(child, list) else [child]:
                if isinstance(each, ast.AST):
                    yield from _walk(each, around)


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
