"""Integers, floats and truth values: every operator, method and builtin they have."""

PARAMETERS = ("int", "int", "float", "bool", "str")

EXPRESSIONS = {
    "int": """
        {int} + {int}
        {int} - {int}
        {int} * {int}
        {int} * {factor}
        {int} // {divisor}
        {int} % {modulus}
        {int} % -{divisor}
        {item} ** {power}
        {int} & {int}
        {int} & {mask}
        {int} | {int}
        {int} | {mask}
        {int} ^ {int}
        {int} ^ {mask}
        {int} << {shift}
        {int} >> {shift}
        -{int}
        +{var int}
        ~{int}
        +{var bool}
        {var bool} * {int}
        {int} + {bool}
        abs({int})
        pow({item}, {power})
        pow({int}, {power}, {modulus})
        divmod({int}, {divisor})[0]
        divmod({int}, {divisor})[1]
        round({var int}, -1)
        round({var float})
        int({float})
        int({numeral}) + {var int}
        int({bits}, 2) & {var int}
        min({int}, {int}, {int})
        max({int}, {int}, {int})
        sum(({int}, {int}))
        hash({var int}) % {modulus}
        {var int}.bit_length()
        {var int}.bit_count()
        bin({int}).count('1')
        len(oct({int}))
        int(hex({int}), 16) % {modulus}
        {var int}.conjugate()
        {var int}.as_integer_ratio()[1]
        {var float}.as_integer_ratio()[1]
        {var int}.numerator
        {var int}.denominator
        int.from_bytes({bytes}[:2], 'big')
        int.from_bytes({bytes}[:2], 'little')
        {int} if {bool} else {int}
        {bool} and {int}
        {var int} or {int}
    """,
    "float": """
        {float} + {float}
        {float} - {float}
        {float} * {factor}
        {float} * {float}
        {float} / {half}
        {int} / {half}
        {int} / {divisor}
        {float} // {half}
        {float} % {half}
        {var float} ** {power}
        {power} ** -{shift}
        -{float}
        +{var float}
        {int} + {float}
        {int} - {float}
        abs({float})
        round({float} / {divisor}, {digits})
        float({int})
        float({numeral}) + {var float}
        divmod({float}, {half})[1]
        pow({var float}, {power})
        max({float}, {int}, {float})
        min({float}, {float})
        {var float}.conjugate()
        {var float}.real
        float.fromhex({hexfloat}) + {var float}
        {float} if {bool} else {float}
    """,
    "bool": """
        {int} < {int}
        {int} <= {int}
        {int} > {int}
        {int} >= {int}
        {int} == {int}
        {int} != {int}
        {float} < {float}
        {float} <= {float}
        {float} > {int}
        {float} >= {float}
        {float} == {int}
        {float} != {float}
        {bool} and {bool}
        {bool} or {bool}
        not {bool}
        not {var int}
        {var bool} & {bool}
        {var bool} | {bool}
        {var bool} ^ {bool}
        {var bool} == {bool}
        {var bool} != {bool}
        {var bool} is True
        {small} <= {var int} < {dozen}
        {var int} < {var int} <= {modulus}
        {var int} % {divisor} == {digits}
        {var int} >> {shift} & 1 == 1
        {var int} in ({small}, {small}, {modulus})
        {var int} not in ({small}, {dozen})
        bool({int})
        bool({float})
        {var float}.is_integer()
        isinstance({var float}, int)
        any([{bool}, {bool}])
        all(({bool}, {bool}, {var bool}))
    """,
    "str": """
        str({int})
        str({float})
        str({bool})
        repr({float})
        bin({int})
        hex({int})
        oct({int})
        {var float}.hex()
        format({var int}, 'b')
        format({var float}, '.1f')
        chr(97 + {var int} % 26)
    """,
    "pair": """
        divmod({int}, {divisor})
        {var int}.as_integer_ratio()
        ({int}, {int})
    """,
    "bytes": """
        abs({item}).to_bytes(2, 'big')
        abs({item}).to_bytes({twice}, 'little')
    """,
}

STATEMENTS = """
{new int} = {int}
{new float} = {float}
{new bool} = {bool}
{new int a} = {new int b} = {int}
{new int a}, {new int b} = ({int}, {int})
{new int a}, {new int b} = divmod({int}, {divisor})
{own int a}, {own int b} = ({own int b}, {own int a})
{own int} += {int}
{own int} -= {int}
{own int} *= {twice}
{own int} //= {divisor}
{own int} %= {modulus}
{own int} **= 2
{own int} &= {int}
{own int} |= {mask}
{own int} ^= {int}
{own int} <<= {shift}
{own int} >>= {shift}
{own float} += {float}
{own float} -= {float}
{own float} *= {half}
{own float} /= {half}
{own float} //= {half}
{own float} %= {half}
{own float} **= 2
{own bool} &= {bool}
{own bool} |= {bool}
{own bool} ^= {bool}

if {bool}:
{body}

if {bool}:
{body}
else:
{body}

for {new int} in range({count}):
{body}

{fresh int a} = 0
{fresh int b} = abs({var int})
while {fresh int b} > 0:
    {fresh int a} += {fresh int b} % 10
    {fresh int b} //= 10

{fresh int a}, {fresh int b} = (abs({int}), {small})
while {fresh int b}:
    {fresh int a}, {fresh int b} = ({fresh int b}, {fresh int a} % {fresh int b})

{fresh int a}, {fresh int b} = (0, 1)
for _ in range({small}):
    {fresh int a}, {fresh int b} = ({fresh int b}, {fresh int a} + {fresh int b})

{fresh int a} = 1
for {new int b} in range(2, {count} + 2):
    {fresh int a} *= {new int b}
"""
