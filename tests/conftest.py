"""Settings of all tests: jax compiles fast rather than well, unless a test asks otherwise."""

import os

# Read when jax is first imported, which tests of the tracer never do.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")


def pytest_addoption(parser):
    parser.addoption("--record", action="store_true", help="write the golden files anew")
