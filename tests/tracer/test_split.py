from tracer.corpora import stdlib, synthetic
from tracer.corpora.split import group, split, unique
from tracer.schema import Program


def test_layout_comments_and_docstrings_do_not_make_another_program():
    plain = Program("def f(x):\n    return x + 1\n")
    dressed = Program('"""Doc."""\ndef f( x ):\n    """More."""\n    return (x+1)  # why\n')
    renamed = Program("def f(y):\n    return y + 1\n")
    assert group(plain) == group(dressed) != group(renamed)


def test_what_does_not_parse_is_grouped_by_its_text():
    assert group(Program("def (")) == group(Program("def (")) != group(Program("def )"))
    assert group(Program("x = '\udc80'")) and group(Program("1" + "+1" * 20_000))


def test_inputs_of_one_program_are_on_one_side():
    for program in synthetic.programs(50):
        other = program._replace(call="f(0)", origin="elsewhere")
        assert split(group(program)) == split(group(other))


def test_inputs_of_one_library_function_are_on_one_side():
    sides = {}
    for program in stdlib.programs(inputs=4):
        sides.setdefault(program.origin, set()).add(split(group(program)))
    assert all(len(side) == 1 for side in sides.values())


def test_a_split_has_about_the_wanted_shares_and_stays():
    sides = [split(str(i)) for i in range(3000)]
    assert [round(sides.count(side) / 3000, 1) for side in ("train", "valid", "test")] == [
        0.8,
        0.1,
        0.1,
    ]
    assert [split(str(i)) for i in range(6)] == sides[:6]
    assert {split(str(i), train=0.0, valid=1.0) for i in range(99)} == {"valid"}


def test_groups_are_the_same_on_every_python():
    assert group(Program("def f(a, *b, c=None):\n    return [a, *b, f'{c!r}', lambda: 0]")) == (
        "fa8b50fc0590d16eb7a79ce53544065b"
    )


def test_exact_repetitions_are_dropped_and_other_inputs_are_kept():
    one = Program("def f(x):\n    return x\n", "f(1)")
    same = one._replace(source="def f(x): return x  # the same\n", origin="elsewhere")
    other = one._replace(call="f(2)")
    assert list(unique([one, same, other, one])) == [one, other]
