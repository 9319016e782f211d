"""`python -m tracer.corpora.synthetic [--count 10000]`: which operations how many programs hold."""

import argparse
from collections import Counter
from collections.abc import Iterable
from statistics import median

from tracer.corpora.synthetic import programs
from tracer.corpora.synthetic.balanced import BALANCE
from tracer.corpora.synthetic.families import BALANCED
from tracer.corpora.synthetic.operations import listed, operations
from tracer.schema import Program


def counted(corpus: Iterable[Program]) -> Counter[str]:
    """In how many programs each operation stands."""
    found = Counter()
    for program in corpus:
        found.update(operations(program.source).keys())
    return found


def table(found: Counter[str]) -> Iterable[str]:
    """A line for each kind of operations, and one for each operation."""
    for kind, names in listed().items():
        ordered = sorted(names, key=lambda name: -found[name])
        middle = median(found[name] for name in names)
        most, least = ordered[0], ordered[-1]
        yield f"{kind:10} {len(names):4} operations: median {middle:g}, " + ", ".join(
            f"{name.partition(' ')[2]} {found[name]}" for name in (most, least)
        )
        yield "    " + "  ".join(f"{name.partition(' ')[2]} {found[name]}" for name in ordered)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tracer.corpora.synthetic", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="programs to draw")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--difficulty", type=int, default=2)
    parser.add_argument("--families", nargs="+", default=BALANCED)
    parser.add_argument("--balance", type=float, default=BALANCE, help="0 for none")
    given = parser.parse_args()
    try:
        own = {"families": given.families, "difficulty": given.difficulty}
        corpus = programs(given.count, given.seed, balance=given.balance, **own)
        print("\n".join(table(counted(corpus))))
    except ValueError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
