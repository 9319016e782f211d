"""A program whose risk is data: whether it deletes anything hangs on DRY."""

import os

LIMIT = 3
DRY = True


def clean(paths):
    removed = []
    for path in paths:
        if len(removed) >= LIMIT:
            break
        if not DRY:
            os.remove(path)
        removed.append(path)
    return removed
