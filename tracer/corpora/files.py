"""Python files as programs: one file, or all of a folder."""

import io
import tokenize
from collections.abc import Iterator
from os import PathLike
from pathlib import Path

from tracer.schema import Program

_MARK = "# call:"


def programs(path: str | PathLike[str], call: str | None = None) -> Iterator[Program]:
    """Without a call, each `# call: f(3)` line of a file is one; without any, the file is run."""
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"no file or folder {path}")
    files = sorted(python_files(path)) if path.is_dir() else [path]
    if not files:
        raise FileNotFoundError(f"no *.py file below {path}")
    for file in files:
        source = read(file)
        origin = file.relative_to(path).as_posix() if path.is_dir() else file.name
        for each in [call] if call else _calls(source) or [None]:
            # A file that is run is a script: what stands under `if __name__ == ...` counts.
            name = file.stem if each else "__main__"
            yield Program(source, each, f"files/{origin}", name)


def python_files(folder: Path) -> Iterator[Path]:
    for file in folder.rglob("*.py"):
        hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
        if file.is_file() and not hidden:
            yield file


def read(file: Path) -> str:
    data = file.read_bytes()
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError):
        # Not Python, but still a program: whoever runs it says that it was rejected.
        text = data.decode("utf-8", "surrogateescape")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _calls(source: str) -> list[str]:
    """The calls in comments that begin a line; the same text in a string is no comment."""
    calls = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            is_call = token.type == tokenize.COMMENT and token.string.startswith(_MARK)
            if is_call and token.start[1] == 0:
                calls.append(token.string.removeprefix(_MARK).strip())
    except (SyntaxError, UnicodeError, tokenize.TokenError):
        pass
    return [call for call in calls if call]
