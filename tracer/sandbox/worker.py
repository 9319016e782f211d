"""What a worker runs first: a script, so that it can prepare the import of everything else.

    python -s -P -S -X utf8 tracer/sandbox/worker.py

It imports the standard library alone. Whatever the tracer or a common program needs is imported
here, once, and not in the child of each program: afterwards an import runs the program's code if
it has put any in the way.
"""

import asyncio
import atexit
import collections.abc
import copy
import dataclasses
import datetime
import decimal
import encodings.idna
import encodings.utf_7
import enum
import fractions
import heapq
import importlib.util
import io
import os
import random
import re
import site
import string
import sys
import textwrap
import threading
import traceback
import typing
from pathlib import Path

PRELOADED = (
    (asyncio, atexit, collections.abc, copy, dataclasses, datetime, decimal, enum, fractions)
    + (encodings.idna, encodings.utf_7, heapq, io, random, re, string, textwrap, threading)
    + (traceback, typing)
)


def main() -> None:
    root = str(Path(__file__).parents[2])
    private = _private()
    private.install()
    from tracer.sandbox.serve import serve

    private.uninstall()
    while root in sys.path:
        sys.path.remove(root)
    for add in (site.setquit, site.setcopyright, site.sethelper):  # which `-S` leaves out
        add()
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    os.environ.clear()
    os.environ.update(kept)
    serve()


def _private():
    """The module `tracer.sandbox.private`, alone: importing it by name would import the others."""
    spec = importlib.util.spec_from_file_location("private", Path(__file__).with_name("private.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
