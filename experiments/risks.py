"""Effects that one may want to know of before they happen, as calls in the text of statements."""

import ast
from collections.abc import Iterator, Mapping, Sequence

from experiments.score import HEADS, TAILS

KINDS = {
    "deletion": ["os.remove", "os.unlink", "os.rmdir", "os.removedirs", "shutil.rmtree", "*.unlink"]
    + ["*.rmdir"],
    "writing": ["open:w", "open:a", "open:x", "open:+", "*.write_text", "*.write_bytes"]
    + ["os.rename", "os.replace", "shutil.copy", "shutil.copyfile", "shutil.move", "os.mkdir"]
    + ["os.makedirs"],
    "network": ["socket.*", "urllib.*", "http.*", "requests.*", "ftplib.*", "smtplib.*"],
    "process": ["subprocess.*", "os.system", "os.popen", "os.exec*", "os.spawn*", "os.fork"]
    + ["os.kill"],
    "environment": ["os.environ*", "os.getenv", "os.putenv", "os.unsetenv"],
}


def risks(text: str, kinds: Mapping[str, Sequence[str]] = KINDS) -> set[str]:
    """The kinds of effects that a statement has, if it is run. `open:w` is a call with such a mode,
    `*.unlink` a method of whatever object, `socket.*` all of a module."""
    tree = parsed(text)
    if tree is None:
        return set()
    found = set(used(tree))
    return {
        kind
        for kind, patterns in kinds.items()
        if any(matches(name, pattern) for name in found for pattern in patterns)
    }


def parsed(text: str) -> ast.AST | None:
    """The statement, or what a header evaluates."""
    for head in HEADS:
        for tail in TAILS:
            try:
                return ast.parse(head + text + tail)
            except (SyntaxError, ValueError):
                continue
    return None


def used(tree: ast.AST) -> Iterator[str]:
    """Dotted names; of `open`, with the mode that it is called with."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield dotted(node)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield from (f"{node.func.id}:{letter}" for letter in mode_of(node))


def dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def mode_of(call: ast.Call) -> str:
    """The second argument, or the one named so, if it is written out."""
    given = [*call.args[1:2], *(k.value for k in call.keywords if k.arg == "mode")]
    texts = [a.value for a in given if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    return "".join(texts)


def matches(name: str, pattern: str) -> bool:
    if pattern.startswith("*."):
        return name.endswith(pattern[1:])
    if pattern.endswith("*"):
        return name.startswith(pattern[:-1])
    return name == pattern
