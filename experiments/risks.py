"""Effects that one may want to know of before they happen, as calls in the text of statements."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from experiments.names import UNKNOWN, Names
from experiments.operations import HEADS, TAILS

Kinds = Mapping[str, Sequence[str]]
KINDS: Kinds = {
    "deletion": ["os.remove", "os.unlink", "os.rmdir", "os.removedirs", "shutil.rmtree"]
    + ["*.unlink", "*.rmdir"],
    "writing": ["open:w", "open:a", "open:x", "open:+", "open:?", "os.open"]
    + ["*.write_text", "*.write_bytes", "*.touch", "*.mkdir", "*.rename", "*.replace:1"]
    + ["*.symlink_to", "*.hardlink_to", "*.chmod", "*.lchmod", "os.chown", "os.lchown"]
    + ["os.rename", "os.renames", "os.replace", "os.mkdir", "os.makedirs", "os.mkfifo"]
    + ["os.mknod", "os.link", "os.symlink", "os.chmod", "os.truncate", "os.ftruncate", "os.utime"]
    + ["os.write", "os.setxattr", "os.removexattr", "shutil.copy*", "shutil.move", "shutil.chown"]
    + ["shutil.make_archive", "shutil.unpack_archive", "tempfile.mk*"]
    + ["tempfile.Temporary*", "tempfile.NamedTemporaryFile", "tempfile.SpooledTemporaryFile"],
    "network": ["socket.*", "socketserver.*", "ssl.*", "urllib.request.*", "urllib2.*", "urllib3.*"]
    + ["http.client.*", "http.server.*", "requests.*", "httpx.*", "aiohttp.*", "ftplib.*"]
    + ["smtplib.*", "poplib.*", "imaplib.*", "telnetlib.*", "xmlrpc.*", "paramiko.*"]
    + ["asyncio.open_connection", "asyncio.start_server"],
    "process": ["subprocess.*", "os.system", "os.popen", "os.exec*", "os.spawn*", "os.posix_spawn*"]
    + ["os.fork*", "os.kill*", "os.startfile", "multiprocessing.*", "pty.spawn", "webbrowser.*"]
    + ["asyncio.create_subprocess_*", "concurrent.futures.ProcessPoolExecutor"],
    "environment": ["os.environ*", "os.getenv*", "os.putenv", "os.unsetenv"],
}
NAMES = Names()  # of a text of which no more is known
OPENING = {"open", "io.open", "os.fdopen", "codecs.open", "gzip.open", "bz2.open", "lzma.open"}
MODES = set("rwaxbtU+")  # letters of a mode


def risks(text: str, kinds: Kinds = KINDS, names: Names = NAMES) -> set[str]:
    """The kinds of effects that a statement has, if it is run. `open:w` is a call with such a mode,
    and `open:?` with one that is not written out; `*.unlink` is a method of whatever object, with
    `:1` one of a single argument; `socket.*` is all of a module."""
    tree = parsed(text)
    if tree is None:
        return set()
    found = set(used(tree, names))
    return {
        kind
        for kind, patterns in kinds.items()
        if any(matches(name, pattern) for name in found for pattern in patterns)
    }


@lru_cache(maxsize=1 << 10)
def parsed(text: str) -> ast.AST | None:
    """The statement, or what a header evaluates."""
    for head in HEADS:
        for tail in TAILS:
            try:
                return ast.parse(head + text + tail)
            except (SyntaxError, ValueError):
                continue
    return None


def used(tree: ast.AST, names: Names = NAMES) -> Iterator[str]:
    """Dotted names of what it mentions; of what opens a file, with the mode."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            yield from names.all(node)
        elif isinstance(node, ast.Call):
            yield names.dotted(node)
            yield from in_form(node, names)


def in_form(call: ast.Call, names: Names) -> Iterator[str]:
    """What a call is by its arguments."""
    name = names.dotted(call.func)
    method = name.rpartition(".")[2]
    if method == "replace" and len(call.args) == 1 and not call.keywords:
        yield f"{name}:1"  # a path; of a text it takes two
    if method == "open" or name in OPENING:
        function = name in OPENING or names.imported(call.func)
        yield from (f"open:{letter}" for letter in mode(call, int(function)))


def mode(call: ast.Call, at: int) -> str:
    """The argument at this place, or the one named so; UNKNOWN if it is not written out."""
    given = [*call.args[at : at + 1], *(k.value for k in call.keywords if k.arg in ("mode", None))]
    given += [each for each in call.args[:at] if isinstance(each, ast.Starred)]
    found = ""
    for each in given:
        match each:
            case ast.Constant(value=str(letters)) if MODES.issuperset(letters):
                found += letters
            case ast.Constant():  # something else
                pass
            case _:
                found += UNKNOWN
    return found


def matches(name: str, pattern: str) -> bool:
    if pattern.startswith("*."):
        return name.endswith(pattern[1:])
    if pattern.endswith("*"):
        return name.startswith(pattern[:-1])
    return name == pattern
