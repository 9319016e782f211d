"""Strings and bytes: every method, operator, index and slice, and all ways to format."""

PARAMETERS = ("str", "str", "strs", "bytes", "int")

EXPRESSIONS = {
    "str": """
        {str} + {str}
        {var str} + {letter}
        {str} * {twice}
        {twice} * {var str}
        {var str}[{index}]
        {var str}[-{cut}:]
        {var str}[{cut}:]
        {var str}[:{cut}]
        {var str}[:-{cut}]
        {var str}[{cut}:{wide}]
        {var str}[::{skip}]
        {var str}[::-1]
        {var str}.capitalize()
        {var str}.casefold()
        {var str}.center({wide}, {mark})
        {var str}.expandtabs(4)
        {mark}.join({strs})
        ''.join(reversed({var str}))
        ''.join(sorted({var str}))
        {var str}.ljust({wide}, {mark})
        {var str}.rjust({wide})
        {str}.lower()
        {str}.upper()
        {var str}.lstrip()
        {var str}.lstrip({letters})
        {var str}.rstrip({letters})
        {str}.rstrip()
        {str}.strip()
        {var str}.strip({letters})
        {var str}.partition({mark})[0]
        {var str}.rpartition({mark})[2]
        {var str}.removeprefix({letter})
        {var str}.removesuffix({letter})
        {var str}.replace({letter}, {mark})
        {var str}.replace({letter}, {str}, 1)
        {var str}.swapcase()
        {var str}.title()
        {var str}.translate(str.maketrans({letters}, 'xy'))
        {var str}.translate(str.maketrans({{{letter}: {mark}}}))
        {str}.zfill({wide})
        {var str}.split({mark})[0]
        {var str}.rsplit({mark}, 1)[-1]
        '{{}}-{{}}'.format({int}, {var str})
        '{{0}}{{1}}{{0}}'.format({var str}, {letter})
        '{{:>6}}|'.format({var str})
        '{{a}}/{{b}}'.format(a={item}, b={var int})
        '{{x}}'.format_map({{'x': {var str}}})
        '%s:%d' % ({var str}, {int})
        '%05d' % {var int}
        '%.2f' % {float}
        '%x' % abs({var int})
        f'{{{var str}}}={{{var int}}}'
        f'{{{var int}:>{wide}}}'
        f'{{{var int}:04d}}'
        f'{{{var int}:+d}}'
        f'{{{var float}:.{digits}f}}'
        f'{{{var str}!r}}'
        f'{{{var str}:^{wide}}}'
        f'{{{var int}:b}}'
        f'{{{var int}:,}}'
        format({var str}, '<8')
        format({var int}, '04')
        hex({int})[2:]
        oct({int})[-1]
        bin({int})[2:].zfill(8)
        repr({var str})
        ascii({var str})
        str({int})
        chr(ord({letter}) + {digits})
        min({var str}, {str})
        max({var strs}, key=len, default='')
        {bytes}.decode()
        {var bytes}.decode('ascii')
        {var bytes}.hex()
        {str} if {bool} else {str}
        {var str} or {str}
        {var str} and {var str}[0]
    """,
    "int": """
        len({str})
        len({var bytes})
        {var str}.count({letter})
        {var str}.find({letter})
        {var str}.find({letter}, {cut})
        {var str}.rfind({letter})
        {var str}.index({var str}[-1:])
        {var str}.rindex({var str}[:1])
        ord({letter}) - {small}
        ord({var str}[{index}])
        {var bytes}[{index}]
        {var bytes}.count({letter}.encode())
        {var bytes}.find({letter}.encode())
        {var bytes}.index({var bytes}[:1])
        {var bytes}.rfind({letter}.encode())
        sum({var bytes}[:2])
        max({var bytes}, default=0)
        sum(ch in {letters} for ch in {var str})
        int({numeral}.strip()) + {var int}
    """,
    "bool": """
        {letter} in {var str}
        {str} not in {var str}
        {str} == {str}
        {str} != {var str}
        {str} < {str}
        {str} <= {var str}
        {str} > {str}
        {str} >= {var str}
        {var str}.endswith({letter})
        {var str}.startswith({letter})
        {var str}.startswith(({letter}, {letter}))
        {str}.isalnum()
        {str}.isalpha()
        {str}.isascii()
        {str}.isdecimal()
        {str}.isdigit()
        {str}.isidentifier()
        {str}.islower()
        {str}.isnumeric()
        {str}.isprintable()
        {var str}[:1].isspace()
        {str}.istitle()
        {str}.isupper()
        {var str a} == {var str a}[::-1]
        bool({str})
        isinstance({var str}, str)
        {var bytes} == {bytes}
        {var bytes} < {bytes}
        {letter}.encode() in {var bytes}
        {var bytes}.startswith({letter}.encode())
        {var bytes}.endswith({letter}.encode())
        {var bytes}.isalpha()
        {var bytes}.isdigit()
        {var bytes}.isupper()
        {var bytes}.islower()
        {var bytes}.isalnum()
        any(ch.isdigit() for ch in {var str})
        all(ch.isalpha() for ch in {var str})
    """,
    "strs": """
        {var str}.split()
        {var str}.split({mark})
        {var str}.split({mark}, 1)
        {var str}.rsplit({mark}, 1)
        {var str}.splitlines()
        {str}.partition({mark})
        list({var str})
        sorted({var str})
        [w.strip() for w in {var strs}]
        [w.title() for w in {var strs} if w]
        [ch for ch in {var str} if ch.isalpha()]
    """,
    "ints": """
        list({var bytes})
        [ord(ch) for ch in {var str}]
        [len(w) for w in {var strs}]
        [int(ch) for ch in {var str} if ch.isdigit()]
    """,
    "bytes": """
        {var str}.encode()
        {str}.encode('utf-8')
        {bytes} + {bytes}
        {var bytes} * {twice}
        {var bytes}[{cut}:]
        {var bytes}[:{cut}]
        {var bytes}[::{skip}]
        {var bytes}.lower()
        {var bytes}.upper()
        {var bytes}.title()
        {var bytes}.swapcase()
        {var bytes}.capitalize()
        {var bytes}.strip()
        {var bytes}.lstrip()
        {var bytes}.rstrip()
        {var bytes}.replace({letter}.encode(), b'-')
        {var bytes}.zfill({wide})
        {var bytes}.center({wide})
        {var bytes}.ljust({wide}, b'.')
        {var bytes}.rjust({wide})
        {var bytes}.partition(b'-')[0]
        {var bytes}.split()[-1:][0]
        b','.join([{var bytes}, {bytes}])
        bytes({var ints}[:0] + [{small}, {dozen}])
        bytes.fromhex('6162') + {var bytes}
        bytes({count})
    """,
}

STATEMENTS = """
{new str} = {str}
{new strs} = {strs}
{new bytes} = {bytes}
{new bool} = {bool}
{new int} = {int}
{own str} += {letter}
{own str} += {str}
{own str} *= {twice}
{own bytes} += {bytes}
{own str a} = {own str a}.replace({letter}, {mark})
{own str a} = {own str a}[{cut}:] + {own str a}[:{cut}]
{new str a}, {new str b}, {new str k} = {var str}.partition({mark})
{new str a}, {new str b} = ({str}, {str})
{new str a}, *{new strs b} = {var str}.split({mark})

if {bool}:
{body}

if {bool}:
{body}
else:
{body}

for {new str} in {var str}:
{body}

for {new str} in {var str}.split():
{body}

for {new int} in {var bytes}:
{body}

for {new int}, {new str} in enumerate({var str}):
{body}

for {new str} in reversed({var str}):
{body}

{fresh str a} = ''
for {new str b} in {var str}:
    if {new str b}.isalpha():
        {fresh str a} = {new str b} + {fresh str a}

{fresh str a} = ''
for {new str b} in {var str}:
    {fresh str a} += {new str b}.lower() if {new str b}.isupper() else {new str b}.upper()

{fresh int a} = 0
for {new str b} in {var str}:
    if {new str b} in {letters}:
        {fresh int a} += 1

{fresh str a} = ''
for {new str b} in {var strs}:
    if len({new str b}) > len({fresh str a}):
        {fresh str a} = {new str b}

{fresh str a} = ''
for {new str b} in {var str}:
    if not {fresh str a} or {new str b} != {fresh str a}[-1]:
        {fresh str a} += {new str b}
"""
