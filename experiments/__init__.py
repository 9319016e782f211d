"""The commands, `python -m experiments.NAME`."""

from experiments.pages import use_large_pages

use_large_pages()
