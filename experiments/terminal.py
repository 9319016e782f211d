"""The imagined debugger in a terminal: a view of `experiments.debugger`, and its keys."""

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import DataTable, Footer, Input, Static
from textual.worker import Worker

from experiments.command import UserError, first_line
from experiments.debugger import Debugger, Local
from experiments.episodes import visible
from experiments.page import bits, changes
from experiments.truth import Compared, Happened

ASKED = {"set": "set a variable:  name = value", "run_to": "run to line:"}


class Terminal(App[None]):
    AUTO_FOCUS = None  # else the prompt takes the keys
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    #source { width: 3fr; border: round $primary; }
    #code { width: auto; }
    #right { width: 4fr; }
    #locals { height: 1fr; border: round $primary; }
    #compared { height: 1fr; border: round $secondary; display: none; }
    #headline { height: auto; padding: 0 1; }
    #note { height: auto; padding: 0 1; color: $warning; }
    #prompt { display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "do('step')", "step"),
        Binding("n", "do('next')", "next"),
        Binding("o", "do('out')", "out"),
        Binding("b", "do('back')", "back"),
        Binding("l", "ask('run_to')", "to line"),
        Binding("v", "ask('set')", "set variable"),
        Binding("t", "do('reveal')", "truth"),
        Binding("c", "compare", "compare"),
        Binding("r", "do('reset')", "reset"),
        Binding("escape", "leave", "", show=False),
        Binding("q", "quit", "quit"),
    ]

    def __init__(self, debugger: Debugger):
        super().__init__()
        self.debugger = debugger
        self.asked = ""  # the command that the prompt is for
        self.going: Worker[None] | None = None  # the last command
        self.comparing = False

    @property
    def busy(self) -> bool:
        return self.going is not None and not self.going.is_finished

    def compose(self) -> ComposeResult:
        with Horizontal():
            with VerticalScroll(id="source"):
                yield Static(id="code")
            with Vertical(id="right"):
                yield DataTable(id="locals", cursor_type="none")
                yield DataTable(id="compared", cursor_type="none")
        yield Static(id="headline")
        yield Static(id="note")
        yield Input(id="prompt", disabled=True)
        yield Footer()

    def on_mount(self) -> None:
        self.title = self.debugger.call
        names = ("variable", "imagined", "sure, %", "true", "surprise, bits")
        self.query_one("#locals", DataTable).add_columns(*names)
        self.query_one("#compared", DataTable).add_columns("step", "statement", "imagined", "true")
        self.show()

    def action_do(self, name: str) -> None:
        self.attempt(getattr(self.debugger, name))

    def action_compare(self) -> None:
        if not self.busy:
            self.comparing = not self.comparing
            self.attempt(lambda: self.comparing and self.debugger.compare())

    def action_ask(self, name: str) -> None:
        self.asked = name
        prompt = self.query_one("#prompt", Input)
        prompt.placeholder, prompt.value = ASKED[name], ""
        prompt.disabled, prompt.display = False, True
        prompt.focus()

    def action_leave(self) -> None:
        """The prompt, or a command that goes on and on."""
        self.debugger.halt()
        prompt = self.query_one("#prompt", Input)
        prompt.disabled, prompt.display = True, False
        self.set_focus(None)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.action_leave()
        if self.asked == "set":
            self.attempt(lambda: self.debugger.set(*assigned(event.value)))
        else:
            self.attempt(lambda: self.debugger.run_to(line_number(event.value)))

    def attempt(self, command: Callable[[], object]) -> None:
        """Beside the screen, as it may take long; keys that come before its end do nothing. What
        is not possible is said below, and nothing else changes."""

        def attempted() -> None:
            try:
                command()
                problem = ""
            except (UserError, OSError) as error:
                problem = first_line(error)
            self.call_from_thread(self.show, problem)

        if not self.busy:
            self.query_one("#note", Static).update("imagining; escape ends it")
            self.going = self.run_worker(attempted, thread=True)

    def show(self, problem: str = "") -> None:
        debugger = self.debugger
        self.query_one("#code", Static).update(code(debugger.listing))
        self.query_one("#source").scroll_to(y=max(0, debugger.line - 8), animate=False)
        self.query_one("#headline", Static).update(Text(visible(debugger.headline)))
        self.query_one("#note", Static).update(Text(visible(problem or debugger.note)))
        held = self.query_one("#locals", DataTable)
        held.clear()
        for each in debugger.locals:
            held.add_row(*variable(each))
        beside = self.query_one("#compared", DataTable)
        beside.display = self.comparing and debugger.truth is not None
        beside.clear()
        if beside.display:
            for each in debugger.compare():
                beside.add_row(*both(each))
            beside.move_cursor(row=debugger.place.index)


def assigned(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UserError(f"{text!r} sets nothing; it is written: name = value")
    return name.strip(), value.strip()


def line_number(text: str) -> int:
    if not text.strip().isdecimal():
        raise UserError(f"{text!r} is no number of a line")
    return int(text)


def code(listing: list[tuple[int, str, str]]) -> Text:
    """The source, with the lines marked where the frames are."""
    found = Text(no_wrap=True)
    styles = {"now": "bold reverse", "caller": "underline", "": ""}
    for number, line, mark in listing:
        sign = {"now": ">", "caller": "|"}.get(mark, " ")
        found.append(f"{number:4d} {sign} {visible(line)}\n", styles[mark])
    return found


def variable(each: Local) -> tuple[Text, ...]:
    known = each.surprise is not None
    style = "" if not known else "green" if each.true == each.value else "red"
    cells = (each.name, each.value or "", f"{100 * each.chance:.0f}", each.true or "")
    return (*(Text(visible(cell), style) for cell in cells), Text(bits(each.surprise), style))


def both(each: Compared) -> tuple[Text, ...]:
    style = "dim" if each.imagined is None else "green" if each.right else "red"
    statement = each.statement.partition("\n")[0]
    cells = (str(each.index), statement, event(each.imagined), event(each.true))
    return tuple(Text(visible(cell), style) for cell in cells)


def event(found: Happened | None) -> str:
    if found is None:
        return ""
    kind = "" if found.kind == "line" else f"{found.kind} "
    return f"{kind}{found.line}  {changes(found)}"
