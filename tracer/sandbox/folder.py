"""The folder of one program: watched for how much is in it, and removed whatever that is."""

import os
import stat

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def is_over(path: str, size: int, entries: int) -> bool:
    """Whether a folder holds more bytes or entries than that; a folder that hides them does."""
    folders = [path]
    while folders:
        try:
            found = list(os.scandir(folders.pop()))
        except (FileNotFoundError, PermissionError):
            continue  # gone, or closed to its owner too
        except OSError:
            return True  # nested deeper than a path can say
        for entry in found:
            try:
                state = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            except OSError:
                return True
            entries -= 1
            size -= 512 * state.st_blocks
            if stat.S_ISDIR(state.st_mode):
                if state.st_mode & 0o700 == 0o300:  # one can write into it and not list it
                    return True
                folders.append(entry.path)
        if size < 0 or entries < 0:
            return True
    return False


def remove(path: str) -> None:
    """Remove a folder that no process uses any more. No link is followed.

    Down by descriptors and up by `..`: no nesting is too deep for a path, a stack or open files.
    """
    try:
        os.chmod(path, 0o700)
        at = os.open(path, _FOLDER)
    except FileNotFoundError:
        return
    way: list[tuple[str, list[str]]] = [("", os.listdir(at))]  # names, and what is left in each
    try:
        while True:
            name, left = way[-1]
            if left:
                if _unlink(inner := left.pop(), at):
                    continue
                os.chmod(inner, 0o700, dir_fd=at)
                at = _instead(at, inner)
                way.append((inner, os.listdir(at)))
            elif len(way) > 1:
                at = _instead(at, "..")
                os.rmdir(name, dir_fd=at)
                way.pop()
            else:
                break
    finally:
        os.close(at)
    os.rmdir(path)


def _unlink(name: str, parent: int) -> bool:
    """Remove what is no folder."""
    if stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
        return False
    os.unlink(name, dir_fd=parent)
    return True


def _instead(at: int, name: str) -> int:
    to = os.open(name, _FOLDER, dir_fd=at)
    os.close(at)
    return to
