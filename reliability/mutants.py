"""Makes mutants: small changes to a module's source, found in its syntax tree, that the tests should notice."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

_COMPARISONS: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
}
_ARITHMETIC: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
}
_CALLS = {"min": "max", "max": "min", "any": "all", "all": "any"}


@dataclass(frozen=True)
class Mutant:
    """A small change to a module.

    :param line: the line that it is on
    :param code: the original line, without the blanks around it
    :param change: a description of the change
    :param start: where the changed text begins in the source
    :param end: where it ends
    :param text: the text that replaces it
    """

    line: int
    code: str
    change: str
    start: int
    end: int
    text: str

    def apply(self, source: str) -> str:
        """Return the source with the change."""
        return source[: self.start] + self.text + source[self.end :]


class _Source:
    """A source text, which finds the nodes of its syntax tree in the text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = text.splitlines()
        self._begins = [0]
        for line in text.splitlines(keepends=True):
            self._begins.append(self._begins[-1] + len(line))

    def offset(self, line: int, column: int) -> int:
        # ast counts columns in bytes of UTF-8, not in characters.
        return self._begins[line - 1] + len(self.lines[line - 1].encode()[:column].decode())

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self.offset(node.lineno, node.col_offset), self.offset(node.end_lineno, node.end_col_offset)

    def mutant(self, node: ast.expr | ast.stmt, start: int, end: int, text: str, change: str) -> Mutant:
        return Mutant(node.lineno, self.lines[node.lineno - 1].strip(), change, start, end, text)

    def replaced(self, node: ast.expr | ast.stmt, text: str, change: str) -> Mutant:
        return self.mutant(node, *self.span(node), text, change)

    def between(self, node: ast.expr, left: ast.expr, right: ast.expr, old: str, new: str) -> Iterator[Mutant]:
        """Return the mutant that replaces the operator between two operands."""
        begin, end = self.span(left)[1], self.span(right)[0]
        gap = self.text[begin:end]
        at = gap.find(old)
        if at >= 0:
            yield self.mutant(node, begin + at, begin + at + len(old), new, f"{old} becomes {new}")


def mutants(text: str) -> list[Mutant]:
    """Return all mutants of a module, in the order of its text.

    Messages, docstrings, annotations and code for the type checker are not changed.

    :param text: the module's source
    """
    source = _Source(text)
    found = [mutant for node in _code(ast.parse(text)) for mutant in _of(source, node)]
    return sorted(found, key=lambda mutant: (mutant.start, mutant.change))


def _code(tree: ast.Module) -> Iterator[ast.AST]:
    """Iterate over the nodes of code that is executed."""
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.JoinedStr):
            continue
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        yield node
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list"):
                continue
            todo += [child for child in (value if isinstance(value, list) else [value]) if isinstance(child, ast.AST)]


def _of(source: _Source, node: ast.AST) -> Iterator[Mutant]:
    match node:
        case ast.Compare():
            operands = [node.left, *node.comparators]
            for left, operator, right in zip(operands, node.ops, operands[1:], strict=False):
                yield from source.between(node, left, right, *_COMPARISONS[type(operator)])
        case ast.BoolOp():
            old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
            for left, right in zip(node.values, node.values[1:], strict=False):
                yield from source.between(node, left, right, old, new)
        case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div()):
            if not any(isinstance(side, ast.JoinedStr | ast.List) for side in (node.left, node.right)):
                yield from source.between(node, node.left, node.right, *_ARITHMETIC[type(node.op)])
        case ast.UnaryOp(op=ast.Not()):
            yield source.replaced(node, source.text[slice(*source.span(node.operand))], "not is left out")
        case ast.Constant(value=bool()):
            yield source.replaced(node, str(not node.value), f"{node.value!r} becomes {not node.value}")
        case ast.Constant(value=int() | float()):
            yield source.replaced(node, repr(node.value + 1), f"{node.value!r} becomes {node.value + 1!r}")
        case ast.Call(func=ast.Name(id=name)) if name in _CALLS:
            yield source.replaced(node.func, _CALLS[name], f"{name} becomes {_CALLS[name]}")
        case ast.If() | ast.IfExp():
            test = source.text[slice(*source.span(node.test))]
            yield source.replaced(node.test, f"(not ({test}))", "the condition is turned round")
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            yield source.replaced(value, "None", "None is returned")
        case ast.Assign(targets=[ast.Attribute()]) | ast.AugAssign() | ast.Raise():
            yield source.replaced(node, "pass", "the statement is left out")
        case ast.Expr(value=ast.Call()) | ast.Expr(value=ast.Await()):
            yield source.replaced(node, "pass", "the statement is left out")
