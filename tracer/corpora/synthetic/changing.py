"""What exercises change in place, go through and ask, and how they end by an error; the holes are
those of `handling`."""

CHANGES = """
    {text} += {letter}
    {text} += {text2}
    {numbers} += {numbers2}
    {words} += [{word2}]
    {numbers}.append({number2})
    {numbers}.append({item})
    {words}.append({word2})
    {words}.append({text})
    {numbers}.insert({index}, {number2})
    {numbers}.insert(0, {number2})
    {words}.insert({index}, {word2})
    {numbers}.remove({item})
    {words}.remove({word})
    {numbers}.pop()
    {numbers}.pop({index})
    {numbers}.pop(0)
    {words}.pop(0)
    {numbers}.extend({numbers2})
    {words}.extend({words2})
    {numbers}.reverse()
    {words}.reverse()
    {numbers}.sort()
    {numbers}.sort(reverse=True)
    {words}.sort()
    {numbers}.clear()
    {numbers}[{index}] = {number2}
    {numbers}[{index}] += {digit}
    {numbers}[{index}] -= {digit}
    {numbers}[{index}] *= 2
    {words}[{index}] = {word2}
    {words}[{index}] += {letter}
    {numbers}[{cut}:] = [{digit}]
    {numbers}[0], {numbers}[-1] = {numbers}[-1], {numbers}[0]
    {numbers}[{index}], {numbers}[{index}] = {number2}, {digit}
    del {numbers}[{index}]
    del {numbers}[{cut}:]
    del {words}[{index}]
    {table}[{key}] = {number2}
    {table}[{key}] = {digit}
    {table}[{key}] += {digit}
    {table}[{key}] += 1
    {table}[{key}] -= {digit}
    {table}[{key}] *= 2
    {table}[{new key}] = {number2}
    {table}[{new key}] = {digit}
    {table}[{key}] = {table}.get({key}, 0) + 1
    {table}[{new key}] = {table}.get({new key}, 0) + 1
    {table}.setdefault({new key}, {digit})
    {table}.setdefault({key}, {digit})
    {table}.update({{{key}: {digit}}})
    {table}.update({{{new key}: {digit}}})
    {table}.update({table2})
    {table}.pop({key})
    {table}.popitem()
    {table}.clear()
    del {table}[{key}]
    {groups}.setdefault({letter}, []).append({digit})
    {groups}[{member}].append({number2})
    {groups}[{member}] = [{digit}]
    {groups}[{member}].extend([{digit}, {cut}])
    {pairs}.append(({digit}, {number2}))
    {pairs}.pop()
    {float} += {digit}
    {float} -= 0.5
    {float} *= 2
    {float} /= {half}
    {number} += {digit}
    {number} -= {digit}
"""

BLOCKS = """
    for c in {short text}:
        {table}[c] = {table}.get(c, 0) + 1

    {to table} = {{}}
    for c in {short text}:
        {table after}[c] = {table after}.get(c, 0) + 1

    {to table} = {{}}
    for c in {short text}:
        if c in {table after}:
            {table after}[c] += 1
        else:
            {table after}[c] = 1

    {to table} = {{}}
    for x in {short numbers}:
        if x not in {table after}:
            {table after}[x] = 0
        {table after}[x] += 1

    for w in {short words}:
        {table}[w] = len(w)

    for k in {short table}:
        {table}[k] += {digit}

    for k, v in {short table}.items():
        {number} += v

    for k, v in {short table}.items():
        {text} += str(v)

    {to words} = []
    for k, v in {short table}.items():
        if v > {digit}:
            {words after}.append(k)

    {to numbers} = []
    for k in sorted({short table}):
        {numbers after}.append({table}[k])

    {to number} = 0
    for x in {short numbers}:
        {number after} += x

    {to number} = 0
    for x in {short numbers}:
        if x > {item}:
            {number after} += 1

    {to number} = {numbers}[0]
    for x in {short numbers}:
        if x > {number after}:
            {number after} = x

    {to numbers} = []
    for x in {short numbers}:
        {numbers after}.append(x * {digit})

    {to numbers} = []
    for x in {short numbers}:
        if x not in {numbers after}:
            {numbers after}.append(x)

    {to numbers} = []
    for x in {short numbers}:
        {numbers after}.insert(0, x)

    for x in {short numbers}:
        {number} += x

    for i in range(len({short numbers})):
        {numbers}[i] += {digit}

    for i in range(len({short numbers})):
        {numbers}[i] = {numbers}[i] * i

    for i in range({digit}):
        {numbers}.append(i)

    for i in range({digit}):
        {numbers}.pop()

    for i in range({wide}):
        {number} += i

    {to number} = 0
    for i in range({cut}, {wide}):
        {number after} += i * {digit}

    {to text} = ''
    for i in range({wide}):
        {text after} += str(i)

    for i, x in enumerate({short numbers}):
        {number} += i * x

    {to text} = ''
    for i in range(len({short text}) - 1, -1, -1):
        {text after} += {text}[i]

    for i in range(0, len({short text}), 2):
        {words}.append({text}[i])

    {to text} = ''
    for c in {short text}:
        {text after} = c + {text after}

    {to text} = ''
    for c in {short text}:
        if c != {letter}:
            {text after} += c

    {to text} = ''
    for c in {short text}:
        if c in 'aeiou':
            {text after} += c.upper()
        else:
            {text after} += c

    {to text} = ''
    for c in {short text}:
        if c.isalpha():
            {text after} += c.swapcase()

    {to number} = 0
    for c in {short text}:
        if c == {letter}:
            {number after} += 1

    {to words} = []
    for w in {short words}:
        {words after}.append(w[::-1])

    {to text} = ''
    for w in {short words}:
        {text after} += w[0]

    for w in {text}.split():
        {words}.append(w)

    for k, v in {short pairs}:
        {number} += {digit}

    for x in {short numbers}:
        {groups}.setdefault(x % 2, []).append(x)

    {to groups} = {{}}
    for w in {short words}:
        {groups after}.setdefault(len(w), []).append(w)

    while {short numbers}:
        {number} += {numbers}.pop()

    while len({text}) < {wide}:
        {text} += {letter}

    while {short text} and {text}[0] == {letter}:
        {text} = {text}[1:]

    if {key} in {table}:
        {table}[{key}] += {digit}
    else:
        {table}[{key}] = 1

    if {new key} not in {table}:
        {table}[{new key}] = {digit}

    if {item} in {numbers}:
        {numbers}.remove({item})

    if {text}.endswith({ending}):
        {text} = {text}[:-1]

    if {text}.startswith({letter}):
        {text} = {text}[1:]

    if len({numbers}) > {digit}:
        {numbers} = {numbers}[:{digit}]

    if not {words}:
        {words}.append({word2})
"""

RAISING = """
    {to number} = {table}[{new key}]
    {table}[{new key}] += 1
    del {table}[{new key}]
    {to number} = {table}.pop({new key})
    {to number} = {numbers}[{beyond}]
    {numbers}[{beyond}] = {digit}
    {to text} = {text}[{beyond}]
    {numbers}.pop({beyond})
    {numbers}.remove({absent})
    {to number} = {numbers}.index({absent})
    {to number} = {text}.index({mark})
    {to number} = int({text})
    {to float} = float({text})
    {to number} = {number} // 0
    {to float} = {number} / 0
    {to number} = {number} % 0
    {to float} = {float} / 0
    {to text} = {text} + {number}
    {to text} = {number} + {text}
    {to numbers} = {numbers} + {text}
    {to numbers} = {numbers} - {numbers2}
    {to number} = len({number})
    {to number} = {number}[0]
    {to text} = ''.join({numbers})
    {to number} = max([])
    {to number} = {text} - 1
    {numbers}.add({digit})
    {text}.append({letter})
    {table}.append({digit})
    {to number} = {number} + missing
    {to number}, {to float} = {beyond}, 1, 2
    assert {number} == {absent}
    raise ValueError({word2})
    raise TypeError({word2})
"""
