"""Settings of all tests: jax compiles fast rather than well, unless a test asks otherwise."""

import atexit
import os
import tempfile
from functools import partialmethod

# Read when jax is first imported, which tests of the tracer never do.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")

# What one test has compiled, the others of this run need not.
compiled = tempfile.TemporaryDirectory(prefix="jax-")
atexit.register(compiled.cleanup)
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", compiled.name)
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")


def pytest_addoption(parser):
    parser.addoption("--benign", type=int, default=40, help="programs to run traced and untraced")
    parser.addoption("--small-programs", type=int, default=150, help="programs of one worker")
    parser.addoption(
        "--trusted-programs",
        action="store_true",
        help="run where there is no sandbox for strangers' programs too",
    )
    parser.addoption("--record", action="store_true", help="write the golden files anew")


def pytest_configure(config):
    if config.getoption("--trusted-programs"):
        from tracer.sandbox import Sandbox

        Sandbox.__init__ = partialmethod(Sandbox.__init__, trusted_programs=True)
