"""Lists, tuples, ranges and iterators: methods, slices, unpacking, comprehensions, nesting."""

PARAMETERS = ("ints", "ints", "row", "grid", "pairs", "int")

EXPRESSIONS = {
    "int": """
        {var ints}[{index}]
        {var ints a}[{int} % len({var ints a})]
        {var row}[{index}]
        {var grid}[{zero}][-1]
        {var grid}[-1][{zero}]
        {var pairs}[0][1]
        {var window}[{cut}]
        len({ints})
        len({var row})
        len({var grid})
        len({var window})
        sum({ints})
        sum({var row})
        sum({var window})
        sum({ints}, {small})
        min({var ints})
        max({var row}, default={small})
        max({var ints}, key=abs)
        min({var ints}, key=lambda v: v % {divisor})
        {var ints}.count({item})
        {var ints a}.index({var ints a}[-1])
        {var row}.count({item})
        {var row a}.index({var row a}[-1])
        {var window}.count({small})
        {var window a}.index({var window a}[1])
        {var window}.stop
        {var window}.start
        {var window}.step
        sum(v * v for v in {var ints})
        sum(v for v in {var ints} if v % 2)
        sum(k * v for k, v in zip({var ints}, {var row}))
        max(v for w, v in {var pairs})
        sum(sum(vs) for vs in {var grid})
        max((len(w) for w in {var strs}), default=0)
        next((v for v in {var ints} if v > {item}), -1)
        next(iter({var row}), {small})
    """,
    "bool": """
        {item} in {var ints}
        {item} not in {var ints}
        {item} in {var row}
        {small} in {var window}
        {var int} in {var window}[:{count}]
        {var window a} == {var window a}[::{cut}]
        {var ints} == {ints}
        {var ints} != {ints}
        {var ints} < {ints}
        {var ints} <= {ints}
        {var ints} > {ints}
        {var ints} >= {ints}
        {var row} == {row}
        {var row} != {row}
        {var row} < {row}
        {var row} <= {row}
        {var row} > {row}
        {var row} >= {row}
        not {var ints}
        any({var ints})
        all({var row})
        any(v < {item} for v in {var ints})
        all(v > {item} for v in {var row})
        {var ints a} == sorted({var ints a})
        {var ints a} is {var ints a}
        len({var grid}) > {cut}
        bool({var ints})
        isinstance({var ints}, list)
    """,
    "ints": """
        {ints} + {ints}
        {ints} + [{item}]
        {var ints} * {twice}
        [{item}] * {count}
        [{item}, {item}, {item}]
        [*{var ints}, {item}]
        [*{var row}, *{var ints}]
        {var ints}[{cut}:]
        {var ints}[:{cut}]
        {var ints}[:-1]
        {var ints}[-{cut}:]
        {var ints}[{digits}:{count}]
        {var ints}[::-1]
        {var ints}[::{skip}]
        {var ints}[{cut}::2]
        {var ints}.copy()
        list({var row})
        list({var window})
        list(range({count}))
        list(range({small}, -{small}, -{cut}))
        sorted({ints})
        sorted({var row})
        sorted({var ints}, reverse=True)
        sorted({var ints}, key=lambda v: v % {divisor})
        sorted({var ints}, key=lambda v: (v % 2, -v))
        list(reversed({var ints}))
        list(map(abs, {var ints}))
        list(map(lambda v: v * {twice}, {var row}))
        list(filter(None, {var ints}))
        list(filter(lambda v: v > {item}, {var ints}))
        [v + {small} for v in {var ints}]
        [v for v in {var ints} if v > {item}]
        [v if v > {small} else -v for v in {var row}]
        [k * v for k, v in enumerate({var ints})]
        [k + v for k, v in zip({var ints}, {var row})]
        [v for vs in {var grid} for v in vs]
        [max(vs) for vs in {var grid}]
        [vs[-1] for vs in {var grid}]
        [v for w, v in {var pairs}]
        [k for v in {var ints} if (k := v % {divisor})]
        {var grid}[0] + {var grid}[-1]
        [int(w) for w in str(abs({var int}))]
    """,
    "strs": """
        [w for w, v in {var pairs}]
        sorted({var strs}, key=len)
        {var strs}[::-1]
        {var strs} + [{str}]
        list(map(str, {var ints}))
        list(map(str.upper, {var strs}))
        list(filter(str.isalpha, {var strs}))
    """,
    "row": """
        tuple({ints})
        {row} + {row}
        {var row} + ({item},)
        {var row} * {twice}
        ({item},) * {count}
        {var row}[{cut}:]
        {var row}[::-1]
        {var row}[:{cut}]
        {var row}[::{skip}]
        tuple(sorted({var row}))
        tuple(v % {divisor} for v in {var row})
        (*{var row}, {item})
        tuple(reversed({var row}))
        tuple({var window})[:{count}]
        ()
    """,
    "pair": """
        ({var pair a}[1], {var pair a}[0])
        (min({var ints a}), max({var ints a}))
        (len({var ints}), sum({var row}))
        max(enumerate({var ints}), key=lambda v: v[1])
    """,
    "grid": """
        [[{item}] * {twice} for _ in range({twice})]
        [[v, v * v] for v in {var ints}[:{cut}]]
        [list(vs) for vs in zip(*{var grid})]
        [vs[::-1] for vs in {var grid}]
        [vs[:] for vs in {var grid}]
        [[v + {small} for v in vs] for vs in {var grid}]
        {var grid}[::-1]
        {var grid} + [{ints}]
    """,
    "pairs": """
        list(zip({var strs}, {var ints}))
        list(zip({var str}, {var row}))
        sorted({var pairs}, key=lambda v: v[1])
        [(w, v + {small}) for w, v in {var pairs}]
        [(w, len(w)) for w in {var strs}]
        {var pairs} + [({key}, {item})]
        {var pairs}[:{cut}]
    """,
    "window": """
        range({count})
        range({small}, {modulus}, {count})
        {var window}[{cut}:]
        {var window}[:{count}]
        {var window}[1:-1]
        {var window}[::-1]
        {var window}[::{skip}]
        range(len({var ints}))
    """,
}

STATEMENTS = """
{new ints} = {ints}
{new row} = {row}
{new grid} = {grid}
{new pairs} = {pairs}
{new ints} = {var ints}
{own ints}.append({int})
{own ints}.insert({index}, {item})
{own ints}.extend({row})
{own ints}.extend({var window})
{own ints} += [{item}]
{own ints} *= 2
{own row} += ({item},)
{own row} *= 2
{own ints}.sort()
{own ints}.sort(reverse=True)
{own ints}.sort(key=lambda v: -v)
{own strs}.sort(key=len)
{own ints}.reverse()
{own ints}.clear()
{new int} = {own ints}.pop()
{new int} = {own ints}.pop({zero})
{own ints a}.remove({own ints a}[-1])
{own ints}[{index}] = {int}
{own ints}[-1] -= {small}
{own ints}[0] += {item}
{own ints}[1:1] = [{item}, {item}]
{own ints}[:{cut}] = [{item}]
{own ints}[{cut}:] = {ints}
{own ints a}[::2] = {own ints a}[::2][::-1]
{own ints a}[::2] = [{item}] * len({own ints a}[::2])
del {own ints}[{index}]
del {own ints}[:{cut}]
del {own ints}[::2]
{own ints a}[0], {own ints a}[-1] = ({own ints a}[-1], {own ints a}[0])
{own grid}[0][-1] = {int}
{own grid}[-1][0] += {item}
{own grid}.append([{item}])
{own grid}[0].append({item})
{own grid}.pop()
{own pairs}.append(({key}, {int}))
{new str}, {new int} = {var pairs}[0]
{new int a}, *{new ints b} = {var ints}
*{new ints a}, {new int b} = {var row}
{new int a}, *_, {new int b} = [{item}, *{var ints}, {item}]
{new int a}, {new int b} = {var pair}
{new int a}, ({new int b}, {new int k}) = ({item}, {var pair})
{new int a}, ({new int b}, *_) = ({item}, {var row})
({new str a}, {new int b}), {new int k} = (({key}, {int}), {item})
[{new int a}, {new int b}] = {var ints}[:1] + [{item}]

if (length := len({var ints})) > {cut}:
{body}

for {new int} in {var ints}:
{body}

for {new int} in {var row}:
{body}

for {new int}, ({new str}, {new int k}) in enumerate({var pairs}):
{body}

for {new int} in {var window}:
{body}

for {new int} in reversed({var ints}):
{body}

for {new int} in sorted({var ints}):
{body}

for {new int a}, {new int b} in enumerate({var ints}, 1):
{body}

for {new int a}, {new int b} in zip({var ints}, {var row}):
{body}

for {new str}, {new int} in {var pairs}:
{body}

for {new ints} in {var grid}:
{body}

for {new int a} in {var ints}[::2]:
{body}

{fresh stream a} = iter({var ints}); {new int} = next({fresh stream a}, {item})
{new int} = next({var stream}, {small})

{fresh int a} = {var ints b}[0] if {var ints b} else 0
for {new int k} in {var ints b}:
    if {new int k} > {fresh int a}:
        {fresh int a} = {new int k}

{fresh ints a} = []
for {new int b} in {var ints}:
    if {new int b} not in {fresh ints a}:
        {fresh ints a}.append({new int b})

for {new int a} in range(1, len({own ints b})):
    if {own ints b}[{new int a}] < {own ints b}[{new int a} - 1]:
        {new int k} = {own ints b}[{new int a}]
        {own ints b}[{new int a}] = {own ints b}[{new int a} - 1]
        {own ints b}[{new int a} - 1] = {new int k}

{fresh ints a} = []
for {new ints b} in {var grid}:
    for {new int k} in {new ints b}:
        {fresh ints a}.append({new int k})

while {own ints a} and {own ints a}[-1] < {item}:
    {own ints a}.pop()
"""
