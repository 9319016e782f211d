"""Dicts: every method and operator, nested ones, and those that count, group and invert."""

PARAMETERS = ("counts", "counts", "groups", "labels", "strs", "str")

EXPRESSIONS = {
    "int": """
        {var counts}.get({key}, {item})
        {var counts}.get({var str}, 0)
        {var counts}[{key}]
        {var groups}[{key}][0]
        len({var counts})
        len({var groups}.get({key}, []))
        sum({var counts}.values())
        max({var counts}.values(), default=0)
        min({var counts}.values(), default={small})
        sum(v for k, v in {var counts}.items() if k > {key})
        sum(len(vs) for vs in {var groups}.values())
        min({var labels}, default={small})
        sum({var labels})
    """,
    "bool": """
        {key} in {var counts}
        {key} not in {var counts}
        {small} in {var labels}
        {var counts} == {counts}
        {var counts} != {counts}
        {item} in {var counts}.values()
        ({key}, {item}) in {var counts}.items()
        {var counts}.keys() == {var groups}.keys()
        {var counts}.keys() <= {counts}.keys()
        not {var counts}
        bool({var counts})
        any(v > {item} for v in {var counts}.values())
        isinstance({var counts}, dict)
    """,
    "str": """
        {var labels}.get({small}, {str})
        {var labels}[{small}]
        min({var counts}, default='')
        max({var counts a}, key={var counts a}.get, default='')
        ','.join({var counts})
        next(iter({var counts}), {key})
        ''.join({var labels}.values())
        max({var counts}.items(), key=lambda v: v[1], default=('', 0))[0]
    """,
    "counts": """
        {{{key}: {item}, {other}: {int}}}
        {{**{var counts}, {key}: {item}}}
        {{**{var counts}, **{counts}}}
        {var counts} | {counts}
        {var counts}.copy()
        {counts} | {var counts}
        dict({var counts})
        dict({var pairs})
        dict(zip({var strs}, {var ints}))
        dict(a={item}, b={int})
        dict({var counts}, z={item})
        dict.fromkeys({var strs}, {item})
        dict.fromkeys({var str}, 0)
        dict(sorted({var counts}.items()))
        dict(reversed({var counts}.items()))
        {{k: v + {small} for k, v in {var counts}.items()}}
        {{k: v for k, v in {var counts}.items() if v > {item}}}
        {{w: len(w) for w in {var strs}}}
        {{ch: {var str a}.count(ch) for ch in {var str a}}}
        {{w: k for k, w in enumerate({var strs})}}
        {{w: k for k, w in {var labels}.items()}}
        {{k: sum(vs) for k, vs in {var groups}.items()}}
        {{}}
    """,
    "groups": """
        {{{key}: {ints}}}
        {{{key}: [], {other}: [{item}]}}
        {{k: [v] for k, v in {var counts}.items()}}
        {{w: [] for w in {var strs}}}
        {{k: sorted(vs) for k, vs in {var groups}.items()}}
    """,
    "labels": """
        {{v: k for k, v in {var counts}.items()}}
        {{len(w): w for w in {var strs}}}
        dict(enumerate({var strs}))
        dict(enumerate({var str}, 1))
        {{k: w.upper() for k, w in {var labels}.items()}}
        {var labels} | {{{small}: {str}}}
    """,
    "strs": """
        sorted({var counts})
        list({var counts})
        list({var counts}.keys())
        list({var labels}.values())
        [k for k, v in {var counts}.items() if v > {item}]
        sorted({var counts a}, key={var counts a}.get)
        list(reversed({var counts}))
    """,
    "ints": """
        list({var counts}.values())
        sorted({var counts}.values())
        list({var labels})
        [v for vs in {var groups}.values() for v in vs]
        {var groups}.get({key}, [])
    """,
    "pairs": """
        list({var counts}.items())
        sorted({var counts}.items(), key=lambda v: v[1])
        sorted({var counts}.items(), key=lambda v: (-v[1], v[0]))
    """,
    "maybe": """
        {var counts}.get({key})
        {var counts}.get({var str})
    """,
}

STATEMENTS = """
{new counts} = {counts}
{new groups} = {groups}
{new labels} = {labels}
{own counts}[{key}] = {int}
{own counts}[{var str}] = {item}
{own labels}[{small}] = {str}
{own counts a}[{key k}] = {own counts a}.get({key k}, 0) + {small}
{own counts}[{key}] += {small}
{own groups a}[{key k}] = {own groups a}.get({key k}, []) + [{item}]
{own groups}.setdefault({key}, []).append({item})
{own groups}.setdefault({key}, [{item}])
{own counts}.setdefault({key}, {item})
{new int} = {own counts}.setdefault({key}, {item})
{own counts}.update({counts})
{own counts}.update(z={item})
{own counts}.update({var pairs})
{own counts} |= {counts}
{own counts} |= {{{key}: {item}}}
{new int} = {own counts}.pop({key}, {item})
{own counts}.pop({key}, None)
{own counts}.clear()
{new ints} = list({var counts}.values())

if {key k} in {own counts a}:
    del {own counts a}[{key k}]

if {own counts a}:
    {new str b}, {new int k} = {own counts a}.popitem()

if {key k} in {own counts a}:
    {own counts a}[{key k}] *= 2
else:
    {own counts a}[{key k}] = {item}

if ({fresh maybe a} := {var counts}.get({key})) is not None:
{body}

for {new str} in {var counts}:
{body}

for {new str} in sorted({var counts}):
{body}

for {new int} in {var counts}.values():
{body}

for {new str}, {new int} in {var counts}.items():
{body}

for {new str}, {new int} in sorted({var counts}.items()):
{body}

for {new str}, {new ints} in {var groups}.items():
{body}

for {new str a} in list({own counts b}):
    if {own counts b}[{new str a}] < {item}:
        del {own counts b}[{new str a}]

{fresh counts a} = {{}}
for {new str b} in {var str}:
    {fresh counts a}[{new str b}] = {fresh counts a}.get({new str b}, 0) + 1

{fresh groups a} = {{}}
for {new str b}, {new int k} in {var pairs}:
    {fresh groups a}.setdefault({new str b}, []).append({new int k})

{fresh labels a} = {{}}
for {new str b}, {new int k} in {var counts}.items():
    {fresh labels a}[{new int k}] = {new str b}

{fresh groups a} = {{}}
for {new str b} in {var strs}:
    {new str k} = {new str b}[:1]
    if {new str k} not in {fresh groups a}:
        {fresh groups a}[{new str k}] = []
    {fresh groups a}[{new str k}].append(len({new str b}))

{fresh int a} = 0
for {new str b}, {new int k} in {own counts d}.items():
    {fresh int a} += {new int k}
    {own counts d}[{new str b}] = {fresh int a}

{fresh counts a} = {{'a': 0, 'b': 0}}
for {new int b} in {var ints}:
    {fresh counts a}['a' if {new int b} > {item} else 'b'] += 1
"""
