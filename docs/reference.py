"""A Sphinx extension that writes pages of the site.

The reference has a page for each package, from the public names in its ``__all__``; the documents of the root have one
each.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import types
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst.states import Inliner
from jobs import JOBS, PACKAGES, Job, job_of, public_names
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.domains.python import PyXRefRole

PROJECT = ["CONTRIBUTING.md", "CHANGELOG.md"]  # documents of the root that have a page in the site


def top_level() -> dict[str, str]:
    """Map each name of the top level to the package that it comes from."""
    import mrl

    homes = (line.split() for line in Path(mrl.__file__).with_suffix(".pyi").read_text().splitlines())
    return {words[-1]: words[1] for words in homes if words and words[0] == "from" and words[1] != "mrl"}


def kind(value: object) -> str:
    """Return the directive that documents a value."""
    if inspect.isclass(value):
        return "autoexception" if issubclass(value, BaseException) else "autoclass"
    return "autofunction" if callable(value) and hasattr(value, "__name__") else "data"


def comment(package: types.ModuleType, name: str) -> str:
    """Return the comment above the line that defines a constant: values such as a dict have no docstring."""
    for path in sorted(Path(package.__path__[0]).rglob("*.py")):
        lines = path.read_text(encoding="utf-8").splitlines()
        for node in ast.parse("\n".join(lines)).body:
            targets = [node.target] if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [])
            if name in [target.id for target in targets if isinstance(target, ast.Name)]:
                above = []
                for line in reversed(lines[: node.lineno - 1]):
                    if not line.startswith("# "):
                        break
                    above.append(line[2:])
                behind = lines[node.end_lineno - 1].partition("  # ")[2]
                return " ".join([*reversed(above), behind]).strip()
    return ""


def constant(package: types.ModuleType, name: str) -> Iterator[str]:
    """Yield the entry of a constant: its type, its value if that is short, and its comment."""
    value = getattr(package, name)
    yield from [f".. py:data:: {name}", f"   :type: {type(value).__name__}"]
    if len(repr(value)) < 100 and "object at" not in repr(value):
        yield f"   :value: {value!r}"
    yield from ["", f"   {comment(package, name)}"]


def page(name: str, title: str) -> Iterator[str]:
    """Yield the lines of the page of one package."""
    package = importlib.import_module(f"mrl.{name}")
    heading = f"mrl.{name}: {title}"
    yield from [heading, "=" * len(heading), "", f".. currentmodule:: mrl.{name}", ""]
    short = {public for public, home in top_level().items() if home == f"mrl.{name}"}
    if short:
        yield from [
            "Also at the top level: "
            + ", ".join(f"`{public} <mrl.{name}.{public}>`" for public in sorted(short))
            + ".",
            "",
        ]
    groups: dict[str, list[str]] = {"Classes": [], "Exceptions": [], "Functions": [], "Constants": []}
    titles = {"autoclass": "Classes", "autoexception": "Exceptions", "autofunction": "Functions", "data": "Constants"}
    for public in public_names(package):
        groups[titles[kind(getattr(package, public))]].append(public)
    for group, names in groups.items():
        if not names:
            continue
        yield from [group, "-" * len(group), ""]
        for public in sorted(names, key=str.lower):
            directive = kind(getattr(package, public))
            yield from constant(package, public) if directive == "data" else [f".. {directive}:: {public}"]
            yield ""


def write(path: Path, lines: Iterator[str] | list[str]) -> None:
    """Write a page unless it stands there already, so that an unchanged page is not built again."""
    text = "\n".join(lines) + "\n"
    path.parent.mkdir(exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def build(app: Sphinx) -> None:
    """Write the generated pages into folders of the source folder, from which Sphinx reads them next."""
    root = Path(app.srcdir).parent
    for file in PROJECT:
        text = (root / file).read_text(encoding="utf-8").replace("](docs/", "](../")
        write(Path(app.srcdir) / "project" / file, [text])
    folder = Path(app.srcdir) / "reference"
    for name, title in PACKAGES.items():
        write(folder / f"{name}.rst", page(name, title))
    write(folder / "index.rst", index())


def index() -> Iterator[str]:
    """Yield the lines of the index: the packages, then every public name by the job that it serves."""
    yield from ["Reference", "=========", "", "Every public name, from its docstring: by package, and by job.", ""]
    yield from ["By package", "----------", "", ".. toctree::", "   :maxdepth: 1", ""]
    yield from [*(f"   {name}" for name in PACKAGES), "", "By job", "------", ""]
    names: dict[Job, list[str]] = {job: [] for job in JOBS}
    for name in PACKAGES:
        package = importlib.import_module(f"mrl.{name}")
        for public in public_names(package):
            names[job_of(package, public)].append(f"{name}.{public}")
    shared = Counter(full.rpartition(".")[2] for found in names.values() for full in found)
    for job, found in names.items():
        yield from [job.title, "^" * len(job.title), "", f"Guide: :doc:`../{job.guide}`.", ""]
        links = []
        for full in sorted(found, key=lambda full: full.rpartition(".")[2].lower()):
            short = full.rpartition(".")[2]
            links.append(f"`{short if shared[short] == 1 else full} <mrl.{full}>`")
        yield from [", ".join(links) + ".", ""]


class NameRole(PyXRefRole):
    """Text in single backquotes: a link if it is the name of something public, else code.

    An argument such as `n` is also the name of an attribute somewhere, which a plain cross-reference would link to.
    """

    names: frozenset[str] = frozenset()

    def __call__(
        self,
        name: str,
        rawtext: str,
        text: str,
        lineno: int,
        inliner: Inliner,
        options: dict | None = None,
        content: Sequence[str] = (),
    ) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the nodes of the text."""
        target = text.rpartition("<")[2].rstrip(">")
        if not self.names:
            NameRole.names = frozenset(
                public for package in PACKAGES for public in public_names(importlib.import_module(f"mrl.{package}"))
            )
        if "." in target or target in self.names:
            return super().__call__("py:obj", rawtext, text, lineno, inliner, options or {}, content)
        return [nodes.literal(rawtext, text)], []


def project_links(app: Sphinx, name: str, lines: list[str]) -> None:
    """Make links from docs/ to the documents of the root lead to their pages in the site."""
    for file in PROJECT:
        lines[0] = lines[0].replace(f"](../{file}", f"](project/{file}")


def home_of(name: str, homes: dict[str, set[str]], text: str) -> str | None:
    """Return the full name of what a guide calls by `name`: ``mrl.x``, what it imports, or the only one."""
    short = name.removeprefix("mrl.")
    if "." in short:
        package, _, rest = short.partition(".")
        return f"mrl.{short}" if f"mrl.{package}" in homes.get(rest, ()) else None
    found = homes.get(short, set())
    imported = [home for home in found if re.search(rf"from {re.escape(home)} import .*\b{short}\b", text)]
    top = top_level().get(short)
    if name != short:
        return f"{top}.{short}" if top else None
    return f"{[*imported, *found][0]}.{short}" if imported or len(found) == 1 else f"{top}.{short}" if top else None


def reference(home: str, *children: nodes.Node) -> nodes.Node:
    """Return a link to the entry of a public name."""
    return pending_xref("", *children, refdomain="py", reftype="obj", reftarget=home, refexplicit=True, refwarn=False)


def link_names(app: Sphinx, doctree: nodes.document) -> None:
    """Make the public names in a guide links, and list at its end those of its code."""
    document = app.env.docname
    if "/" in document or document == "index":
        return
    homes: dict[str, set[str]] = {}
    for package in PACKAGES:
        for public in public_names(importlib.import_module(f"mrl.{package}")):
            homes.setdefault(public, set()).add(f"mrl.{package}")
    text = doctree.astext()
    used: set[str] = set()
    for literal in list(doctree.findall(nodes.literal)):
        name = re.match(r"(?:mrl\.)?[A-Za-z_][\w.]*", literal.astext())
        home = home_of(name[0], homes, text) if name else None
        if home and not isinstance(literal.parent, (nodes.reference, pending_xref, nodes.title)):
            literal.replace_self(reference(home, literal.deepcopy()))
    for block in doctree.findall(nodes.literal_block):
        code = block.astext().rstrip()
        block.rawsource, block[:] = code, [nodes.Text(code)]  # without the blank line that ends a doctest
        for module, names in re.findall(r"from (mrl\.\w+) import ([\w, ]+)", code):
            used |= {f"{module}.{name}" for name in re.findall(r"\w+", names) if module in homes.get(name, ())}
        used |= {home for name in re.findall(r"\bmrl\.[\w.]+", code) if (home := home_of(name, homes, text))}
    if used:
        section = nodes.section("", nodes.title("", "In the reference"), ids=["in-the-reference"])
        paragraph = nodes.paragraph()
        for home in sorted(used, key=lambda name: name.rpartition(".")[2].lower()):
            paragraph += [reference(home, nodes.literal("", home)), nodes.Text(", ")]
        paragraph.children[-1] = nodes.Text(".")
        section += paragraph
        next(iter(doctree.findall(nodes.section))).append(section)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("builder-inited", build)
    app.connect("source-read", project_links)
    app.connect("doctree-read", link_names, priority=400)  # before the table of contents is made
    app.add_role("name", NameRole(), override=True)
    return {"parallel_read_safe": True}
