"""Small classes: attributes, methods, operators, properties, inheritance, context managers."""

from tracer.corpora.synthetic.template import Definition

PARAMETERS = ("int", "int", "ints", "str")
FAMILY = "classes"


def _class(text: str, names: str, **uses) -> Definition:
    setup = uses.pop("setup", "{fresh object a} = $({item})")
    return Definition(FAMILY, text.strip("\n"), names, setup=setup, **uses)


DEFINITIONS = (
    _class(
        """
class $:

    def __init__(self, total={small}):
        self.total = total

    def add(self, x):
        self.total += x * {cut}
        return self.total

    def reset(self):
        self.total = 0
""",
        "Counter Sum Meter",
        expressions={"int": "{var object}.add({int})\n{var object}.total"},
        statements="{var object}.reset()\n{var object}.total -= {small}\n{var object}.add({int})"
        "\n{var object}.total = {int}",
    ),
    _class(
        """
class $:

    def __init__(self):
        self.items = []

    def push(self, x):
        self.items.append(x)

    def pop(self):
        return self.items.pop() if self.items else {small}

    def __len__(self):
        return len(self.items)
""",
        "Stack Pile Bag",
        setup="{fresh object a} = $()",
        expressions={
            "int": "{var object}.pop()\nlen({var object})",
            "bool": "bool({var object})",
            "ints": "{var object}.items[:]",
        },
        statements="{var object}.push({int})\n{var object}.push({item})\n{var object}.items.sort()",
    ),
    _class(
        """
class $:

    def __init__(self, x, y={small}):
        self.x = x
        self.y = y

    def __add__(self, other):
        return $(self.x + other.x, self.y + other.y)

    def __eq__(self, other):
        return (self.x, self.y) == (other.x, other.y)

    def __repr__(self):
        return f'({{self.x}}, {{self.y}})'

    def size(self):
        return abs(self.x) + abs(self.y)
""",
        "Point Vec",
        expressions={
            "int": "{var object}.size()\n{var object}.x\n({var object} + $({item})).size()",
            "bool": "{var object} == $({item})\n{var object} != $({item}, {int})",
            "str": "repr({var object})\nstr({var object})",
        },
        statements="{own object} += $({item}, {item})\n{var object}.x = {int}\n"
        "{var object}.y += {small}",
    ),
    _class(
        """
class $:
    rate = {small}

    def __init__(self, price):
        self.price = price

    @property
    def cost(self):
        return self.price * self.rate

    @staticmethod
    def rounded(x):
        return x // {divisor}

    @classmethod
    def cheap(cls):
        return cls({small})
""",
        "Item Ticket Offer",
        expressions={
            "int": "{var object}.cost\n$.rounded({int})\n$.cheap().cost\n$.rate + {int}\n"
            "getattr({var object}, 'price')",
            "bool": "hasattr({var object}, 'price')\nisinstance({var object}, $)",
        },
        statements="{var object}.price = {int}\n{var object}.rate = {small}\n"
        "setattr({var object}, 'price', {int})\n{fresh object} = $.cheap()",
    ),
    _class(
        """
class Shape:

    def __init__(self, size):
        self.size = size

    def area(self):
        return self.size * {cut}

class $(Shape):

    def area(self):
        return super().area() + {small}
""",
        "Square Box Tile",
        expressions={
            "int": "{var object}.area()\nShape({int}).area()\n{var object}.size",
            "bool": "isinstance({var object}, Shape)\nissubclass($, Shape)",
            "str": "type({var object}).__name__",
        },
        statements="{var object}.size = {int}",
    ),
    _class(
        """
class $:

    def __init__(self, data):
        self.data = data

    def __getitem__(self, n):
        return self.data[n % len(self.data)]

    def __setitem__(self, n, x):
        self.data[n % len(self.data)] = x

    def __contains__(self, x):
        return x in self.data

    def __iter__(self):
        return iter(self.data)
""",
        "Ring Wheel",
        setup="{fresh object a} = $([{item}, {item}, {small}])",
        expressions={
            "int": "{var object}[{int}]\nsum({var object})",
            "bool": "{item} in {var object}",
            "ints": "list({var object})\n[v + {small} for v in {var object}]",
        },
        statements="{var object}[{int}] = {item}\n{var object}[{var int}] += {small}\n\n"
        "for {new int} in {var object}:\n{body}",
    ),
    _class(
        """
class $:

    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return self

    def __next__(self):
        if self.n <= 0:
            raise StopIteration
        self.n -= {twice}
        return self.n
""",
        "Countdown Steps",
        setup="{fresh object a} = $({wide})",
        expressions={
            "int": "next({var object}, {small})\nsum($({small}))",
            "ints": "list($({small}))\n[v for v in $({wide})]",
        },
        statements="for {new int} in $({wide}):\n{body}",
    ),
    _class(
        """
class $:

    def __init__(self, log):
        self.log = log

    def __enter__(self):
        self.log.append({small})
        return self

    def __exit__(self, kind, error, trace):
        self.log.append(0)
        return kind is ZeroDivisionError
""",
        "Session Guard Scope",
        setup="with $({own ints}):\n{body}",
        statements="""
with $({own ints a}) as {new object}:
    {own ints a}.append({int})

with $({own ints a}) as {new object}:
{body}

with $({own ints a}):
    {own ints a}.append(10 // {var int})
{new int b} = len({own ints a})
""",
    ),
    _class(
        """
class $:

    def __init__(self, start):
        self.value = start

    def __enter__(self):
        self.value += {small}
        return self.value

    def __exit__(self, *args):
        self.value = 0
        return {small} > {count}
""",
        "Loan Lock Visit",
        expressions={"int": "{var object}.value"},
        statements="""
with $({int}) as {new int}:
{body}

with {var object}:
{body}

with {var object} as {new int a}:
    {own int b} += {new int a}

with {var object} as {new int a}:
    {own int b} = {modulus} // {var int}
""",
    ),
    _class(
        """
class $:

    def __init__(self, step):
        self.step = step

    def __call__(self, x):
        return x + self.step

    def __bool__(self):
        return self.step > {small}

    def __lt__(self, other):
        return self.step < other.step
""",
        "Mover Rule",
        expressions={
            "int": "{var object}({int})",
            "bool": "{var object} < $({item})\nbool({var object})\nnot {var object}",
            "ints": "list(map({var object}, {var ints}))",
        },
        statements="{var object}.step += {small}",
    ),
    _class(
        """
from dataclasses import dataclass

@dataclass
class $:
    name: str
    size: int = {small}

    def grow(self, x):
        self.size += x
        return self
""",
        "Tree Pet Parcel",
        setup="{fresh object a} = $({str}, {item})",
        expressions={
            "int": "{var object}.size\n{var object}.grow({small}).size\nlen({var object}.name)",
            "str": "{var object}.name\nf'{{{var object}.name}}:{{{var object}.size}}'",
            "bool": "{var object} == $({str})",
        },
        statements="{var object}.grow({int})\n{var object}.name += {letter}\n"
        "{var object}.size = {int}",
    ),
    _class(
        """
class $:

    def __init__(self, value, after=None):
        self.value = value
        self.after = after

    def total(self):
        return self.value + (self.after.total() if self.after else 0)
""",
        "Link Cell",
        setup="{fresh object a} = $({item}, $({item}))",
        expressions={"int": "{var object}.total()\n{var object}.value"},
        statements="{own object a} = $({item}, {own object a})\n{var object}.value += {int}",
    ),
)

EXPRESSIONS = {
    "int": """
        {int} + {int}
        {int} - {int}
        {int} * {factor}
        min({int}, {int})
    """,
    "bool": """
        {int} > {int}
        {int} == {item}
        {int} < {small}
    """,
}

STATEMENTS = """
{new int} = {int}
{new bool} = {bool}
{new ints} = {ints}
{new str} = {str}
{own int} += {int}

if {bool}:
{body}

if {bool}:
{body}
else:
{body}

for {new int} in range({count}):
{body}
"""
