"""A worker in the strongest tier that there is, tested from the inside before it gets a program."""

import json
import os
import platform
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from tracer.sandbox import landlock, probes, seccomp
from tracer.sandbox.folder import remove
from tracer.sandbox.frames import BrokenFrame, Channel, unpack
from tracer.sandbox.limits import Limits
from tracer.sandbox.seen import Seen
from tracer.sandbox.tiers import NAMES, SandboxError, Tier, candidates

START_S = 20.0  # seconds until a worker has said that it is there
_TESTED = Limits(wall_s=10, cpu_s=5)  # of the self-test
_passed: dict[tuple[str, ...], dict[str, str]] = {}  # by command: what its self-test found


class Hole(SandboxError):
    """A sandbox that was to hold does not: nothing else is tried in its place."""


class Worker:
    """A process behind two pipes, and the folder that it may write to."""

    def __init__(self, tier: Tier):
        self.tier, self.served = tier, 0
        self.own = ""  # folder that we have to remove
        if tier.folder is None:
            self.own = tempfile.mkdtemp(prefix="sandbox-", dir=_in_memory())
            give(self.own, tier.confinement.uid)
        self.folder = tier.folder or self.own
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(tier.command, stdin=pipe, stdout=pipe, stderr=pipe)
        assert self.process.stdin and self.process.stdout and self.process.stderr
        self.channel = Channel(self.process.stdout.fileno(), self.process.stdin.fileno())
        try:
            deadline = time.monotonic() + START_S
            self.channel.send(tier.confinement, deadline)
            said = self.channel.receive(deadline)
        except (BrokenFrame, BrokenPipeError) as error:
            self.process.kill()
            reason = _last_line(self.process.stderr.read()) or str(error)
            self.close()
            raise SandboxError(reason) from error
        except BaseException:
            self.close()
            raise
        if "error" in said:
            self.close()
            raise SandboxError(said["error"])
        self.uid = int(said["uid"])

    def ask(self, request: dict[str, Any], deadline: float) -> tuple[Seen, bytes, bytes]:
        """How the child ended, what it left as a trace, and its output. Raises BrokenFrame."""
        self.served += 1
        try:
            self.channel.send(request | {"folder": self.folder}, deadline)
            seen = Seen.of(self.channel.receive(deadline))
            return seen, self.channel.receive_bytes(deadline), self.channel.receive_bytes(deadline)
        except (BrokenPipeError, ValueError) as error:
            raise BrokenFrame(str(error)) from error

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream:
                stream.close()
        if self.own:
            _remove(self.own)


def _remove(folder: str) -> None:
    """Of a worker that is dead; a child that dies with it may write for a moment longer."""
    for _ in range(100):
        try:
            return remove(folder)
        except OSError:
            time.sleep(0.01)


def give(top: str, uid: int | None) -> None:
    """Make a folder and all in it somebody's own, following no link."""
    if uid is None:
        return
    os.chown(top, uid, uid)
    for _, folders, files, at in os.fwalk(top):
        for name in (*folders, *files):
            os.chown(name, uid, uid, dir_fd=at, follow_symlinks=False)


def _in_memory() -> str | None:
    """A folder of a file system that is no disk, where there is one for all."""
    return "/dev/shm" if os.access("/dev/shm", os.R_OK | os.W_OK | os.X_OK) else None


def start(
    name: str | None,
    allow_weaker: bool = False,
    trusted_programs: bool = False,
    limits: Limits = Limits(),  # noqa: B008
    shell: str | None = None,
) -> tuple[Worker, dict[str, Any]]:
    """The worker, and the facts of the sandbox it is. Raises SandboxError, in one line."""
    tiers, out = candidates(name, allow_weaker, trusted_programs, limits, shell)
    for tier in tiers:
        try:
            if shell is not None:
                give(shell, tier.confinement.uid)
            worker, found = _tested(Worker(tier))
            return worker, facts(worker, found, out)
        except Hole:
            raise
        except SandboxError as error:
            out[tier.name] = f"{tier.form}: {error}"
    raise SandboxError(_refusal(name, out))


def _tested(worker: Worker) -> tuple[Worker, dict[str, str]]:
    """The worker, with what its probes found, or found when this process last started its like."""
    tier = worker.tier
    try:
        found = _passed.get(tier.command) or _probe(worker)
        if tier.name in "AB" and (holes := probes.holes(found)):
            raise Hole(f"in tier {tier.name} ({tier.form}) a program could: {', '.join(holes)}")
        if failed := probes.failures(found):
            raise SandboxError(f"a program could not {'; '.join(failed)}")
    except BaseException:
        worker.close()
        raise
    _passed[tier.command] = found
    return worker, found


def _probe(worker: Worker) -> dict[str, str]:
    """What is outside is open to anybody, so that only the sandbox can be in the way."""
    place = Path(tempfile.mkdtemp(prefix="probe-"))
    try:
        place.chmod(0o777)
        file = place / "file"
        file.write_text("outside")
        file.chmod(0o666)
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(place / "socket"))
            (place / "socket").chmod(0o777)
            server.listen()
            about = {"file": str(file), "socket": str(place / "socket"), "module": "wave"}
            key = int.from_bytes(os.urandom(4))
            limits = _TESTED.__dict__
            request = {"probe": about, "limits": limits, "key": key}
            seen, trace, output = worker.ask(request, time.monotonic() + START_S)
    except BrokenFrame as error:
        raise SandboxError(f"the self-test of the sandbox did not end: {error}") from error
    finally:
        shutil.rmtree(place, ignore_errors=True)
    try:
        return json.loads(unpack(trace, 0, key)[0])
    except (BrokenFrame, ValueError) as error:
        said = _last_line(output) or f"{error}, {seen}"
        raise SandboxError(f"the self-test of the sandbox did not end: {said}") from error


def facts(worker: Worker, found: dict[str, str], out: dict[str, str]) -> dict[str, Any]:
    """What a manifest says about how programs were shut in."""
    stronger = NAMES[: NAMES.index(worker.tier.name)]
    return {
        "tier": worker.tier.name,
        "form": worker.tier.form,
        "uid": worker.uid,
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "landlock": landlock.abi(),
        "seccomp": seccomp.is_here(),
        "probes": found,
        "not": {name: reason for name, reason in out.items() if name in stronger},
    }


def _refusal(name: str | None, out: dict[str, str]) -> str:
    reasons = "; ".join(f"{tier}: {reason}" for tier, reason in sorted(out.items()))
    asked = f"no sandbox of tier {name} here" if name else "no sandbox for unknown programs here"
    return f"{asked} ({reasons})"


def _last_line(text: bytes) -> str:
    return (text.decode("utf-8", "backslashreplace").strip().splitlines() or [""])[-1]
