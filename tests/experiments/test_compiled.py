"""What is compiled is kept, in the folder that JAX was given or in the user's own."""

import jax
import pytest

from experiments.compiled import keep_compiled, machine


@pytest.fixture
def nowhere():
    before = {name: jax.config.values[name] for name in SETTINGS}
    jax.config.update("jax_compilation_cache_dir", None)
    yield
    for name, value in before.items():
        jax.config.update(name, value)


SETTINGS = ("jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs")


def test_a_folder_that_jax_was_given_comes_first(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    before = jax.config.values["jax_compilation_cache_dir"]
    keep_compiled()
    assert before and jax.config.values["jax_compilation_cache_dir"] == before
    assert not list(tmp_path.iterdir())


def test_else_it_is_the_users_one_for_processors_of_this_kind(nowhere, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    keep_compiled()
    folder = tmp_path / "program-rssm" / machine()
    assert folder.is_dir() and jax.config.values["jax_compilation_cache_dir"] == str(folder)


def test_where_no_folder_can_be_made_nothing_is_kept(nowhere, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    keep_compiled()
    assert jax.config.values["jax_compilation_cache_dir"] is None
