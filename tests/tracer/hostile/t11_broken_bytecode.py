# T11 killed, trace_incomplete: instructions that no compiler would write
import types


def f():
    return 1


code = f.__code__.replace(co_code=b"d\xff" * 8 + b"S\x00", co_stacksize=0, co_consts=())
types.FunctionType(code, {})()
