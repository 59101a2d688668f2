"""Small changes of a module's functions, one at a time: what a slip of the hand would do.

Only bodies of functions are changed, for these can be exchanged in a process that has loaded the
module (`installed`). Not changed: what is logged, the words of messages, annotations, defaults,
decorators and class bodies; the breakages of `mutants` are for those.
"""

import ast
import gc
import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

#: An operator -> what it becomes, one mutant each.
COMPARISONS: Final[Mapping[type[ast.cmpop], tuple[type[ast.cmpop], ...]]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
OPERATIONS: Final[Mapping[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
#: Of these calls each condition is left out once.
QUERIES: Final = frozenset({"filter", "exclude", "get", "Q", "update"})
#: A text is cut at some length or other: one more or less is nobody's fault.
LONGEST_SLICE: Final = 10
Function = ast.FunctionDef | ast.AsyncFunctionDef
Code = types.CodeType


@dataclass(frozen=True)
class Site:
    """One change of one place; `make` does it in the tree it was found in."""

    function: str
    lines: range
    before: str
    after: str
    parent: ast.AST
    field: str
    index: int | None
    new: ast.AST

    @property
    def what(self) -> str:
        return f"{self.before}  →  {self.after}"

    def make(self) -> None:
        if self.index is None:
            setattr(self.parent, self.field, self.new)
        else:
            getattr(self.parent, self.field)[self.index] = self.new


def sites(tree: ast.Module) -> Iterator[Site]:
    """Every change that can be made, always in the same order."""
    for name, function in functions(tree):
        yield from _within(function, name, function, range(0))


def functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, Function]]:
    """Functions of the module and methods of its classes, by their qualified names."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield from functions(node, f"{prefix}{node.name}.")
        elif isinstance(node, Function):
            yield f"{prefix}{node.name}", node


def _within(parent: ast.AST, name: str, function: Function, lines: range) -> Iterator[Site]:
    for field, index, node in _children(parent):
        if _is_left_out(node):
            continue
        inside = lines
        if isinstance(node, ast.stmt):
            last = node.body[0].lineno - 1 if _has_body(node) else node.end_lineno
            inside = range(node.lineno, max(node.lineno, last or 0) + 1)
        for new in _replacements(node):
            before, after = _told(node), _told(new)
            yield Site(name, inside, before, after, parent, field, index, new)
        if not isinstance(node, ast.Raise):  # only words are in it
            yield from _within(node, name, function, inside)


def _children(parent: ast.AST) -> Iterator[tuple[str, int | None, ast.AST]]:
    for field, value in ast.iter_fields(parent):
        if isinstance(parent, Function) and field != "body":
            continue
        if field in ("annotation", "decorator_list", "op", "ops", "ctx"):
            continue
        if isinstance(value, ast.AST):
            yield field, None, value
        elif isinstance(value, list):
            yield from (
                (field, index, each)
                for index, each in enumerate(value)
                if isinstance(each, ast.AST)
            )


def _has_body(node: ast.AST) -> bool:
    return bool(getattr(node, "body", None)) and not isinstance(node, ast.Lambda)


def _is_left_out(node: ast.AST) -> bool:
    if isinstance(node, ast.JoinedStr | ast.Slice):
        return isinstance(node, ast.JoinedStr) or _is_long(node)
    if not isinstance(node, ast.Expr):
        return False
    value = node.value
    if isinstance(value, ast.Constant):
        return True
    return (
        isinstance(value, ast.Call)
        and isinstance(value.func, ast.Attribute)
        and isinstance(value.func.value, ast.Name)
        and value.func.value.id == "log"
    )


def _is_long(node: ast.Slice) -> bool:
    ends = [each.value for each in (node.lower, node.upper) if isinstance(each, ast.Constant)]
    return any(isinstance(each, int) and each > LONGEST_SLICE for each in ends)


def _replacements(node: ast.AST) -> Iterator[ast.AST]:
    for kind in (_of_conditions, _of_values, _of_statements, _of_queries):
        yield from kind(node)


def _of_conditions(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(left, [operator], right):
            for each in COMPARISONS[type(operator)]:
                yield _copied(node, ast.Compare(left, [each()], right))
        case ast.BoolOp(operator, values):
            other = ast.Or() if isinstance(operator, ast.And) else ast.And()
            yield _copied(node, ast.BoolOp(other, values))
        case ast.UnaryOp(ast.Not(), operand):
            yield operand
        case ast.If(ast.Name() | ast.Attribute() | ast.Call() as test, body, orelse):
            turned = _copied(test, ast.UnaryOp(ast.Not(), test))
            yield _copied(node, ast.If(turned, body, orelse))
        case ast.IfExp(test, body, orelse):
            for value in (True, False):
                yield _copied(node, ast.IfExp(_copied(test, ast.Constant(value)), body, orelse))


def _of_values(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.BinOp(ast.JoinedStr()) | ast.BinOp(right=ast.JoinedStr()):
            return
        case ast.BinOp(left, operator, right) if type(operator) in OPERATIONS:
            yield _copied(node, ast.BinOp(left, OPERATIONS[type(operator)](), right))
        case ast.Constant(bool() as value):
            yield _copied(node, ast.Constant(not value))
        case ast.Constant(int() as value):
            yield _copied(node, ast.Constant(value + 1))
        case ast.Return(ast.expr() as value) if not isinstance(value, ast.Constant):
            yield _copied(node, ast.Return(_copied(value, ast.Constant(None))))
        case ast.AugAssign(target, operator, value) if type(operator) in OPERATIONS:
            yield _copied(node, ast.AugAssign(target, OPERATIONS[type(operator)](), value))


def _of_statements(node: ast.AST) -> Iterator[ast.AST]:
    """Left out; a name that is not assigned would only be an error of its own."""
    left_out = isinstance(node, ast.Raise | ast.Continue | ast.Break)
    match node:
        case ast.Expr(ast.Call()):
            left_out = True
        case ast.Assign(targets):
            fields = ast.Attribute | ast.Subscript
            left_out = all(isinstance(each, fields) for each in _names(targets))
    if left_out:
        yield _copied(node, ast.Pass())


def _of_queries(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Call(function, args, keywords) if (
            _name(function) in QUERIES and len(args) + len(keywords) > 1
        ):
            for place in range(len(keywords)):
                rest = keywords[:place] + keywords[place + 1 :]
                yield _copied(node, ast.Call(function, args, rest))


def _names(targets: Iterable[ast.expr]) -> Iterator[ast.expr]:
    for each in targets:
        yield from each.elts if isinstance(each, ast.Tuple) else [each]


def _name(function: ast.expr) -> str:
    return str(getattr(function, "attr", getattr(function, "id", "")))


def _copied(old: ast.AST, new: Any) -> Any:
    return ast.fix_missing_locations(ast.copy_location(new, old))


def _told(node: ast.AST) -> str:
    """The first line of it, as it would be written."""
    first = ast.unparse(node).splitlines()[0]
    return first if len(first) <= 110 else f"{first[:107]}..."


# In a process that has loaded the module


class _Watched(ast.NodeTransformer):
    """Says before each statement of a function that it is reached."""

    def visit(self, node: ast.AST) -> Any:
        self.generic_visit(node)
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if isinstance(block, list) and not isinstance(node, ast.Module | ast.ClassDef):
                setattr(node, field, [part for each in block for part in self._told(each)])
        return node

    def _told(self, statement: ast.stmt) -> list[ast.stmt]:
        call = ast.Call(ast.Name("__reached__", ast.Load()), [ast.Constant(statement.lineno)], [])
        return [_copied(statement, ast.Expr(call)), statement]


def watched(path: Path) -> Code:
    return compile(_Watched().visit(ast.parse(path.read_text())), str(path), "exec")


def mutated(path: Path, number: int) -> Code:
    """The module with its change of that number."""
    tree = ast.parse(path.read_text())
    for place, site in enumerate(sites(tree)):
        if place == number:
            site.make()
            return compile(tree, str(path), "exec")
    raise IndexError(number)


def codes(module: Code, prefix: str = "") -> Iterator[tuple[str, Code]]:
    """The functions of a compiled module and of its classes; not those within functions."""
    for each in module.co_consts:
        if isinstance(each, Code) and "<" not in each.co_name:
            yield each.co_qualname, each
            is_function = each.co_flags & 0x2  # CO_NEWLOCALS
            if not is_function:
                yield from codes(each)


class Loaded:
    """The functions of some modules as this process has them, decorated or not."""

    def __init__(self, paths: Iterable[Path]) -> None:
        files = {str(path) for path in paths}
        self.functions: dict[tuple[str, str, int], list[types.FunctionType]] = {}
        for each in gc.get_objects():
            if isinstance(each, types.FunctionType) and each.__code__.co_filename in files:
                self.functions.setdefault(self._key(each.__code__), []).append(each)

    @staticmethod
    def _key(code: Code) -> tuple[str, str, int]:
        return code.co_filename, code.co_qualname, code.co_firstlineno

    def install(self, module: Code, only: str = "", **names: Any) -> int:
        """Exchange the code of its functions; how many were found."""
        done = 0
        for qualname, code in codes(module):
            if only and qualname != only:
                continue
            for function in self.functions.get(self._key(code), []):
                function.__globals__.update(names)
                function.__code__ = code
                done += 1
        return done
