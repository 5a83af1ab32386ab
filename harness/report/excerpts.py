"""Cut out of the demo chat what a report shows of it: the code that is shown is the code that runs."""

from __future__ import annotations

import ast

from harness import ROOT
from harness.errors import HarnessError

_HINT = "the prose of a library names it; bring that up to date"


def of_code(file: str, name: str) -> str:
    """Return what *file* of this checkout has under *name*.

    In Python that is a class or function, or all that is assigned to a name or done by its methods, with the comment
    above it; in JavaScript a function; in a template the first line that has *name* in it, with what is indented below.

    Raises:
        HarnessError: it is not there, or the file is not; the prose that shows it is out of date.
    """
    try:
        text = (ROOT / file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise HarnessError(f"{file} cannot be read: {getattr(error, 'strerror', '') or error}", _HINT) from error
    lines = text.splitlines()
    if file.endswith(".py"):
        found = [_with_comment(lines, node) for node in ast.parse(text).body if _is_called(node, name)]
    else:
        starts = [
            at for at, line in enumerate(lines) if (f"function {name}(" if file.endswith(".js") else name) in line
        ]
        found = [_block(lines, at) for at in starts[:1]]
    if not found:
        raise HarnessError(f"{file} has no {name}", _HINT)
    return "\n".join(found)


def _is_called(node: ast.stmt, name: str) -> bool:
    """Tell whether *node* defines *name*, assigns to it or to a part of it, or calls a method of either.

    An ``if`` or a ``try`` does so where something in it does.
    """
    if isinstance(node, ast.If | ast.Try):
        return any(_is_called(each, name) for each in ast.walk(node) if isinstance(each, ast.stmt) and each is not node)
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return node.name == name
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        targets: list[ast.expr | None] = [node.value.func]
    else:
        targets = [*node.targets] if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    for target in targets:
        while isinstance(target, ast.Subscript | ast.Attribute):
            target = target.value
        if isinstance(target, ast.Name) and target.id == name:
            return True
    return False


def _with_comment(lines: list[str], node: ast.stmt) -> str:
    """Return the lines of *node*, with its decorators and the comment that stands right above it."""
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(each.lineno for each in decorators)]) - 1
    while first and lines[first - 1].startswith("#"):
        first -= 1
    return "\n".join(lines[first : node.end_lineno])


def _block(lines: list[str], first: int) -> str:
    """Return the line *first* and what is indented below it, with the line that ends a function or an element."""
    pad = lines[first][: len(lines[first]) - len(lines[first].lstrip())]
    last = first + 1
    while last < len(lines) and (not lines[last].strip() or lines[last].startswith(pad + " ")):
        last += 1
    if last < len(lines) and lines[last].startswith((pad + "}", pad + "</")):
        last += 1
    return "\n".join(each.removeprefix(pad) for each in lines[first:last]).rstrip()
