"""Bring the translations up to date: `python tools/catalogues.py` reads the code, rewrites each .po, compiles its .mo.

What it finds: the texts given to `tr` and `tr_count`, the sentences of EngineError and its children, the fixed reasons
that helpers put into them, and the names of export formats; not what the HTTP API and the command line tell, which
speak English. Texts that the code no longer has are dropped; new ones are listed, for a person to translate in the .po;
then run it again.
It needs Babel (`pip install -e '.[test]'`).
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "resources" / "locale"
LANGUAGES = ("zh_CN",)
PACKAGES = ("engine", "desktop")
ENGLISH = ("engine/api/*.py", "engine/cli/*.py")
"""What speaks to programmers."""
NOT_ENGLISH = ("engine/api/server.py",)
"""The window shows why the server does not start."""
TOLD_BY_API = "RequestError"
"""The kind of error that only the API's callers see."""

MessageId = str | tuple[str, str]
"""A text, or singular and plural."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


class PlainCatalog(Catalog):
    """A catalogue whose header has neither dates nor versions, so that the same texts are the same bytes."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        """What gettext needs to know."""
        return [
            ("Project-Id-Version", "detrdesk"),
            ("Language", str(self.locale_identifier)),
            ("Plural-Forms", self.plural_forms),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "8bit\n"),
        ]


def extract(root: Path = ROOT) -> dict[MessageId, list[str]]:
    """Every text that the window may have to translate, with the files it is in.

    Raises:
        ValueError: a text is put together at run time, so that no catalogue can have it.
    """
    files = sorted(path for package in PACKAGES for path in (root / package).rglob("*.py"))
    trees = {path.relative_to(root).as_posix(): ast.parse(path.read_text("utf-8")) for path in files}
    errors = _error_classes(trees.values())
    found: dict[MessageId, list[str]] = {}
    for name, tree in trees.items():
        if any(fnmatch(name, each) for each in ENGLISH) and name not in NOT_ENGLISH:
            continue
        for text in _Texts(name, tree, errors).found:
            places = found.setdefault(text, [])
            if name not in places:
                places.append(name)
    return dict(sorted(found.items(), key=lambda item: (item[1], str(item[0]))))


def po_path(language: str) -> Path:
    """Where the translations into a language lie, e.g. `zh_CN`."""
    return LOCALE / language / "LC_MESSAGES" / "detrdesk.po"


def read_catalogue(language: str) -> Catalog:
    """The translations as they are; empty where there are none yet."""
    path = po_path(language)
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def updated(language: str) -> PlainCatalog:
    """A catalogue of what the code has now, with the translations that there are."""
    known, fresh = read_catalogue(language), PlainCatalog(locale=language, fuzzy=False)
    fresh.header_comment = f"# {language} words of detrdesk's window; tools/catalogues.py keeps the list of texts."
    for text, places in extract().items():
        old = known.get(text)
        notes = old.user_comments if old is not None else ()
        empty = "" if isinstance(text, str) else ("",) * fresh.num_plurals
        fresh.add(text, old.string if old is not None else empty, [(place, 0) for place in places], user_comments=notes)
    return fresh


def po_bytes(catalogue: Catalog) -> bytes:
    """The .po, for people."""
    out = BytesIO()
    write_po(out, catalogue, width=110, include_lineno=False, ignore_obsolete=True)
    return out.getvalue()


def mo_bytes(catalogue: Catalog) -> bytes:
    """The .mo, for the program."""
    out = BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def untranslated(catalogue: Catalog) -> list[MessageId]:
    """The texts without a translation."""
    return [text for text in extract() if (known := catalogue.get(text)) is None or not all(known.string or [""])]


def main() -> int:
    """Write every language's files; 1 where something is left to translate."""
    left = 0
    for language in LANGUAGES:
        catalogue = updated(language)
        path = po_path(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(po_bytes(catalogue))
        path.with_suffix(".mo").write_bytes(mo_bytes(catalogue))
        for text in untranslated(catalogue):
            print(f"{path.relative_to(ROOT)}: not translated: {text}", file=sys.stderr)
            left += 1
    return int(left > 0)


class _Texts(ast.NodeVisitor):
    """Collects the texts of one module."""

    def __init__(self, name: str, tree: ast.Module, errors: frozenset[str]) -> None:
        self.found: list[MessageId] = []
        self._name, self._tree = name, tree
        self._errors = errors
        self._reasons = _reason_places(tree)
        self._scopes: list[Function | ast.ClassDef] = []
        self.visit(tree)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._visit_scope(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._visit_scope(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._visit_scope(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name == "tr" and not isinstance(node.args[0], ast.Attribute | ast.Name):
            self._add(*self._literals(node.args[0]))
        elif name == "tr_count":
            self._add(*zip(self._literals(node.args[0]), self._literals(node.args[1]), strict=True))
        elif name == "ExportFormat":
            self._add(*self._literals(node.args[0]))
        elif self._makes_error(node, name):
            self._add(*self._literals(node.args[1]))
        self._visit_reason(node, name)
        self.generic_visit(node)

    def _visit_scope(self, node: Function | ast.ClassDef) -> None:
        self._scopes.append(node)
        self.generic_visit(node)
        self._scopes.pop()

    def _visit_reason(self, node: ast.Call, name: str) -> None:
        """A fixed text given as `reason`; one with values in it stays English."""
        place = self._reasons.get(name)
        given = [each.value for each in node.keywords if each.arg == "reason"]
        if place is not None and place < len(node.args):
            given.append(node.args[place])
        for value in given:
            if isinstance(value, ast.Constant):
                self._add(*self._literals(value))

    def _makes_error(self, node: ast.Call, name: str) -> bool:
        """`ModelError(code, template, ...)`, with a parameter `kind: type[...]` as its class, or `super()` in one."""
        if len(node.args) < 2:
            return False
        function = next((scope for scope in reversed(self._scopes) if not isinstance(scope, ast.ClassDef)), None)
        if name and function is not None:
            kinds = {each.arg for each in _parameters(function) if _is_type(each.annotation)}
            return name in self._errors | kinds
        owner = next((scope for scope in reversed(self._scopes) if isinstance(scope, ast.ClassDef)), None)
        passed_on = isinstance(node.args[1], ast.Name) and node.args[1].id == "template"
        inside = owner is not None and owner.name in self._errors
        return inside and not passed_on and ast.unparse(node.func) == "super().__init__"

    def _literals(self, node: ast.expr) -> list[str]:
        """A literal, either of two, or those that a name of the function or the module stands for."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return [node.value]
        if isinstance(node, ast.IfExp):
            return [*self._literals(node.body), *self._literals(node.orelse)]
        if isinstance(node, ast.Name):
            for scope in (*reversed(self._scopes), self._tree):
                assigned = [
                    each.value
                    for each in ast.walk(scope)
                    if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == node.id
                ]
                if assigned:
                    return [text for value in assigned for text in self._literals(value)]
        raise ValueError(f"{self._name}:{node.lineno}: no catalogue can have {ast.unparse(node)}: give a literal text")

    def _add(self, *texts: MessageId) -> None:
        self.found.extend(text for text in texts if text and text not in self.found)


def _error_classes(trees: Iterable[ast.Module]) -> frozenset[str]:
    """EngineError and everything that derives from it and may reach the window."""
    bases = {
        node.name: {ast.unparse(base) for base in node.bases}
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    known = {"EngineError"}
    while more := {name for name, parents in bases.items() if parents & known} - known:
        known |= more
    return frozenset(known - {TOLD_BY_API})


def _reason_places(tree: ast.Module) -> dict[str, int]:
    """The functions of a module that take a `reason`, and at which place."""
    places = {}
    for node in _functions(tree):
        names = [each.arg for each in node.args.args]
        if "reason" in names:
            places[node.name] = names.index("reason")
    return places


def _functions(tree: ast.Module) -> Iterator[Function]:
    return (node for node in tree.body if isinstance(node, Function))


def _parameters(function: Function) -> list[ast.arg]:
    return [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]


def _is_type(annotation: ast.expr | None) -> bool:
    return annotation is not None and ast.unparse(annotation).startswith("type[")


if __name__ == "__main__":
    sys.exit(main())
