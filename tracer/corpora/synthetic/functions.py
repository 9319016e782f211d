"""Calls: helpers with all forms of parameters, recursion, closures, generators, decorators."""

from tracer.corpora.synthetic.template import Definition

PARAMETERS = ("int", "int", "ints", "str", "counts")
FAMILY = "functions"


def _helper(text: str, names: str, reads: dict[str, str], **uses) -> Definition:
    return Definition(FAMILY, text.strip("\n"), names, reads, **uses)


DEFINITIONS = (
    _helper(
        """
def $(x, y):
{body}
    return {int}
""",
        "points_of cost value_of measure",
        {"x": "int", "y": "int"},
        expressions={"int": "$({int}, {int})\n$({int}, y={item})\n$(x={int}, y={item})"},
    ),
    _helper(
        """
def $(n, step={small}):
{body}
    return {int}
""",
        "advance scaled shifted",
        {"n": "int", "step": "int"},
        expressions={"int": "$({int})\n$({int}, {small})\n$({int}, step={cut})"},
    ),
    _helper(
        """
def $(x, *, limit={dozen}):
    if x > limit:
        return limit
    return {int}
""",
        "capped clip bounded",
        {"x": "int", "limit": "int"},
        expressions={"int": "$({int})\n$({int}, limit={item})"},
    ),
    _helper(
        """
def $(x, y=1, /):
    return {int}
""",
        "mixed_up blend",
        {"x": "int", "y": "int"},
        expressions={"int": "$({int})\n$({int}, {int})"},
    ),
    _helper(
        """
def $(text, times={twice}):
{body}
    return {str}
""",
        "decorate label_of shout",
        {"text": "str", "times": "int"},
        expressions={"str": "$({str})\n$({str}, {cut})\n$({str}, times={cut})"},
    ),
    _helper(
        """
def $(nums):
{body}
    return {ints}
""",
        "cleaned reduced arranged",
        {"nums": "ints"},
        expressions={"ints": "$({ints})\n$({var ints})"},
        statements="{new ints} = $({var ints})",
    ),
    _helper(
        """
def $(x):
    return {bool}
""",
        "is_good accepts fits",
        {"x": "int"},
        expressions={
            "bool": "$({int})\nnot $({int})\nany($(v) for v in {var ints})",
            "ints": "list(filter($, {var ints}))\n[v for v in {var ints} if $(v)]",
        },
    ),
    _helper(
        """
def $(*sizes):
    total = {small}
    for x in sizes:
        total += x
    return total
""",
        "add_all sum_of tally",
        {},
        expressions={"int": "$({int}, {int})\n$(*{var ints})\n$({int}, *{var row})\n$()"},
    ),
    _helper(
        """
def $(x, *sizes, **ages):
    return x + len(sizes) * {small} + sum(ages.values())
""",
        "collect gather_up",
        {},
        expressions={"int": "$({int}, {item}, a={item})\n$({int}, **{var counts})\n$({item})"},
    ),
    _helper(
        """
def $(items, x):
    items.append(x)
    return len(items)
""",
        "push put store",
        {},
        expressions={"int": "$({ints}, {item})"},
        statements="$({own ints}, {int})\n{new int} = $({own ints}, {item})",
    ),
    _helper(
        """
def $(nums, n):
    for i, x in enumerate(nums):
        if x == n:
            return i
    return None
""",
        "position where_is",
        {},
        expressions={"maybe": "$({ints}, {item})\n$({var row}, {var int})"},
    ),
    _helper(
        """
def $(nums):
    low = high = {small}
    for x in nums:
        low, high = (min(low, x), max(high, x))
    return (low, high)
""",
        "extremes range_of",
        {},
        expressions={"pair": "$({ints})", "int": "$({ints})[0]"},
        statements="{new int a}, {new int b} = $({var ints})",
    ),
    _helper(
        """
def $(n):
    if n <= {cut}:
        return {small}
    return n + $(n - {twice})
""",
        "climb total_to",
        {},
        expressions={"int": "$({wide})\n$({int} % {modulus})"},
    ),
    _helper(
        """
def $(n):
    if n < 10:
        return n
    return n % 10 * {cut} + $(n // 10)
""",
        "digit_sum fold_digits",
        {},
        expressions={"int": "$(abs({int}))"},
    ),
    _helper(
        """
def $(a, b):
    return a if b == 0 else $(b, a % b)
""",
        "gcd common",
        {},
        expressions={"int": "$(abs({int}), {small})\n$({wide}, {dozen})"},
    ),
    _helper(
        """
def $(n):
    if n < 2:
        return n
    return $(n - 1) + $(n - 2)
""",
        "fib rabbits",
        {},
        expressions={"int": "$({count})"},
    ),
    _helper(
        """
def $(xs, best=0):
    if not xs:
        return best
    return $(xs[1:], max(best, xs[0]))
""",
        "largest deepest",
        {},
        expressions={"int": "$({ints})\n$({ints}, {small})\n$({ints}, best={item})"},
    ),
    _helper(
        """
def $(s):
    if len(s) < 2:
        return s
    return $(s[1:]) + s[0]
""",
        "flip backwards",
        {},
        expressions={"str": "$({str})"},
    ),
    _helper(
        """
def $(n, memo):
    if n in memo:
        return memo[n]
    memo[n] = n if n < 2 else $(n - 1, memo) + $(n - 2, memo)
    return memo[n]
""",
        "cached remember",
        {},
        expressions={"int": "$({small}, {{}})"},
    ),
    _helper(
        """
def is_even(n):
    return True if n == 0 else $(n - 1)

def $(n):
    return False if n == 0 else is_even(n - 1)
""",
        "is_odd",
        {},
        expressions={"bool": "$({small})\nis_even({small})"},
    ),
    _helper(
        """
def $(step):

    def inner(x):
        return x * {small} + step
    return inner
""",
        "make_adder scaler shifter",
        {},
        setup="{fresh func a} = $({small})",
        expressions={
            "int": "{var func}({int})\n$({small})({int})",
            "ints": "list(map({var func}, {var ints}))",
        },
    ),
    _helper(
        """
def $(total):

    def inner(x):
        nonlocal total
        total += x
        return total
    return inner
""",
        "make_counter running",
        {},
        setup="{fresh func a} = $({item})",
        expressions={"int": "{var func}({int})"},
        statements="{var func}({small})",
    ),
    _helper(
        """
TOTAL = {item}

def $(x):
    global TOTAL
    TOTAL += x
    return TOTAL
""",
        "record note log",
        {},
        expressions={"int": "$({int})\nTOTAL + {int}"},
        statements="$({int})",
    ),
    _helper(
        """
def $(n):
    while n > 0:
        yield n % {divisor}
        n //= {twice}
""",
        "digits_of halves remainders",
        {},
        expressions={
            "ints": "list($({int}))\n[v + {small} for v in $({var int})]\nsorted($({int}))",
            "int": "sum($({int}))\nmax($({int}), default=0)\nnext($({int}), {small})",
            "bool": "{item} in $({int})",
        },
        statements="""
for {new int} in $({var int}):
{body}

{fresh stream a} = $({wide}); {new int b} = next({fresh stream a}, 0)
{new int} = next({var stream}, 0)
""",
    ),
    _helper(
        """
def $(rows):
    for xs in rows:
        yield from xs
""",
        "flat chained",
        {},
        expressions={"ints": "list($({grid}))\nsorted($({var grid}))", "int": "sum($({grid}))"},
        statements="for {new int} in $({var grid}):\n{body}",
    ),
    _helper(
        """
def $():
    total = 0
    while True:
        x = (yield total)
        total += x * {small}
""",
        "accumulator adder",
        {},
        setup="{fresh stream a} = $()\n\nnext({var stream})",
        expressions={"int": "{var stream}.send({int})"},
        statements="{new int} = {var stream}.send({item})",
    ),
    _helper(
        """
def $(fn):

    def wrapper(x):
        return fn(x) + {small}
    return wrapper

@$
def twisted(x):
    return {int}
""",
        "raised_by padded",
        {"x": "int"},
        expressions={"int": "twisted({int})"},
    ),
    _helper(
        """
def $(fn, nums):
    found = []
    for x in nums:
        found.append(fn(x))
    return found
""",
        "apply_to each_of",
        {},
        expressions={
            "ints": "$(abs, {ints})\n$(lambda v: v % {divisor}, {ints})",
            "strs": "$(str, {var ints})\n$(str.upper, {var strs})",
        },
    ),
    _helper(
        """
$ = {{'add': lambda a, b: a + b, 'sub': lambda a, b: a - b, 'top': max}}
""",
        "OPS ACTIONS",
        {},
        expressions={"int": "$['add']({int}, {int})\n$['sub']({int}, {int})\n$['top']({int}, 0)"},
    ),
)

EXPRESSIONS = {
    "int": """
        {int} + {int}
        {int} - {int}
        {int} * {factor}
        max({int}, {int})
    """,
    "bool": """
        {int} > {int}
        {int} == {item}
        {int} < {small}
        {item} in {var ints}
    """,
}

STATEMENTS = """
{new int} = {int}
{new ints} = {ints}
{new str} = {str}
{own int} += {int}
{new int} = (lambda x, y=1: x - y)({int})
{new ints} = list(map(lambda v: v + {small}, {var ints}))
{new ints} = sorted({var ints}, key=lambda v: -v)

if {bool}:
{body}

for {new int} in range({count}):
{body}

{fresh func a} = lambda x: x * {small} + {item}; {new int b} = {fresh func a}({int})
"""
