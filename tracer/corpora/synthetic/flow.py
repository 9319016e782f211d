"""Control flow: loops with else, break and continue, while, match, walrus, with data deciding."""

PARAMETERS = ("int", "int", "ints", "mixed", "maybe", "pair")

EXPRESSIONS = {
    "int": """
        {int} if {bool} else {int}
        {var maybe} or {int}
        {var maybe a} if {var maybe a} is not None else {int}
        len({var mixed})
        {var int} and {int}
        min({int}, {int})
        max({int}, {int})
    """,
    "str": """
        {str} if {bool} else {str}
        type({var any}).__name__
        type({var mixed}[0]).__name__
        str({var any})
        repr({var mixed})
    """,
    "bool": """
        {var maybe} is None
        {var maybe} is not None
        {var any} is None
        isinstance({var any}, int)
        isinstance({var any}, str)
        isinstance({var any}, (int, float))
        {bool} and {bool}
        {bool} or {bool}
        not {bool}
        {int} < {int} < {int}
        {small} <= {var int} <= {modulus}
        {int} == {int} != {small}
        {int} > {int} >= {int}
        type({var any}) is str
        callable({var any})
        issubclass(type({var any}), int)
        issubclass(bool, type({var any}))
        None in {var mixed}
        hasattr({var any}, 'upper')
        {var any} == {any}
    """,
    "maybe": """
        None if {bool} else {int}
        {int} if {bool} else None
    """,
    "mixed": """
        [{int}, {str}, None]
        [{var any}, {item}]
        [v for v in {var mixed} if v is not None]
        [v for v in {var mixed} if isinstance(v, int)]
        [str(v) for v in {var mixed}]
        {var mixed} + [{any}]
        {var mixed}[::-1]
    """,
}

STATEMENTS = """
{new maybe} = {maybe}
{new mixed} = {mixed}
{new int} = {int}
{new bool} = {bool}
{new any} = {var mixed}[{zero}]

pass

if {bool}:
    pass
else:
    {own int a} -= {small}

if {bool}:
{body}

if {bool}:
{body}
else:
{body}

if {bool}:
{body}
elif {bool}:
{body}
else:
{body}

if {bool}:
    return {var int}

if {bool}:
    if {bool}:
        {own int a} += {int}
    else:
        {own int a} = {small}

for {new int} in range({count}):
{body}

for {new int} in range({small}, {modulus}, {wide}):
{body}

for {new any} in {var mixed}:
{body}

for {new int a} in {var ints}:
    if {new int a} > {item}:
        continue
    {own int b} += {new int a}

for {new int a} in {var ints}:
    if {new int a} == {item}:
        break
    {own int b} -= {new int a}

for {new int a} in {var ints}:
    if {new int a} < {item}:
        {fresh bool b} = True
        break
else:
    {fresh bool b} = False

for {new int a} in range(2, {wide}):
    if {var int} % {new int a} == 0:
        break
else:
    {new int a} = 0

for {new int a} in range({count}):
    for {new int b} in range({new int a}):
        {own int k} += {new int b}

for {new int a} in range({count}):
    for {new int b} in {var ints}:
        if {new int b} == {new int a}:
            {own int k} += 1
            break

{fresh int a} = {count}
while {fresh int a} > 0:
    {fresh int a} -= 1
{body}

{fresh int a} = 0
while {fresh int a} * {fresh int a} < {var int}:
    {fresh int a} += {small}

{fresh int a} = 0
while True:
    {fresh int a} += {small}
    if {fresh int a} > {dozen}:
        break

{fresh int a} = {count}
while {fresh int a}:
    {fresh int a} -= 1
    if {fresh int a} == {var int}:
        break
else:
    {fresh int a} = -1

while {own int a} > {dozen}:
    {own int a} -= {wide}
    if {own int a} % {divisor} == 0:
        break
else:
    {own int b} += {small}

while {own ints a}:
    if {own ints a}.pop() == {item}:
        break
else:
    {own int b} = {small}

{fresh int a} = abs({var int}) % {modulus} + 1
while {fresh int a} != 1:
    {fresh int a} = {fresh int a} // 2 if {fresh int a} % 2 == 0 else 3 * {fresh int a} + 1

while (half := {own int a} // 2) > {small}:
    {own int a} = half

if (taken := {int}) > {item}:
    {own int a} = taken

match {var int a} % {divisor}:
    case 0:
        {own int b} += {int}
    case 1 | 2:
        {own int b} -= {small}
    case _:
        {own int b} = {var int a}

match {var int a}:
    case 0:
        {fresh str b} = 'zero'
    case taken if taken < 0:
        {fresh str b} = 'minus'
    case _:
        {fresh str b} = {str}

match {var ints}:
    case []:
        {fresh int a} = 0
    case [only]:
        {fresh int a} = only
    case [head, *_]:
        {fresh int a} = head + {small}

match {var pair}:
    case (0, right):
        {fresh int a} = right
    case (left, 0):
        {fresh int a} = left
    case (left, right):
        {fresh int a} = left - right

match {var any}:
    case None:
        {fresh str a} = 'none'
    case int() | float():
        {fresh str a} = 'number'
    case str() as given:
        {fresh str a} = given
    case _:
        {fresh str a} = 'other'

match {{'kind': {key}, 'size': {int}}}:
    case {{'kind': {key}, 'size': taken}}:
        {fresh int a} = taken
    case {{'size': taken}} if taken > {item}:
        {fresh int a} = taken * 2
    case _:
        {fresh int a} = -1

match {var mixed}:
    case [str() as given, *_]:
        {fresh str a} = given
    case [int(), *others]:
        {fresh str a} = {key} * len(others)
    case _:
        {fresh str a} = {str}

match {var maybe}:
    case None:
        {fresh int a} = {small}
    case taken:
        {fresh int a} = taken + {item}

{fresh int a} = {int}; {own int b} += {fresh int a}; del {fresh int a}

{fresh ints a} = {var ints}; {own int b} -= len({fresh ints a}); del {fresh ints a}

if {bool}:
    break

if {bool}:
    continue

if {bool}:
    return {var maybe}
"""
