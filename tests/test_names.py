"""One vocabulary: a function is a verb and what it acts on."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PRODUCT = ROOT / "mediabox"

# A participle says what is true afterwards, not what is done: `kept(...)` reads, writes or answers?
PARTICIPLES = {
    *("done", "found", "given", "gone", "held", "kept", "known", "left", "lost", "made", "meant", "said", "seen"),
    *("sent", "shown", "taken", "told", "written"),
}
VERBS_IN_ED = {"embed", "exceed", "feed", "heed", "need", "seed", "speed"}
VALUES = {"property", "cached_property"}  # what is read like a field may be a participle
# How many there still are in each room. Only ever fewer.
STILL: dict[str, int] = {
    "__main__.py": 1,
    "assembly.py": 1,
    "cli": 21,
    "config": 8,
    "contracts": 1,
    "core": 54,
    "destinations": 17,
    "durable": 11,
    "failpoints.py": 1,
    "log.py": 1,
    "message.py": 2,
    "model": 5,
    "native": 81,
    "search": 3,
    "sources": 34,
    "stages": 5,
    "store": 31,
    "supervise.py": 2,
    "surfaces": 1,
}


def participles(tree: ast.Module) -> Iterator[str]:
    """Functions named by a single participle."""
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)):
        decorators = {getattr(each, "id", getattr(each, "attr", "")) for each in function.decorator_list}
        name = function.name.lstrip("_")
        is_one = name in PARTICIPLES or (name.endswith("ed") and "_" not in name and name not in VERBS_IN_ED)
        if is_one and not decorators & VALUES:
            yield function.name


def rooms() -> Counter[str]:
    counts: Counter[str] = Counter()
    for path in PRODUCT.rglob("*.py"):
        room = path.relative_to(PRODUCT).parts[0]
        if room != "simulate":
            counts[room] += len(list(participles(ast.parse(path.read_text(encoding="utf-8")))))
    return +counts


def test_no_more_functions_are_named_by_a_participle() -> None:
    more = {room: count for room, count in rooms().items() if count > STILL.get(room, 0)}
    assert not more, "name a function by a verb and what it acts on: `find_kept_copies`, not `kept`"


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("def kept(): ...", ["kept"]),
        ("async def _opened(): ...", ["_opened"]),
        ("def feed(): ...\ndef need(): ...\ndef find_kept(): ...\ndef is_opened(): ...", []),
        ("class A:\n    @property\n    def archived(self): ...", []),
    ],
)
def test_the_rule_sees_a_participle(source: str, names: list[str]) -> None:
    assert list(participles(ast.parse(source))) == names
