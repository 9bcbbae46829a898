"""What a person reads is a template with values, not a finished English sentence."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

PRODUCT = Path(__file__).parents[2] / "mediabox"
ERRORS = {"Retryable", "Away", "Permanent", "Gone", "NeedsHuman", "Fatal", "WrongUsage"}
VALUES = {"Issue", "Refused", "SignInResult", "Check", "Quarantine", "Undeliverable", "Sighting", "Delivered", "Named"}
READ = {"message", "remedy", "reason", "why", "note"}
# How many finished sentences each room still bakes in. Only ever fewer: a room at zero is left out.
STILL: dict[str, int] = {
    "cli": 56,
    "core": 23,
    "destinations": 27,
    "native": 25,
}


def baked(tree: ast.Module) -> Iterator[ast.expr]:
    """Each literal or f-string that is handed to a person as it is."""
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)):
        known = {
            target.id: node.value
            for node in ast.walk(function)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
            for argument in handed(call):
                value = known.get(argument.id, argument) if isinstance(argument, ast.Name) else argument
                if isinstance(value, ast.JoinedStr) or (
                    isinstance(value, ast.Constant) and value.value not in {"", None}
                ):
                    yield value


def handed(call: ast.Call) -> Iterator[ast.expr]:
    """The arguments of an error or a value that a person reads."""
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    if name in ERRORS:
        yield from call.args[:1]
    if name in ERRORS | VALUES:
        yield from (keyword.value for keyword in call.keywords if keyword.arg in READ)


def rooms() -> Counter[str]:
    counts: Counter[str] = Counter()
    for path in PRODUCT.rglob("*.py"):
        room = path.relative_to(PRODUCT).parts[0]
        if room != "simulate":
            counts[room] += len({id(each) for each in baked(ast.parse(path.read_text()))})
    return +counts


def test_no_more_sentences_are_baked_in():
    more = {room: count for room, count in rooms().items() if count > STILL.get(room, 0)}
    assert not more, "write new text as `message(...)`: see mediabox/message.py"
