"""Settings of all tests: jax compiles fast rather than well, unless a test asks otherwise."""

import atexit
import os
import tempfile
from collections import Counter
from functools import partialmethod
from pathlib import Path

# Read when jax is first imported, which tests of the tracer never do. XLA's newer way to compile
# fusions takes two and a half times as long as the older one where nothing is optimised.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
os.environ["XLA_FLAGS"] = f"--xla_cpu_use_fusion_emitters=false {os.environ.get('XLA_FLAGS', '')}"

# What one test has compiled, the others of this run need not.
compiled = tempfile.TemporaryDirectory(prefix="jax-")
atexit.register(compiled.cleanup)
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", compiled.name)
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")


DYNAMICS = sorted(p.stem for p in Path(__file__).parents[1].glob("configs/dynamics/*.yaml"))


def pytest_addoption(parser):
    parser.addoption("--benign", type=int, default=40, help="programs to run traced and untraced")
    parser.addoption("--small-programs", type=int, default=150, help="programs of one worker")
    parser.addoption(
        "--trusted-programs",
        action="store_true",
        help="run where there is no sandbox for strangers' programs too",
    )
    parser.addoption(
        "--routes", default="rssm,slots", help="models for the long tests: names, or `all`"
    )
    parser.addoption("--record", action="store_true", help="write the golden files anew")


def pytest_configure(config):
    if config.getoption("--trusted-programs"):
        from tracer.sandbox import Sandbox

        Sandbox.__init__ = partialmethod(Sandbox.__init__, trusted_programs=True)


def pytest_terminal_summary(terminalreporter, config):
    """What was skipped here, and how to get it; what has its test elsewhere, to who asks for it."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    for reason, count in sorted(reasons.items()):
        if "belongs to" not in reason or "faults" in config.option.markexpr:
            terminalreporter.write_line(f"skipped {count}: {reason}")


def pytest_generate_tests(metafunc):
    """The long tests are over the routes that were asked for."""
    if "route" in metafunc.fixturenames:
        wanted = metafunc.config.getoption("routes")
        names = DYNAMICS if wanted == "all" else wanted.split(",")
        metafunc.parametrize("route", names, scope="module")
