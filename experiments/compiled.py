"""What XLA compiles is kept for the next command: a model is compiled in tens of seconds, and from
there read in a few. It is in the user's cache folder, unless JAX was given another one
(JAX_COMPILATION_CACHE_DIR) or is to keep none (JAX_ENABLE_COMPILATION_CACHE=false)."""

import os
import platform
import zlib
from pathlib import Path

import jax

LEAST = 0.2  # seconds of compiling that are worth a file


def keep_compiled() -> None:
    """Before anything is compiled. Where the folder cannot be made nothing is kept."""
    if jax.config.values["jax_compilation_cache_dir"] is not None:
        return
    caches = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    folder = caches / "program-rssm" / machine()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", LEAST)


def machine() -> str:
    """One name for processors with the same instructions: a home may be on several."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    can = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return f"{platform.machine()}-{zlib.crc32((can or platform.processor()).encode()):08x}"
