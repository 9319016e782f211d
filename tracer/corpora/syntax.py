"""Parses the programs of others, whose warnings are not for our users."""

import ast
import warnings


def parse(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)
