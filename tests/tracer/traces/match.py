# call: [describe(value) for value in (0, [1, 2, 3], {"kind": "point", "x": 4}, "text", None)]
def describe(value):
    match value:
        case 0 | 1:
            found = "small"
        case [first, *rest] if rest:
            found = first, rest
        case {"kind": kind, **others}:
            found = kind, others
        case str() as text:
            found = len(text)
        case _: found = None
    return found
