"""Which sandbox is taken, that it says so, and that none is taken that does not hold."""

import os
import signal
import threading
import time

import pytest

from tracer.sandbox import (
    Limits,
    Sandbox,
    SandboxError,
    landlock,
    probes,
    seccomp,
    start,
    tiers,
    view,
)
from tracer.sandbox.seccomp import assemble
from tracer.sandbox.syscalls import NUMBERS

LIMITS = Limits(wall_s=2.0)


def facts(**asked) -> dict:
    with Sandbox(LIMITS, **asked) as box:
        return box.facts()


@pytest.fixture
def untested(monkeypatch):
    """The self-test of this process is still to be made."""
    monkeypatch.setattr(start, "_passed", {})


def test_the_facts_say_what_holds_a_program():
    found = facts()
    assert found["tier"] in "AB" and found["landlock"] and found["seccomp"]
    assert set(found["probes"]) == {*probes.PROBES, *probes.NEEDS}
    assert not probes.holes(found["probes"]) and not probes.failures(found["probes"])
    if os.geteuid() == 0:
        assert found["uid"] != 0


def test_the_next_tier_is_taken_only_with_the_reason_why(monkeypatch):
    monkeypatch.setattr(tiers.shutil, "which", lambda name: None)
    found = facts()
    assert found["tier"] == "B"
    assert found["not"] == {"A": "bubblewrap: it is not installed (apt-get install bubblewrap)"}


def test_a_tier_that_does_not_start_is_said_so(monkeypatch):
    refuse = ("/bin/sh", "-c", "echo 'bwrap: no namespaces for you' >&2; exit 1")
    monkeypatch.setattr(tiers, "bwrap", lambda *_: refuse)
    monkeypatch.setattr(tiers.shutil, "which", lambda name: name)
    found = facts()
    assert found["tier"] == "B" and "bwrap: no namespaces for you" in found["not"]["A"]


def without_landlock(monkeypatch):
    monkeypatch.setattr(landlock, "abi", lambda: 0)


def without_seccomp(monkeypatch):
    monkeypatch.setattr(seccomp, "is_here", lambda: False)


@pytest.mark.parametrize("without", [without_landlock, without_seccomp])
def test_weaker_tiers_are_taken_only_when_they_are_asked_for(monkeypatch, without, untested):
    without(monkeypatch)
    with pytest.raises(SandboxError, match=r"^no sandbox for unknown programs here \(A: ") as error:
        facts()
    said = str(error.value)
    assert "\n" not in said and "D: weaker: sandbox.trusted_programs=true allows it" in said
    with pytest.raises(SandboxError, match="tier D here"):
        facts(tier="D", allow_weaker=True)
    assert facts(tier="D", trusted_programs=True)["tier"] == "D"
    weaker = facts(trusted_programs=True)
    assert weaker["tier"] in "CD" and {"A", "B"} <= set(weaker["not"])
    with Sandbox(LIMITS, tier="D", trusted_programs=True) as box:
        assert box.run(b"print(1)").stdout == "1\n"
        assert box.run(b"import os\nos.fork()\nwhile True: pass").kind == "timeout"


def test_without_isolation_only_trusted_programs_run_and_that_is_said_for_a_mac(monkeypatch):
    monkeypatch.setattr(tiers.kernel, "IS_LINUX", False)
    monkeypatch.setattr(tiers.sys, "platform", "darwin")
    with pytest.raises(SandboxError, match="Landlock: macOS has none.*trusted_programs=true"):
        facts()


def test_a_hole_is_named_and_nothing_else_is_tried(monkeypatch, untested):
    monkeypatch.setattr(probes, "run", None)  # it is the worker that runs them
    monkeypatch.setattr(start, "_probe", lambda worker: {"fork": probes.HOLE, "execute": "refused"})
    with pytest.raises(SandboxError, match=r"^in tier [AB] \(.*\) a program could: fork$"):
        facts()


def test_an_unknown_tier_is_named():
    with pytest.raises(SandboxError, match="^unknown tier 'E'; there are: A, B, C, D$"):
        facts(tier="E")


def test_a_worker_that_is_killed_is_replaced_and_the_program_runs_again():
    with Sandbox(LIMITS) as box:
        box.run(b"")
        worker = box.worker
        assert worker is not None
        threading.Timer(0.3, worker.process.kill).start()
        assert box.run(b"import time\ntime.sleep(0.8)\nprint(1)").stdout == "1\n"
        assert box.worker is not worker


def test_a_worker_that_does_not_answer_is_noticed_and_replaced(monkeypatch):
    monkeypatch.setattr("tracer.sandbox.supervisor.PATIENCE", 0.5)
    with Sandbox(Limits(wall_s=0.5), tier="B") as box:
        box.run(b"")
        worker = box.worker
        assert worker is not None
        os.kill(worker.process.pid, signal.SIGSTOP)
        began = time.monotonic()
        assert box.run(b"x = 1").kind == "ok"
        assert time.monotonic() - began < 4
        assert box.worker is not worker


def test_the_door_that_is_closed_is_found(tmp_path):
    inner = tmp_path / "closed" / "inner"
    inner.mkdir(parents=True)
    for folder in (tmp_path, *tmp_path.parents[:-2]):
        if folder.stat().st_uid == os.getuid():
            folder.chmod(folder.stat().st_mode | 0o111)
    assert view.closed_door(inner) is None
    (tmp_path / "closed").chmod(0o700)
    assert view.closed_door(inner) == tmp_path / "closed"


def decide(filter_: bytes, architecture: int, call: int, *arguments: int) -> int:
    """What the kernel would: an interpreter of the instructions that the filter uses."""
    import struct

    data = struct.pack("<IIQ6Q", call, architecture, 0, *arguments, *[0] * (6 - len(arguments)))
    code = list(struct.iter_unpack("=HBBI", filter_))
    at = value = 0
    while True:
        operation, yes, no, k = code[at]
        at += 1
        if operation == 0x20:
            [value] = struct.unpack_from("<I", data, k)
        elif operation == 0x54:
            value &= k
        elif operation == 0x05:
            at += k
        elif operation == 0x06:
            return k
        else:
            at += yes if (value == k if operation == 0x15 else value >= k) else no


ALLOW, KILL, EPERM, ENOSYS = 0x7FFF0000, 0x80000000, 0x50001, 0x50026
MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}


@pytest.mark.parametrize("machine", MACHINES)
def test_the_filter_decides_as_it_says(machine):
    architecture, column = MACHINES[machine]
    rules = [*seccomp.KERNEL, *seccomp.NETWORK, *seccomp.ALONE, *seccomp.signals(77)]
    code = assemble(rules, machine)

    def on(name: str, *arguments: int) -> int:
        number = NUMBERS[name][column]
        assert number is not None
        return decide(code, architecture, number, *arguments)

    assert decide(code, 0x40000003, 1) == KILL  # of another architecture
    assert decide(code, architecture, 0x40000001) == ENOSYS
    assert decide(code, architecture, 467) == ENOSYS
    assert decide(code, architecture, 0 if machine == "x86_64" else 63) == ALLOW  # read
    assert on("clone", 0x003D0F00) == ALLOW and on("clone", 17) == EPERM
    assert on("clone", 0x10000000 | 0x10000) == EPERM and on("clone3") == ENOSYS
    assert [on("kill", pid) for pid in (77, 0, 1, 78, 2**32 - 1)] == [ALLOW, ALLOW, *[EPERM] * 3]
    assert on("tgkill", 77, 77) == ALLOW and on("tgkill", 0, 77) == EPERM
    assert on("prlimit64", 0, 7, 0) == ALLOW
    assert on("prlimit64", 0, 7, 1) == on("prlimit64", 0, 7, 1 << 32) == EPERM
    assert on("socketpair", 1, 1 | 0o2000000) == ALLOW
    assert on("socketpair", 1, 2) == on("socketpair", 16, 1) == on("socket", 1, 1) == EPERM
    assert on("ioctl", 1, 0x5401) == ALLOW
    assert [on("ioctl", 1, n) for n in (0x5412, 0x541C, 0x8901, 0x8902)] == [EPERM] * 4
    assert on("fcntl", 1, 4) == ALLOW and on("fcntl", 1, 8) == on("fcntl", 1, 15) == EPERM
    assert all(
        on(rule.call) == EPERM
        for rule in rules
        if not (rule.unless or rule.where)
        and NUMBERS[rule.call][column] is not None
        and rule.call != "clone3"
    )


def test_a_filter_fits_into_what_the_kernel_takes():
    rules = [*seccomp.KERNEL, *seccomp.NETWORK, *seccomp.ALONE, *seccomp.signals(1)]
    rules += [*seccomp.MODES, *seccomp.TOUCHES]
    assert len(assemble(rules, "x86_64")) // 8 < 4096
