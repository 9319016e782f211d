"""The symbols in which values and statements are written as arrays.

Values use the first `VALUE_SYMBOLS` of them, statements all: a literal in a statement and the value
it makes are spelled alike. The lists are fixed here, and do not depend on the running Python.
"""

import re
import zlib

PAD = 0

TAGS = (
    "None True False int neg float complex str bytes bytearray list tuple set frozenset deque dict "
    "range slice function module type exception object name ref end cut"
).split()

DIGITS = "0123456789"
CHARACTERS = [chr(code) for code in range(32, 127)] + ["\n", "\t"]
ESCAPES = ["\\x", "\\u"]  # then two or six hexadecimal characters

EXCEPTIONS = (
    "ArithmeticError AssertionError AttributeError EOFError Exception FileNotFoundError "
    "FloatingPointError ImportError IndexError IndentationError KeyError KeyboardInterrupt "
    "LookupError MemoryError ModuleNotFoundError NameError NotImplementedError OSError "
    "OverflowError PermissionError RecursionError ReferenceError RuntimeError RuntimeWarning "
    "StopAsyncIteration StopIteration SyntaxError SystemError SystemExit TimeoutError TypeError "
    "UnboundLocalError UnicodeDecodeError UnicodeEncodeError UnicodeError UserWarning ValueError "
    "Warning ZeroDivisionError"
).split()

# What CPython 3.11 to 3.13 says most often when it raises an exception, or the parts of it that are
# fixed: one symbol each, where their characters would take most of a row.
PHRASES = (
    # IndexError
    "list index out of range|string index out of range|tuple index out of range|"
    "list assignment index out of range|pop from empty list|pop index out of range|"
    # ValueError
    "invalid literal for int() with base |could not convert string to float: |substring not found|"
    " is not in list|list.remove(x): x not in list|"
    "max() arg is an empty sequence|min() arg is an empty sequence|"
    "max() iterable argument is empty|min() iterable argument is empty|"
    "not enough values to unpack (expected |too many values to unpack (expected |"
    # ZeroDivisionError, RecursionError
    "division by zero|integer division or modulo by zero|integer modulo by zero|"
    "float division by zero|maximum recursion depth exceeded|"
    # TypeError
    "unsupported operand type(s) for | not supported between instances of |"
    'can only concatenate str (not "|can only concatenate list (not "|") to str|") to list|'
    " object is not subscriptable| object is not iterable| object is not callable|"
    " object does not support item assignment| object cannot be interpreted as an integer|"
    "cannot unpack non-iterable |object of type | has no len()|"
    "list indices must be integers or slices, not |string indices must be integers, not |"
    "unhashable type: |must be str, not |: expected str instance, |"
    "argument of type | is not iterable|bad operand type for unary |"
    "can't multiply sequence by non-int of type |"
    # AttributeError, UnboundLocalError
    " object has no attribute |cannot access local variable |"
    " where it is not associated with a value|"
    # types
    "'int'|'str'|'list'|'float'|'NoneType'|'dict'|'tuple'|'set'"
).split("|")

KEYWORDS = (
    "and as assert async await break case class continue def del elif else except finally for from "
    "global if import in is lambda match nonlocal not or pass raise return try while with yield"
).split()

OPERATORS = (
    "**= //= >>= <<= ... != == <= >= -> := += -= *= /= %= &= |= ^= @= ** // >> << "
    "+ - * / % @ & | ^ ~ < > = ( ) [ ] { } , : . ; !"
).split()

NAMES = (
    # built-in functions and types
    "abs all any ascii bin bool bytearray bytes callable chr classmethod complex dict dir divmod "
    "enumerate filter float format frozenset getattr hasattr hash hex id input int isinstance "
    "issubclass iter len list map max memoryview min next object oct open ord pow print property "
    "range repr reversed round set setattr slice sorted staticmethod str sum super tuple type vars "
    "zip self cls "
    # their methods and attributes
    "add append appendleft capitalize casefold center clear conjugate copy count decode "
    "denominator difference discard encode endswith expandtabs extend find fromkeys get imag index "
    "insert intersection isalnum isalpha isdecimal isdigit isidentifier islower isnumeric isspace "
    "istitle isupper items join key keys ljust lower lstrip maketrans numerator partition pop "
    "popitem popleft real remove removeprefix removesuffix replace reverse rfind rindex rjust "
    "rpartition rsplit rstrip setdefault sort split splitlines start startswith step stop strip "
    "swapcase symmetric_difference title translate union update upper values zfill "
    # modules and names that programs use much
    "Counter OrderedDict collections defaultdict deque functools heapq itertools math namedtuple "
    "os random re string sys time default end sep reverse ceil floor gcd sqrt pi inf log exp sin "
    "cos"
).split()

BUCKETS = 64  # for identifiers that are neither slots nor in NAMES
REFERENCES = 4  # how many of its slots a statement can point to: 99 % of them need no more

VALUES = ["<pad>", *TAGS, *(f"digit {d}" for d in DIGITS), *CHARACTERS, *ESCAPES]
VALUES += [f"exception {name}" for name in EXCEPTIONS]
VALUES += [f"phrase {text}" for text in PHRASES]
STATEMENTS = [f"keyword {word}" for word in KEYWORDS]
STATEMENTS += [f"operator {text}" for text in OPERATORS]
STATEMENTS += [f"name {name}" for name in dict.fromkeys(NAMES)]
STATEMENTS += [f"bucket {number}" for number in range(BUCKETS)]
STATEMENTS += [f"reference {number}" for number in range(REFERENCES)]
STATEMENTS += ["fstring"]

SYMBOLS = VALUES + STATEMENTS
VALUE_SYMBOLS = len(VALUES)
INDEX = {symbol: number for number, symbol in enumerate(SYMBOLS)}

assert len(INDEX) == len(SYMBOLS), "two symbols have one name"

_DIGIT = INDEX["digit 0"]
_CHARACTERS = {c: INDEX[c] for c in CHARACTERS}
_PHRASES = {text: INDEX[f"phrase {text}"] for text in PHRASES}
_LETTERS = {number: text for text, number in (_CHARACTERS | _PHRASES).items()}
_PHRASE = re.compile(f"({'|'.join(map(re.escape, sorted(PHRASES, key=len, reverse=True)))})")
_SHORTEST = min(map(len, PHRASES))


def spell(text: str) -> list[int]:
    """A text, character by character; but what Python itself says is in phrases."""
    if len(text) < _SHORTEST:
        return _spell(text)
    symbols: list[int] = []
    for number, part in enumerate(_PHRASE.split(text)):
        symbols += [_PHRASES[part]] if number % 2 else _spell(part)
    return symbols


def _spell(text: str) -> list[int]:
    symbols: list[int] = []
    for character in text:
        if character in _CHARACTERS:
            symbols.append(_CHARACTERS[character])
        else:
            code = ord(character)
            escape, width = ("\\x", 2) if code < 256 else ("\\u", 6)
            symbols.append(INDEX[escape])
            symbols += [_CHARACTERS[c] for c in f"{code:0{width}x}"]
    return symbols


def read_text(symbols: list[int], at: int) -> tuple[str, int]:
    """The text that begins at a position, and where it ends."""
    text: list[str] = []
    while at < len(symbols):
        if symbols[at] in _LETTERS:
            text.append(_LETTERS[symbols[at]])
            at += 1
        elif SYMBOLS[symbols[at]] in ESCAPES:
            width = 2 if SYMBOLS[symbols[at]] == "\\x" else 6
            code = "".join(_LETTERS.get(s, "?") for s in symbols[at + 1 : at + 1 + width])
            text.append(chr(int(code, 16)))
            at += 1 + width
        else:
            break
    return "".join(text), at


def spell_int(value: int) -> list[int]:
    """Sign and decimal digits, least significant first."""
    digits = [_DIGIT + int(digit) for digit in reversed(str(abs(value)))]
    return [INDEX["neg" if value < 0 else "int"], *digits]


def read_digits(symbols: list[int], at: int) -> tuple[int, int]:
    start = at
    while at < len(symbols) and _DIGIT <= symbols[at] < _DIGIT + 10:
        at += 1
    digits = "".join(str(symbol - _DIGIT) for symbol in reversed(symbols[start:at]))
    return int(digits), at


def bucket(name: str) -> int:
    """A name's place among the identifiers that have no symbol of their own."""
    return INDEX[f"bucket {zlib.crc32(name.encode('utf-8', 'replace')) % BUCKETS}"]
