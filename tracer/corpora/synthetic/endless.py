"""Loops that may not end: whether they do depends on the data."""

PARAMETERS = ("int", "int", "ints", "str", "counts")

EXPRESSIONS = {
    "int": """
        {int} + {int}
        {int} - {int}
        {int} % {modulus}
    """,
    "bool": """
        {int} > {int}
        {int} % {divisor} == {digits}
    """,
}

STATEMENTS = """
{new int} = {int}
{own int} += {int}

if {bool}:
{body}

while {own int a} != {small}:
    {own int a} -= {cut}

while {own int a} > {item}:
    {own int a} += {var int}

while {own int a} < {modulus}:
    {own int a} += {own int a} % {divisor}

while {own int a} % {divisor} != {digits}:
    {own int a} += {twice}

while {own int a} != {own int b}:
    if {own int a} > {own int b}:
        {own int a} -= {own int b}
    else:
        {own int b} -= {own int a}

while {own int a} != 1:
    {own int a} = {own int a} // 2 if {own int a} % 2 == 0 else {own int a} * 3 + {cut}

{fresh int a} = {var int} % {modulus}
while {fresh int a} != {digits}:
    {fresh int a} = ({fresh int a} * {divisor} + {small}) % {modulus k}

{fresh int a} = {var int}
while True:
    {fresh int a} = abs({fresh int a} - {dozen})
    if {fresh int a} in {var ints}:
        break

{fresh int a} = 0
while {own ints b}[{fresh int a} % len({own ints b})] != {item}:
    {fresh int a} += {cut}

{fresh int a} = 0
while {fresh int a} < len({var ints b}):
    {fresh int a} += {var ints b}[{fresh int a}]

while {own ints a}:
    {new int b} = {own ints a}.pop()
    if {new int b} > {item}:
        {own ints a}.append({new int b} - {digits})

for {new int a} in {own ints b}:
    if {new int a} > {item}:
        {own ints b}.append({new int a} - {digits})

while {own ints a}[0] < {item}:
    {own ints a}.append({own ints a}.pop(0))

while {letter k} in {own str a}:
    {own str a} = {own str a}.replace({letter k}, {letters}, 1)

while not {own str a}.startswith({letter}):
    {own str a} = {own str a}[{cut}:] + {own str a}[:{cut}]

while len({own str a}) < {small}:
    {own str a} += {own str a}[:{digits}]

while {own str a} and {own str a}[0] != {letter}:
    {own str a} = {own str a}[{digits}:]

{new str b} = {key}
while {own counts a}.get({new str b}, 0) > 0:
    {own counts a}[{new str b}] -= {digits}

while sum({own counts a}.values()) > {item}:
    {own counts a}[max({own counts a})] //= 2
"""
