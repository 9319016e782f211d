"""What the fault-injection list needs: a dataset, a process to fork runs from, and a browser."""

import http.server
import shutil
import threading
from pathlib import Path

import pytest
from nursery import Nursery
from tiny import tracing

from experiments.trace import trace_corpus


@pytest.fixture(scope="session")
def dataset(tmp_path_factory) -> Path:
    return trace_corpus(tracing(tmp_path_factory.mktemp("faults") / "dataset"))


@pytest.fixture(scope="session")
def thorough(request) -> bool:
    """Whether the list was asked for by `pytest -m faults`; else its quick form will do."""
    return "faults" in request.config.option.markexpr


@pytest.fixture
def in_long_form(thorough):
    if not thorough:
        pytest.skip("in the long form of the list alone: pytest -m faults")


@pytest.fixture(scope="session")
def nursery(dataset):
    nursery = Nursery(dataset)
    yield nursery
    nursery.close()


@pytest.fixture(scope="session")
def chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    pytest.skip("there is no chromium: apt-get install chromium")


class Listener:
    """A server on this machine that counts who comes, and has nothing for them."""

    def __init__(self):
        came: list[str] = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                came.append(self.path)
                self.send_error(404)

            do_POST = do_GET

            def log_message(self, *args):
                pass

        self.came = came
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def listener():
    listener = Listener()
    yield listener
    listener.server.shutdown()
    listener.server.server_close()
