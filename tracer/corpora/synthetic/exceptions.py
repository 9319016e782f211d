"""Exceptions: statements that raise for some inputs, caught or not."""

from tracer.corpora.synthetic.template import Definition

PARAMETERS = ("int", "ints", "counts", "str", "maybe", "mixed")
FAMILY = "exceptions"

DEFINITIONS = (
    Definition(
        FAMILY,
        """class $(Exception):
    pass

def checked(x):
    if x > {item}:
        raise $(x)
    return x * {cut}""",
        "LimitError TooLarge Refused",
        expressions={"int": "checked({int})"},
        statements="""
try:
    {own int a} = checked({int})
except $:
    {own int a} = {small}

try:
    {own int a} += checked({own int a})
except $ as error:
    {own int a} -= error.args[0]

if {bool}:
    raise $({message})
""",
    ),
    Definition(
        FAMILY,
        """class $(ValueError):

    def __init__(self, code):
        super().__init__(code)
        self.code = code""",
        "CodeError InputError",
        statements="""
try:
    if {bool}:
        raise $({small})
    {own int a} += 1
except $ as error:
    {own int a} = error.code

if {bool}:
    raise $({int})
""",
    ),
    Definition(
        FAMILY,
        """def $(n):
    assert n >= 0, {message}
    return {int}""",
        "root_of checked_size",
        {"n": "int"},
        expressions={"int": "$({int})"},
    ),
    Definition(
        FAMILY,
        """def $(x, y):
    try:
        return x // y
    except ZeroDivisionError:
        return {small}
    finally:
        x += 1""",
        "safe_div divide",
        expressions={"int": "$({int}, {int})\n$({int}, {digits})"},
    ),
    Definition(
        FAMILY,
        """def $(n, depth=0):
    if depth > {count}:
        raise RecursionError({message})
    return n if n < {small} else $(n // 2, depth + 1)""",
        "descend dive",
        expressions={"int": "$({int})\n$({var int}, {cut})"},
        statements="""
try:
    {new int a} = $({int})
except RecursionError:
    {new int a} = -1
""",
    ),
    Definition(
        FAMILY,
        """def $(text):
    if not text.isdigit():
        raise ValueError({message})
    return int(text) + {small}""",
        "parse read_number",
        expressions={"int": "$({str})\n$({numeral})"},
        statements="""
try:
    {new int a} = $({str})
except ValueError:
    {new int a} = 0
""",
    ),
)

EXPRESSIONS = {
    "int": """
        {int} // {var int}
        {int} % {var int}
        {var ints}[{wild}]
        {var row}[{wild}]
        {var ints}.index({item})
        {var counts}[{key}]
        {var counts}[{var str}]
        {var counts a}.pop({key})
        int({str})
        int({var str})
        {var maybe} + {int}
        {int} - {var maybe}
        {var mixed}[{digits}] + {small}
        {var maybe}.bit_length()
        len({var any})
        max({var ints})
        min({var row})
        next(iter({var ints}))
        {var str}.index({letter})
        {int} << {item}
        {int} + {int}
        {int} - {int}
        ord({var str})
    """,
    "float": """
        {int} / {var int}
        round({item} / {var int}, 2)
        float({str})
    """,
    "str": """
        {var str}[{wild}]
        {var str} + {var any}
        {var strs}[{wild}]
        {var any}.upper()
        chr({int} - {small})
        {var labels}[{small}]
        ','.join({var mixed})
    """,
    "bool": """
        {var any} < {int}
        {var maybe} > {small}
        {item} in {var any}
        {var mixed}[0] == {item}
        {int} > {int}
        {int} > {item}
        {int} < {small}
        {int} % {divisor} == {digits}
        len({var str}) > {cut}
        not {var ints}
        {key} in {var counts}
        {item} not in {var ints}
    """,
    "ints": """
        sorted({var mixed})
        [{modulus} // v for v in {var ints}]
        [int(w) for w in {var strs}]
    """,
}

STATEMENTS = """
{new int} = {int}
{new float} = {float}
{new str} = {str}
{new any} = {var mixed}[{wild}]
{own int} //= {var int}
{own int} %= {var int}
{own ints}.remove({item})
{own ints}[{wild}] = {item}
{own counts}[{key}] += {small}
{own numset}.remove({item})
{new int} = {own ints}.pop({wild})
{new int} = {own numset}.pop()
{new int a}, {new int b} = {var ints}
{new str a}, {new str b} = {var str}.split({mark})
del {own counts}[{key}]
assert {bool}
assert {bool}, {message}
assert isinstance({var any}, int), {message}

if {bool}:
    raise ValueError({message})

if {bool}:
    raise KeyError({key})

if {var maybe} is None:
    raise TypeError({message})

if {bool}:
    raise IndexError

if {bool}:
    raise NotImplementedError

if {bool}:
    {fresh int a} = {small}
{new int b} = {fresh int a} + {item}

try:
    {new int a} = {int} // {var int}
except ZeroDivisionError:
    {new int a} = {item}

try:
    {new int a} = {var ints}[{wild}]
except IndexError:
    {new int a} = {item}

try:
    {new int a} = {var counts}[{key}]
except KeyError as error:
    {new int a} = len(error.args)

try:
    {new int a} = int({var str})
except ValueError:
    {new int a} = -1
else:
    {new int a} += {small}

try:
    {new int a} = {var maybe} * {twice}
except TypeError:
    {new int a} = {item}
finally:
    {own int b} += 1

try:
    {new str a} = {var any}.lower()
except AttributeError:
    {new str a} = {str}

try:
    {new int a} = {var ints}[{var int}] // {var int}
except (IndexError, ZeroDivisionError):
    {new int a} = 0

try:
    {new int a} = {modulus} // {var ints}[{digits}]
except IndexError:
    {new int a} = {small}
except ZeroDivisionError as error:
    {new str b} = str(error)
    {new int a} = 0

try:
    {new int a} = {int} // {var int}
except ArithmeticError:
    raise ValueError({message}) from None

try:
    assert {bool}, {message}
    {own int a} += 1
except AssertionError:
    {own int a} -= 1

try:
    try:
        {new int a} = {var counts}[{key}]
    finally:
        {own int b} += {small}
except KeyError:
    {new int a} = {item}

try:
    if {bool}:
        raise ValueError({message})
    {new int a} = {int}
except ValueError as error:
    {new int a} = len(str(error))

try:
    {new int a} = {var counts}[{key}]
except LookupError:
    if {bool}:
        raise
    {new int a} = {small}

try:
{body}
except (TypeError, ValueError, LookupError):
{body}

try:
{body}
finally:
{body}

{fresh stream a} = iter({var ints})
try:
    {new int b} = next({fresh stream a}) + next({fresh stream a})
except StopIteration:
    {new int b} = {item}

{fresh stream a} = iter({var row}); {new int b} = next({fresh stream a})

{fresh ints a} = []
for {new str b} in {var strs}:
    try:
        {fresh ints a}.append(int({new str b}))
    except ValueError:
        continue

{fresh int a} = 0
for {new any b} in {var mixed}:
    try:
        {fresh int a} += {new any b}
    except TypeError:
        {fresh int a} -= 1

{fresh int a} = 0
for {new int b} in {var ints}:
    if {new int b} < 0:
        raise ValueError({new int b})
    {fresh int a} += {new int b}

for {new int a} in range({count}):
    {own int b} -= {modulus} // ({own int b} - {new int a})

for {new int a} in {var ints}:
    try:
        {own int b} += {modulus} // {new int a}
    except ZeroDivisionError:
        break

if {bool}:
{body}

if {bool}:
{body}
else:
{body}

for {new int} in {var ints}:
{body}
"""
