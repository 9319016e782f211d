"""What a child writes: a pipe or a pseudo-terminal, read as it comes and kept up to a bound."""

import fcntl
import os
import termios

PIPE = 1 << 20  # bytes that a pipe shall hold; the most that a kernel usually gives


class Stream:
    """A pipe, of which so many bytes are kept; the rest is read and dropped."""

    def __init__(self, room: int):
        self.reader, self.writer = self.open_pair()
        os.set_blocking(self.reader, False)
        self.room = room
        self.kept, self.cut, self.open = bytearray(), False, True

    def open_pair(self) -> tuple[int, int]:
        """Descriptors to read from, and to write to."""
        return os.pipe()

    def fileno(self) -> int:
        return self.reader

    def drain(self) -> None:
        """Read what is there."""
        try:
            while self.open:
                part = os.read(self.reader, PIPE)
                room = self.room - len(self.kept)
                self.kept += part[:room]
                self.cut = self.cut or len(part) > room
                self.open = bool(part)
        except BlockingIOError:
            return
        except OSError:  # of a terminal that nobody has open
            self.open = False


class Wide(Stream):
    """A pipe that holds much, for a reader who comes by now and then."""

    def open_pair(self) -> tuple[int, int]:
        reader, writer = os.pipe()
        try:
            fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, PIPE)
        except (OSError, AttributeError):
            pass  # one user may have only so many; macOS has none
        return reader, writer


class Terminal(Stream):
    """A pseudo-terminal, as pty(7) has it, which shows no input and leaves output as it is."""

    def open_pair(self) -> tuple[int, int]:
        reader, writer = os.openpty()
        modes = termios.tcgetattr(writer)
        modes[1] &= ~termios.OPOST
        modes[3] &= ~termios.ECHO
        termios.tcsetattr(writer, termios.TCSANOW, modes)
        return reader, writer
