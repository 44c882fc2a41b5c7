"""The rules for docstrings of public classes, functions, methods and properties, by their parsed sections."""

from __future__ import annotations

import builtins
import functools
import importlib
import inspect
import re
import typing
from collections.abc import Iterator
from typing import Any, NamedTuple

from numpydoc_sections import Docstring, parse
from source_tree import modules

from mrl import errors

MEMBERS = (property, functools.cached_property, classmethod, staticmethod)


class Subject(NamedTuple):
    """Something public that has a docstring."""

    package: str
    name: str
    value: Any
    classes: tuple[type, ...] = ()  # of a member: the public classes that have it, where its example may be

    @property
    def is_class(self) -> bool:
        return inspect.isclass(self.value)

    @property
    def is_property(self) -> bool:
        return isinstance(self.value, property | functools.cached_property)

    @property
    def function(self) -> Any:
        """What is called; of a property its getter."""
        value: Any = self.value.fget if isinstance(self.value, property) else self.value
        return getattr(value, "func", None) or getattr(value, "__func__", None) or value

    @property
    def doc(self) -> Docstring:
        if not self.classes:
            return parse(self.value.__doc__)
        return parse(inspect.getdoc(getattr(self.classes[0], self.name.rpartition(".")[2])) or self.function.__doc__)


REEXPORTS = {"mrl.dataloaders", "mrl.torch_core", "mrl.imports", "mrl.torch_imports", "mrl.__main__"}


def public_modules() -> list[str]:
    """Return the packages, and the modules directly in mrl that define something."""
    return [name for name in modules() if name.count(".") == 1 and name not in REEXPORTS]


@functools.cache
def subjects() -> list[Subject]:
    """Return every public class and function of mrl, and their methods and properties, each of them once."""
    found: dict[int, Subject] = {}
    members: dict[tuple[type, str], list[type]] = {}
    for root in public_modules():
        module = importlib.import_module(root)
        for name in getattr(module, "__all__", ()):
            value = getattr(module, name)
            if str(getattr(value, "__module__", "")).startswith("mrl") and (
                inspect.isclass(value) or inspect.isroutine(value) or hasattr(value, "__wrapped__")
            ):
                found.setdefault(id(value), Subject(root.removeprefix("mrl."), name, value))
    for subject in found.values():
        if subject.is_class:
            for owner, name in own_members(subject.value):
                members.setdefault((owner, name), []).append(subject.value)
    return [
        *found.values(),
        *(
            Subject(owner.__module__.split(".")[1], f"{owner.__name__}.{name}", vars(owner)[name], tuple(classes))
            for (owner, name), classes in members.items()
        ),
    ]


def own_members(cls: type) -> Iterator[tuple[type, str]]:
    """Yield the public methods and properties of a class that are defined in mrl, each with the defining class."""
    for name in dir(cls):
        owner = next((base for base in cls.__mro__ if name in vars(base)), object)
        value = vars(owner).get(name)
        is_member = inspect.isfunction(value) or isinstance(value, MEMBERS) or hasattr(value, "__wrapped__")
        if is_member and not name.startswith("_") and owner.__module__.startswith("mrl."):
            yield owner, name


def parameters(subject: Subject) -> dict[str, inspect.Parameter]:
    """Return the parameters of a call without ``self``; none for a class whose constructor is not defined in mrl."""
    if subject.is_property:
        return {}
    if subject.is_class:
        cls = subject.value
        package = cls.__module__.partition(".")[0]
        own = [vars(base) for base in cls.__mro__ if base.__module__.partition(".")[0] == package]
        if not any("__init__" in names or "_fields" in names for names in own) or getattr(cls, "_is_protocol", False):
            return {}
        return dict(inspect.signature(cls).parameters)
    found = dict(inspect.signature(subject.function).parameters)
    if subject.classes and not isinstance(subject.value, staticmethod):
        found.pop(next(iter(found)))
    return found


def returns_something(subject: Subject) -> bool:
    if subject.is_class or subject.is_property:
        return False
    annotation = inspect.signature(subject.function).return_annotation
    return annotation not in (None, "None", "NoReturn", "Never", typing.NoReturn, typing.Never)


def is_one_liner(subject: Subject) -> bool:
    """Return whether one sentence with the only parameter in backticks says as much as sections would."""
    doc = subject.doc
    return (
        len(parameters(subject)) <= 1
        and parameters(subject).keys() <= doc.quoted
        and not {*doc.sections} - {"Examples", "Raises"}
        and doc.summary[:1] != []
        and doc.summary[0].startswith(("Return ", "Yield "))
    )


def problems(subject: Subject) -> Iterator[str]:
    """Yield what is missing or wrong in a docstring."""
    doc = subject.doc
    if not doc.summary:
        yield "no docstring"
        return
    if len(doc.summary) > 1 or not doc.summary[0].endswith("."):
        yield "the summary is not one line that ends with a full stop"
    if not is_one_liner(subject):
        yield from problems_of_parameters(subject)
        if returns_something(subject) and not {"Returns", "Yields"} & {*doc.sections}:
            yield "no section Returns or Yields"
    if not (returns_something(subject) or subject.is_class or subject.is_property) and "Returns" in doc.sections:
        yield "a section Returns, but nothing is returned"
    for name in doc.entries("Raises"):
        known = vars(builtins) | vars(errors) | {cls.__name__: cls for cls in public_classes()}
        if not is_exception(known.get(name.removeprefix("mrl.errors."))):
            yield f"Raises: {name} is not an exception"
    if not has_example(subject):
        yield "no example"


def problems_of_parameters(subject: Subject) -> Iterator[str]:
    docs = [subject.doc]
    if subject.is_class:
        owner = next(base for base in subject.value.__mro__ if "__init__" in vars(base))
        docs += [parse(owner.__doc__ if owner in public_classes() else ""), parse(owner.__init__.__doc__)]
    listed = {name for doc in docs for name in [*doc.entries("Parameters"), *doc.entries("Other Parameters")]}
    attributes = {name for doc in docs for name in doc.entries("Attributes")} if subject.is_class else set()
    expected = parameters(subject)
    if missing := [name for name in expected if name not in listed | attributes]:
        yield f"no entry in the section Parameters: {', '.join(missing)}"
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in expected.values())
    own = subject.doc.entries("Parameters")
    if not takes_any and (extra := [name for name in own if name not in expected]):
        yield f"in the section Parameters, but not in the signature: {', '.join(extra)}"


def public_classes() -> set[type]:
    return {subject.value for subject in subjects() if subject.is_class}


def is_exception(value: object) -> bool:
    return inspect.isclass(value) and issubclass(value, BaseException)


def has_example(subject: Subject) -> bool:
    """Return whether there is an example: in the docstring, or by ``.name`` in that of a class that has the member."""
    if subject.doc.examples or is_exception(subject.value):
        return True
    name = subject.name.rpartition(".")[2]
    docs = [parse(cls.__doc__) for offered in subject.classes for cls in offered.__mro__ if cls is not object]
    return any(re.search(rf"\.{name}\b", doc.examples) for doc in docs)


def incomplete_docstrings() -> Iterator[tuple[str, str]]:
    """Yield a package and a problem of one of its docstrings."""
    for subject in subjects():
        for problem in problems(subject):
            yield subject.package, f"mrl.{subject.package}: {subject.name}: {problem}"
