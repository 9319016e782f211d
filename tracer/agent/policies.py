"""Built-in agents: what they do in an episode, drawn from a seed.

`mutate_and_fix` breaks a module with mutations, or finds it broken, runs its tests, looks at the
place, edits, now and then wrongly at first, and runs the tests again. `shell` types commands.
"""

from collections.abc import Callable
from random import Random

from tracer.agent.episode import Episode
from tracer.agent.mutations import Mutation, mutated, mutations
from tracer.agent.scripts import COMMANDS, script
from tracer.agent.state import failure
from tracer.agent.subject import Module, Subject

FOUND = 0.3  # share of the episodes that begin in a broken project
CHECKED = 0.4  # and of the others, that begin with a run of the tests
WRONG = 0.4  # share of the repairs that are wrong at first
ELSEWHERE = 0.3  # and of these, on another line
GIVEN_UP = 0.1
TRIES = 3  # mutations, until one is noticed
STEPS = (6, 12)  # of a shell's episode, at least and at most

Policy = Callable[[Episode, Subject, Random], None]


def mutate_and_fix(episode: Episode, subject: Subject, random: Random) -> None:
    [module] = random.choices(subject.modules, [len(m.mutations) for m in subject.modules])
    tests = f"python -m pytest {' '.join(module.tests)}"
    fault = random.choice(module.mutations)
    if random.random() < FOUND:
        episode.given(module.path, mutated(module.source, fault))
    else:
        if random.random() < CHECKED:
            episode.run(tests)
        episode.edit(module.path, fault.line, fault.new)
    episode.run(tests)
    for _ in range(TRIES - 1):
        if episode.state.status:
            break
        episode.edit(module.path, fault.line, fault.old)
        fault = random.choice(module.mutations)
        episode.edit(module.path, fault.line, fault.new)
        episode.run(tests)
    look(episode, module, fault, random)
    if random.random() < WRONG:
        mistake(episode, module, fault, random)
        episode.run(tests)
    if random.random() >= GIVEN_UP:
        episode.edit(module.path, fault.line, fault.old)
        episode.run(tests)


def look(episode: Episode, module: Module, fault: Mutation, random: Random) -> None:
    """At the place, at the test, or at what else has the name."""
    first, last = max(1, fault.line - 4), fault.line + 4
    ways = [f"sed -n '{first},{last}p' {module.path}", f"python -m py_compile {module.path}"]
    words = [word for word in fault.old.replace("(", " ").split() if word.isidentifier()]
    ways += [f"grep -n {word} {module.path}" for word in words[:1]]
    if test := failure(episode.response):
        ways += [f"grep -n -A 6 'def {test}' {' '.join(module.tests)}"]
    for way in random.sample(ways, random.randint(0, 2)):
        episode.run(way)


def mistake(episode: Episode, module: Module, fault: Mutation, random: Random) -> None:
    """An edit that does not put right what is wrong."""
    if random.random() < ELSEWHERE:
        other = random.choice(module.mutations)
        if other.line != fault.line:
            episode.edit(module.path, other.line, other.new)
            episode.run(f"python -m pytest {' '.join(module.tests)}")
            episode.edit(module.path, other.line, other.old)
            return
    broken = mutated(module.source, fault)
    there = [m.new for m in mutations(broken) if m.line == fault.line and m.new != fault.old]
    episode.edit(module.path, fault.line, random.choice(there or [f"{fault.new}  # FIXME"]))


def shell(episode: Episode, subject: Subject, random: Random) -> None:
    steps = random.randint(*STEPS)
    while len(episode.steps) < steps:
        if random.random() < 0.2:
            script(episode, random)
        else:
            episode.run(random.choice(COMMANDS)(subject, random))


POLICIES: dict[str, Policy] = {"mutate_and_fix": mutate_and_fix, "shell": shell}
