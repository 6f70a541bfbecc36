"""`help()` says what the stubs say: one text in two places, and this is what keeps it one."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import safeconduct
from safeconduct import _native

STUB = Path(safeconduct.__file__).with_name("_native.pyi")


def test_every_public_name_is_documented_and_the_same_at_run_time() -> None:
    classes = [node for node in ast.parse(STUB.read_text()).body if isinstance(node, ast.ClassDef)]
    assert {node.name for node in classes} == {name for name in _native.__all__ if name[0] != "_"}
    for node in classes:
        actual = getattr(_native, node.name)
        documented = [ast.get_docstring(node)]
        for member in node.body:
            if not isinstance(member, ast.FunctionDef) or (text := ast.get_docstring(member)) is None:
                continue
            if member.name == "__new__":
                documented.append(text)
            else:
                assert inspect.getdoc(getattr(actual, member.name)) == text, f"{node.name}.{member.name}"
        assert inspect.getdoc(actual) == "\n\n".join(text for text in documented if text), node.name


def test_no_public_method_is_without_a_docstring() -> None:
    for name in _native.__all__:
        for method in dir(getattr(_native, name)):
            if inspect.isclass(getattr(_native, name)) and not method.startswith("_"):
                assert inspect.getdoc(getattr(getattr(_native, name), method)), f"{name}.{method}"
