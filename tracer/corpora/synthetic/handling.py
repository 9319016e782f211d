"""What exercises make of strings, lists, dictionaries and floats.

A hole names a kind of value, and a variable of that kind comes there (`text2`: another one, or a
literal), or a value that suits this variable: one of its `letter`s, `item`s or `key`s. `short text`
is one that a loop can go through. `to text` is what is assigned. See `holes.Holes`.
"""

EXPRESSIONS = {
    "number": """
        len({text})
        len({numbers})
        len({words})
        len({table})
        len(set({text}))
        len(set({numbers}))
        {text}.count({letter})
        {text}.count({part})
        {text}.find({letter})
        {text}.find({part})
        {text}.rfind({letter})
        {text}.index({letter})
        {numbers}.count({item})
        {numbers}.index({item})
        {words}.index({word})
        {numbers}[{index}]
        {numbers}.pop()
        {numbers}.pop({index})
        {numbers}.pop(0)
        sum({numbers})
        max({numbers})
        min({numbers})
        sum({numbers}[{cut}:])
        {table}[{key}]
        {table}.get({key}, {number2})
        {table}.get({new key}, {digit})
        {table}.get({new key}, 0) + {digit}
        {table}.pop({key})
        {table}.pop({new key}, {digit})
        {table}.setdefault({key}, {digit})
        sum({table}.values())
        max({table}.values())
        sum(1 for c in {short text} if c == {letter})
        ord({letter})
        int({float})
        round({float})
        int(str({number})[::-1])
        {number} // {divisor}
        {number} % {divisor}
        {number} + {number2}
        {number} - {number2}
        {number} * {digit}
    """,
    "float": """
        {number} / {divisor}
        {number} / {half}
        {number} / {half}
        {number} * 0.5
        {number} + 0.25
        round({number} / {divisor}, 2)
        round({float} / {divisor}, 2)
        round({float}, 1)
        {float} + {number2}
        {float} - {number2}
        {float} + {float2}
        {float} - {float2}
        {float} * {float2}
        {float} * {digit}
        {float} / {half}
        {float} % {divisor}
        {float} // {divisor}
        -{float}
        abs({float})
        float({number})
        max({float}, {number2})
        sum({numbers}) / {half}
        sum({numbers}) / len({numbers})
    """,
    "flag": """
        {letter} in {text}
        {part} in {text}
        {item} in {numbers}
        {item} not in {numbers}
        {word} in {words}
        {key} in {table}
        {new key} in {table}
        {text} == {text}[::-1]
        {text} == {text2}
        {numbers} == {numbers2}
        {text}.startswith({letter})
        {text}.endswith({ending})
        {text}.isdigit()
        {text}.isalpha()
        {text}.islower()
        {text}.isupper()
        {text}.isalnum()
        {text} < {text2}
        {number} > {number2}
        {number} % 2 == 0
        {float} < {number2}
        all(x > 0 for x in {short numbers})
        any(x == {item} for x in {short numbers})
        not {numbers}
    """,
    "text": """
        {text} + {text2}
        {text} + {letter}
        {letter} + {text}
        {text} * 2
        {text}[{index}]
        {text}[{cut}:]
        {text}[:{cut}]
        {text}[:-{cut}]
        {text}[-{cut}:]
        {text}[{cut}:{wide}]
        {text}[::2]
        {text}[::-1]
        {text}.upper()
        {text}.lower()
        {text}.title()
        {text}.capitalize()
        {text}.swapcase()
        {text}.strip()
        {text}.strip({letter})
        {text}.lstrip({letter})
        {text}.rstrip({letter})
        {text}.replace({letter}, {mark})
        {text}.replace({letter}, '')
        {text}.replace({part}, {letter})
        {text}.replace({part}, {word2})
        {text}.replace({letter}, {part}, 1)
        {text}.removeprefix({letter})
        {text}.removesuffix({ending})
        {text}.ljust({wide}, {mark})
        {text}.rjust({wide}, {mark})
        {text}.center({wide}, {mark})
        {text}.zfill({wide})
        {text}.partition({letter})[0]
        {text}.partition({letter})[2]
        {text}.rpartition({letter})[0]
        {text}.split({letter})[0]
        {text}.split({letter})[-1]
        {mark}.join({words})
        ''.join({words})
        ''.join(sorted({text}))
        ''.join(reversed({text}))
        ''.join(c for c in {short text} if c != {letter})
        ''.join(str(x) for x in {short numbers})
        {words}[{index}]
        {words}.pop()
        {words}.pop({index})
        max({words})
        min({text})
        max({words}, key=len)
        str({number})
        str({numbers})
        chr(ord({letter}) + {cut})
        f'{{{text}}}{{{number}}}'
        f'<{{{text}}}>'
    """,
    "numbers": """
        {numbers} + {numbers2}
        {numbers} + [{number2}]
        {numbers} * 2
        {numbers}[{cut}:]
        {numbers}[:{cut}]
        {numbers}[:-{cut}]
        {numbers}[-{cut}:]
        {numbers}[{cut}:{wide}]
        {numbers}[::2]
        {numbers}[::-1]
        {numbers}.copy()
        sorted({numbers})
        sorted({numbers}, reverse=True)
        sorted(set({numbers}))
        list(reversed({numbers}))
        list(range({digit}))
        list(range({cut}, {wide}))
        list({table}.values())
        sorted({table}.values())
        [{item}] * {digit}
        [{number}, {digit}]
        [x + {digit} for x in {short numbers}]
        [x * {digit} for x in {short numbers}]
        [x for x in {short numbers} if x > {item}]
        [x for x in {short numbers} if x != {item}]
        [x for x in {short numbers} if x % 2 == 0]
        [len(w) for w in {words}]
        [ord(c) for c in {short text}]
        [abs(x) for x in {short numbers}]
        list(map(abs, {short numbers}))
        []
    """,
    "words": """
        {text}.split()
        {text}.split({letter})
        {text}.split({letter}, 1)
        {text}.rsplit({letter}, 1)
        {text}.splitlines()
        list({text})
        sorted({text})
        {words} + {words2}
        {words} + [{text}]
        {words}[{cut}:]
        {words}[:{cut}]
        {words}[::-1]
        sorted({words})
        sorted({words}, key=len)
        list({table})
        sorted({table})
        list({table}.keys())
        [w.upper() for w in {words}]
        [w[0] for w in {words}]
        [w for w in {words} if len(w) > {digit}]
        [w + {letter} for w in {words}]
        [c for c in {short text} if c != {letter}]
        [{text}, {word2}]
        [str(x) for x in {short numbers}]
        []
    """,
    "table": """
        dict({table})
        {table}.copy()
        {{k: v for k, v in {table}.items() if v > {digit}}}
        {{k: v for k, v in {table}.items() if k != {key}}}
        {{k: v + {digit} for k, v in {table}.items()}}
        {{k: v * 2 for k, v in {table}.items()}}
        {{x: x * 2 for x in {short numbers}}}
        {{w: len(w) for w in {words}}}
        {{c: {text}.count(c) for c in {short text}}}
        {{{letter}: {digit}, {word2}: {number}}}
        dict({pairs})
        dict(zip({words}, {numbers}))
        dict.fromkeys({words}, {digit})
        dict.fromkeys({short text}, 0)
        {{**{table}, {new key}: {digit}}}
        {{}}
    """,
    "pairs": """
        list({table}.items())
        sorted({table}.items())
        list(enumerate({short words}))
        list(enumerate({short numbers}))
        list(zip({numbers}, {numbers2}))
        list(zip({words}, {numbers}))
        [(x, {digit}) for x in {short numbers}]
        [(w, len(w)) for w in {words}]
        sorted({pairs}, reverse=True)
        {pairs}[::-1]
        {pairs}[{cut}:]
    """,
    "groups": """
        {{k: [] for k in {words}}}
        {{{letter}: [{digit}], {word2}: []}}
        {{}}
    """,
}
