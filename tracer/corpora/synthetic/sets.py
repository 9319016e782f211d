"""Sets and frozen sets: every method and operator. The order of their elements never matters."""

PARAMETERS = ("numset", "numset", "charset", "frozen", "ints", "str")

EXPRESSIONS = {
    "numset": """
        {numset} | {numset}
        {numset} & {numset}
        {numset} - {numset}
        {numset} ^ {numset}
        {var numset}.union({ints})
        {var numset}.intersection({row})
        {var numset}.difference({ints})
        {var numset}.symmetric_difference({ints})
        {var numset}.copy()
        set({ints})
        set({var row})
        set({var frozen})
        {{{item}, {item}, {int}}}
        {{*{var ints}, {item}}}
        {{v % {divisor} for v in {var ints}}}
        {{v for v in {var numset} if v > {item}}}
        {{abs(v) for v in {var row}}}
        {{len(w) for w in {var strs}}}
        {var numset} | {var frozen}
        {var numset} - {var frozen}
        set({var counts}.values())
        set(range({count}))
        set()
    """,
    "charset": """
        set({var str})
        {charset} | set({str})
        {charset} & set({var str})
        {var charset} - {charset}
        {{ch for ch in {var str} if ch.isalpha()}}
        {var charset}.union({str})
        {var charset}.intersection({var str})
        {var charset}.difference({str})
        set({var counts})
    """,
    "frozen": """
        frozenset({ints})
        {frozen} | {frozen}
        {frozen} & {frozen}
        {frozen} - {frozen}
        {frozen} ^ {frozen}
        {var frozen} | {var numset}
        {var frozen}.union({ints})
        {var frozen}.intersection({row})
        {var frozen}.difference({ints})
        {var frozen}.symmetric_difference({row})
        frozenset({var numset})
        {var frozen}.copy()
    """,
    "int": """
        len({var numset})
        len({var frozen})
        len(set({var ints}))
        sum({var numset})
        max({var numset}, default=0)
        min({var frozen}, default={small})
        len({var numset} & {var frozen})
        sum(v in {var numset} for v in {var ints})
    """,
    "bool": """
        {item} in {var numset}
        {item} not in {var numset}
        {letter} in {var charset}
        {item} in {var frozen}
        {var numset} == {numset}
        {var numset} != {numset}
        {var numset} < {numset}
        {var numset} <= {numset}
        {var numset} > {numset}
        {var numset} >= {numset}
        {var numset}.issubset({ints})
        {var numset}.issuperset({row})
        {var numset}.isdisjoint({ints})
        {var frozen} == {frozen}
        {var frozen} != {frozen}
        {var frozen} < {frozen}
        {var frozen} <= {numset}
        {var frozen} > {frozen}
        {var frozen} >= {frozen}
        {var frozen}.issubset({ints})
        {var frozen}.issuperset({row})
        {var frozen}.isdisjoint({ints})
        {var charset}.isdisjoint({str})
        bool({var numset})
        len(set({var ints a})) == len({var ints a})
    """,
    "ints": """
        sorted({numset})
        sorted({var frozen})
        sorted(set({ints}))
        [v for v in {var ints} if v in {var numset}]
        sorted({var numset}, reverse=True)
    """,
    "strs": """
        sorted({charset})
        sorted(set({var str}))
        sorted({var charset})
    """,
    "str": """
        ''.join(sorted({var charset}))
        ''.join(ch for ch in {var str} if ch not in {var charset})
        min({var charset}, default='')
    """,
}

STATEMENTS = """
{new numset} = {numset}
{new charset} = {charset}
{new frozen} = {frozen}
{new numset} = {var numset}
{own numset}.add({int})
{own numset}.add({item})
{own charset}.add({letter})
{own numset}.discard({item})
{own charset}.discard({letter})
{own numset a}.remove(max({own numset a}))
{own numset}.update({ints})
{own charset}.update({var str})
{own numset}.intersection_update({ints})
{own numset}.difference_update({row})
{own numset}.symmetric_difference_update({ints})
{own numset}.clear()
{own numset} |= {numset}
{own numset} &= {numset}
{own numset} -= {numset}
{own numset} ^= {numset}
{own frozen} |= {frozen}

if {item a} in {own numset b}:
    {own numset b}.remove({item a})

if len({own numset a}) == 1:
    {new int b} = {own numset a}.pop()

while len({own numset a}) > 1:
    {own numset a}.remove(min({own numset a}))
{new int b} = {own numset a}.pop() if {own numset a} else 0

for {new int} in sorted({var numset}):
{body}

for {new str} in sorted({var charset}):
{body}

for {new int} in sorted({var frozen}):
{body}

{fresh numset a} = set()
for {new int b} in {var ints}:
    if {new int b} in {fresh numset a}:
        break
    {fresh numset a}.add({new int b})

{fresh numset a} = set()
{fresh ints b} = []
for {new int k} in {var ints}:
    if {new int k} not in {fresh numset a}:
        {fresh numset a}.add({new int k})
        {fresh ints b}.append({new int k})

{fresh charset a} = set()
for {new str b} in {var strs}:
    {fresh charset a} |= set({new str b})
"""
