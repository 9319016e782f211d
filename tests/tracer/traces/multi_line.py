# call: long(2)
def long(
    n,
    step=1,
):
    """A documented function
    with three lines.
    """
    values = [
        n,
        step,
        max(
            [3, 4],
            key=lambda value:
                -value,
        ),
    ]
    table = {
        key: value
        for key, value in zip("ab", values)
        if value
    }
    text = """
# not a comment"""
    if (
        n == 2
        and table
    ):
        # why
        n += (
            step
        )
    for value in [
        1,
        n,
    ]:
        text += str(value)
    total = 1; rest = [
        total,
    ]
    return (
        text,
        rest
    )
