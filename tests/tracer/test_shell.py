"""Commands and edits of an episode: what stays, what ends, and what is out of reach."""

import os
import time
from pathlib import Path

import pytest
from hostile_corpus import SECRET, Canary, processes_below

from tracer.sandbox import Limits, SandboxError
from tracer.sandbox.shell import Reply, Shell

LIMITS = Limits(wall_s=5, cpu_s=5, output_kib=16, file_mib=4, processes=40)


def begun(limits: Limits, folder: Path) -> Shell:
    try:
        return Shell(limits, folder)
    except SandboxError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workspace")
    (folder / "given.txt").write_text("given\n")
    with begun(LIMITS, folder) as shell:
        yield shell


def test_a_command_gives_its_output_and_its_exit_code(shell):
    assert shell.run("echo out; echo err >&2; exit 3") == Reply("out\nerr\n", 3, False, False)
    assert shell.run("cat given.txt").output == "given\n"
    assert shell.run("kill -9 $$").status == -9
    assert shell.run("no_such_command").status == 127


def test_files_are_written_in_the_workspace_and_can_be_read_back(shell):
    assert shell.run("mkdir -p a && echo 1 > a/b.txt && python -c 'print(6 * 7)'").output == "42\n"
    assert (shell.workspace / "a/b.txt").read_text() == "1\n"
    assert shell.write("a/deep/c.py", "x = 'é'\n").status == 0
    assert shell.read("a/deep/c.py") == Reply("x = 'é'\n", 0, False, False)
    assert (
        shell.run("chmod 600 a/b.txt && touch -d 2001-01-01 a/b.txt && cp -p a/b.txt c").status == 0
    )


def test_a_command_begins_where_the_last_one_ended(shell):
    shell.run("mkdir -p inner && cd inner && false")
    assert shell.run("pwd").output == "/work/inner\n"
    assert shell.run("rmdir /work/inner; cd /").status == 0
    assert shell.run("pwd; cd /work").output == "/\n"


def test_output_is_a_terminal_and_kept_up_to_its_limit(shell):
    assert shell.run("test -t 1 && test -t 2 && printf 'a\\nb'").output == "a\nb"
    flood = shell.run("yes | head -c 1000000")
    assert (flood.status, flood.truncated, len(flood.output)) == (0, True, 16 << 10)
    assert shell.run("printf '\\0\\377x'").output == "\0\\xffx"


def test_what_was_written_last_is_not_lost_when_a_command_ends(shell):
    numbers = "".join(f"{number}\n" for number in range(1, 3001))
    for _ in range(5):
        assert shell.run("seq 3000").output == numbers
    shell.write("numbers", numbers)
    assert shell.read("numbers").output == numbers


def test_a_command_that_does_not_end_is_ended_with_all_it_started(tmp_path):
    with begun(Limits(wall_s=0.5), tmp_path) as shell:
        start = time.monotonic()
        reply = shell.run("echo before; setsid sleep 100 & trap '' TERM INT HUP; sleep 100")
        assert time.monotonic() - start < 1.0
        assert reply.timed_out and reply.output == "before\n"
        assert "sleep" not in shell.run("ps -e || cat /proc/[0-9]*/comm").output


def test_what_a_command_leaves_running_ends_with_the_episode(tmp_path):
    before = set(processes_below(os.getpid()))
    with begun(LIMITS, tmp_path) as shell:
        assert not shell.run("setsid sleep 300 > /dev/null & echo $! > pid").timed_out
        assert shell.run("kill -0 $(cat pid)").status == 0  # and another can signal it
    deadline = time.monotonic() + 5
    while set(processes_below(os.getpid())) - before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not set(processes_below(os.getpid())) - before


def test_commands_that_kill_all_they_can_end_the_episode_and_what_was_written_stays(tmp_path):
    with begun(LIMITS, tmp_path) as shell:
        shell.run("echo kept > file")
        reply = shell.run("kill -9 -1; sleep 3")
        assert reply.status is None or reply.status == -9
        if reply.status is None:
            with pytest.raises(SandboxError, match="its episode has ended"):
                shell.run("true")
    assert (tmp_path / "file").read_text() == "kept\n"


def test_a_fork_bomb_ends_with_its_command(tmp_path):
    with begun(Limits(wall_s=1.0, processes=40), tmp_path) as shell:
        shell.run("f() { f | f & }; f; sleep 60")
        assert shell.run("echo fine").output.endswith("fine\n")


@pytest.mark.parametrize("path", ["../../x", "/etc/x", "/usr/x", "link/x", "folder/../../x"])
def test_an_edit_outside_the_workspace_is_refused(shell, path):
    shell.run("ln -sfn /usr link; mkdir -p folder")
    reply = shell.write(path, "x")
    assert reply.status == 1 and ("denied" in reply.output or "Read-only" in reply.output)


def test_commands_reach_nothing_outside(shell):
    canary = Canary()
    connect = "python -c 'import socket; socket.socket(socket.{}).connect({})'"
    try:
        port = canary.sockets[0].getsockname()[1]
        commands = f"""
            cat {canary.file} /etc/passwd; env; cat /proc/*/environ; echo x > {canary.file}
            rm -rf {canary.folder} /home /root; ls / /tmp; echo x > /proc/sys/kernel/core_pattern
            {connect.format("AF_INET", f'("127.0.0.1", {port})')}
            {connect.format("AF_UNIX", f'"{canary.folder}/socket"')}
            unshare -r id; mount -t tmpfs none /tmp; su -c id; chroot / id; dmesg; ls /dev/shm
        """
        output = shell.run(commands).output
        assert SECRET not in output and "root:x:" not in output and "uid=0(" not in output
        assert canary.is_untouched()
        assert shell.run("echo fine").output == "fine\n"
    finally:
        canary.close()
