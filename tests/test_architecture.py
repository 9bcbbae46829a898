"""The rules of the house, read from the source with `ast`. Each failure says where, and which rule.

A rule is a function from one parsed module to what breaks it; `mediabox/ARCHITECTURE.md`
says why the rule is there.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "mediabox"
MODULES = sorted(path.relative_to(ROOT) for path in PACKAGE.rglob("*.py"))

# What a part may import of mediabox, besides itself. `shell`, `cli` and `__main__` build the whole and see all of it.
VALUES = {"errors", "message", "model"}
GROUND = VALUES | {"clock", "waiting", "failpoints", "contracts", "config", "log"}
BYTES = GROUND | {"durable", "store", "native"}
MAY_SEE: dict[str, set[str]] = {
    "message": set(),
    "errors": {"message"},
    "model": {"errors", "message"},
    "messages": VALUES | {"log"},
    "clock": VALUES,
    "failpoints": VALUES,
    "waiting": set(),
    "contracts": VALUES | {"clock", "config"},  # a source is given the clock, a surface the settings
    "log": VALUES | {"log_writer"},
    "log_writer": set(),
    "heartbeat": {"message"},
    "config": VALUES,
    "systemd": GROUND,
    "durable": GROUND,
    "search": VALUES,
    "store": GROUND | {"search", "durable.private"},  # the key, and the head of the journal
    "native": GROUND,
    "core": BYTES | {"search", "supervise", "systemd", "heartbeat"},
    "supervise": GROUND | {"core"},
    "sources": VALUES | {"contracts", "config.fields", "log", "clock", "waiting", "failpoints"},
    "stages": VALUES | {"contracts", "config.fields", "log", "clock", "failpoints"},
    "destinations": VALUES | {"search", "contracts", "config.fields", "log", "clock", "failpoints", "durable"},
    "probes": VALUES | {"contracts", "config.fields", "log", "clock"},
    "simulate": GROUND | {"native", "durable.temporary", "durable.publish"},  # a phone deletes its own pictures
    "surfaces": GROUND | {"messages", "core.commands", "core.bus", "durable.local_socket"},
}
# The command line sees what a surface sees, and puts it into words. These see more, with what keeps them: the open
# work. A test fails when one of them needs it no longer; no module is added.
SURFACE = GROUND | {
    "messages",
    "core.commands",
    "core.queries",
    "core.bus",
    "core.home",
    "core.surroundings",
    "search",
    "surfaces",
}
SEES_MORE = {
    "run": "starts the box",
    "rebuild": "does the daemon's work while none runs",
    "simulate": "opens the stand-ins",
    "verify": "reads the archive itself, beside a daemon or without one",
    "release": "`accept` reads the archive itself; the report is to be a query",
    "adopt": "walks a backup itself: to be a command",
    "adopt_prove": "asks iCloud itself: to be a command",
    "auth": "signs in itself where no daemon runs",
    "auth_dialogue": "signs in itself where no daemon runs",
    "doctor": "looks at disks and children itself: its checks are to be a registry in core/queries",
    "erase": "reads the plan itself: to be a query",
    "live": "asks the box's socket",
    "find": "makes a damaged index anew itself: to be a command",
    "left": "lists folders with their source itself",
    "pipeline": "prints the composition root's own order",
    "pixel": "asks Syncthing itself",
    "pixel_answers": "writes settings itself: to be the settings command",
    "pixel_archive": "copies a phone's files itself: to be a command",
    "pixel_prove": "reads a download itself: to be a command",
    "pixel_target": "knows the settings of a phone",
    "pixel_words": "puts what Syncthing answers into words",
}
SIMULATOR = "mediabox.simulate"
COMMANDS = "simulate.command"  # what a person starts of it: joined there, as the product is in cli/
ROOTS = {"assembly", "joined", "shell", "ground", "in_force", "live", "cli", "__main__", COMMANDS}
OPENS_IT = "mediabox/cli/simulate.py"
FAMILIES = {"sources", "stages", "destinations", "probes"}  # members never import each other

NATIVE = {"PIL", "av", "numpy", "pyvips", "pillow_heif", "pillow_jxl", "rawpy", "ai_edge_litert", "tflite_runtime"}
ONLY_IN = {"sqlite3": "store", "aiosqlite": "store"} | dict.fromkeys(NATIVE, "native")

DURABLE_CALLS = re.compile(
    r"os\.(rename|renames|replace|link|symlink|fsync|fdatasync|unlink|remove|rmdir|removedirs)"
    r"|shutil\.(move|rmtree|copy|copy2|copyfile|copytree)"
)
DURABLE_METHODS = {"unlink", "rmdir", "hardlink_to", "symlink_to"}
# `rename` and `replace` are methods of paths, texts and times alike: a path's takes one argument.
RENAMES = {"rename", "replace"}

BANNED_NAMES = re.compile(r"(^|_)(utils?|helpers?|common|misc|managers?|base|services?)$")
MAY_CATCH_ALL = {
    "mediabox/supervise.py",
    "mediabox/core/pipeline.py",
    "mediabox/core/bus.py",
    "mediabox/config/members.py",  # an optional member that cannot be imported stops no other
    "mediabox/assembly.py",  # nor one that cannot be built
    "mediabox/native/examine.py",  # in the child, where foreign code meets foreign bytes: a verdict on the file
}
COMMAND_DOOR = re.compile(r"(^|[._])(dispatch|tools)\.execute$")  # of a command, not of SQL
FILE_LINES, FUNCTION_LINES = 351, 70
MEDIAN_LINES, NINE_TENTHS_LINES = 7, 18  # of all functions


@cache
def tree(module: Path) -> ast.Module:
    return ast.parse((ROOT / module).read_bytes())


def part(module: Path) -> str:
    """The room of the house a module is in: `store`, `errors`."""
    return COMMANDS if ".".join(module.parts[1:3]) == COMMANDS else module.parts[1].removesuffix(".py")


def imports(module: Path) -> Iterator[tuple[int, str]]:
    """Every imported module by its full name, whether at the top, in a function or for types only."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = ".".join(module.parts[: -node.level]) if node.level else ""
            name = ".".join(filter(None, (package, node.module)))
            whole = name == "mediabox" or name.removeprefix("mediabox.") in FAMILIES
            yield from ((node.lineno, f"{name}.{each.name}" if whole else name) for each in node.names)


def calls(module: Path) -> Iterator[tuple[ast.Call, str]]:
    """Every call with what is called, as written."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Call):
            yield node, ast.unparse(node.func)


def wrong_direction(module: Path) -> Iterator[tuple[int, str]]:
    room = part(module)
    if room in ROOTS or module.parts[1:] == ("__init__.py",):
        return
    if room not in MAY_SEE:
        yield 1, f"{room} is no room of the house; give it a line in MAY_SEE and in ARCHITECTURE.md"
        return
    allowed = {f"mediabox.{name}" for name in MAY_SEE[room] | ({room} - FAMILIES)}
    if room in FAMILIES and len(module.parts) > 3:  # a member that is a folder sees itself
        allowed.add(".".join(module.parts[:3]))
    for line, name in imports(module):
        if name.startswith("mediabox.") and not any(f"{name}.".startswith(f"{each}.") for each in allowed):
            yield line, f"{room} may not import {name}"


def opens_the_simulator(module: Path) -> Iterator[tuple[int, str]]:
    """An installation may be without `simulate/`: one module opens it, and says where it is missing."""
    if module.as_posix() == OPENS_IT or part(module) == COMMANDS:
        return
    closed = f"mediabox.{COMMANDS}" if part(module) == "simulate" else SIMULATOR
    for line, name in (*imports(module), *texts(module)):
        if f"{name}.".startswith(f"{closed}."):
            yield line, f"{name} is opened by {OPENS_IT} alone"


def texts(module: Path) -> Iterator[tuple[int, str]]:
    """Every text in it (a module may be opened by its name), and what is imported out of a package."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.lineno, f"{node.module}.{each.name}") for each in node.names)


def library_out_of_place(module: Path) -> Iterator[tuple[int, str]]:
    only_types = {node.lineno for each in ast.walk(tree(module)) if is_for_types(each) for node in imported(each)}
    for line, name in imports(module):
        owner = ONLY_IN.get(name.partition(".")[0])
        if owner not in (None, part(module)) and line not in only_types:
            yield line, f"{name} belongs in {owner}/"
    for call, name in calls(module):  # core passes the connection on; what is said to it is in store/
        is_sql = re.search(r"\.execute(many|script)?$", name) and not COMMAND_DOOR.search(name)
        if is_sql and part(module) != "store":
            yield call.lineno, f"{name}() is SQL, which belongs in store/"


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def imported(block: ast.AST) -> list[ast.Import | ast.ImportFrom]:
    return [node for node in ast.walk(block) if isinstance(node, ast.Import | ast.ImportFrom)]


def changes_the_disk(module: Path) -> Iterator[tuple[int, str]]:
    if part(module) == "durable":
        return
    for call, name in calls(module):
        method = name.rpartition(".")[2] if "." in name else ""
        is_rename = method in RENAMES and len(call.args) == 1 and not call.keywords
        if DURABLE_CALLS.fullmatch(name) or method in DURABLE_METHODS or is_rename:
            yield call.lineno, f"{name}() belongs in durable/"
    for line, name in imports(module):
        if name in ("os", "shutil"):
            yield from ((line, f"import {name} whole, so that its calls can be seen") for _ in aliased(module, line))


def aliased(module: Path, line: int) -> list[ast.AST]:
    """Imports on this line that hide where a function comes from (`from os import unlink`, `import os as o`)."""
    return [
        node
        for node in ast.walk(tree(module))
        if getattr(node, "lineno", 0) == line
        and (
            (
                isinstance(node, ast.ImportFrom)
                and any(DURABLE_CALLS.fullmatch(f"{node.module}.{each.name}") for each in node.names)
            )
            or (isinstance(node, ast.Import) and any(each.asname for each in node.names))
        )
    ]


def banned_name(module: Path) -> Iterator[tuple[int, str]]:
    for name in (*module.parts[1:-1], module.stem):
        if BANNED_NAMES.search(name):
            yield 1, f"{name!r} names no concept"


def too_long(module: Path) -> Iterator[tuple[int, str]]:
    lines = (ROOT / module).read_text(encoding="utf-8").count("\n")
    if lines >= FILE_LINES:
        yield lines, f"{lines} lines; split below {FILE_LINES}"
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length >= FUNCTION_LINES:
                yield node.lineno, f"{node.name} has {length} lines; split below {FUNCTION_LINES}"


def catches_all(module: Path) -> Iterator[tuple[int, str]]:
    if module.as_posix() in MAY_CATCH_ALL:
        return
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.ExceptHandler):
            caught = {"BaseException"} if node.type is None else set(re.findall(r"\w+", ast.unparse(node.type)))
            passed_on = ast.unparse(node.body[-1]) == "raise" or hands_on(node)
            if caught & {"Exception", "BaseException"} and not passed_on:
                yield node.lineno, "catches everything; name what may happen"
            if [type(each) for each in node.body] == [ast.Pass]:
                yield node.lineno, "swallows an error; say why with contextlib.suppress"


def hands_on(handler: ast.ExceptHandler) -> bool:
    """Whether the error itself is kept for somebody who waits: `mine.error = err`, `resolve(..., error=err)`."""
    for node in ast.walk(handler):
        value = node.value if isinstance(node, ast.Assign) or getattr(node, "arg", "") == "error" else None
        if isinstance(value, ast.Name) and value.id == handler.name:
            return True
    return False


def loose_task(module: Path) -> Iterator[tuple[int, str]]:
    for call, name in calls(module):
        if name in ("asyncio.create_task", "asyncio.ensure_future") or name.endswith("loop.create_task"):
            yield call.lineno, f"{name}() outside a TaskGroup loses its error"


def sees_more_than_a_surface(module: Path) -> Iterator[tuple[int, str]]:
    if part(module) != "cli" or module.stem in SEES_MORE:
        return
    yield from beyond_a_surface(module)


def beyond_a_surface(module: Path) -> Iterator[tuple[int, str]]:
    allowed = {f"mediabox.{name}" for name in SURFACE | {"cli"}}
    for line, name in imports(module):
        if name.startswith("mediabox.") and not any(f"{name}.".startswith(f"{each}.") for each in allowed):
            yield line, f"a surface may not import {name}: ask core/queries, or give a command"


RULES = [
    wrong_direction,
    opens_the_simulator,
    library_out_of_place,
    changes_the_disk,
    banned_name,
    too_long,
    catches_all,
    loose_task,
    sees_more_than_a_surface,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_its_rule(rule) -> None:
    broken = [f"{module}:{line}: {what}" for module in MODULES for line, what in rule(module)]

    assert not broken, "\n".join(["", *broken])


@pytest.mark.parametrize(
    ("rule", "where", "source"),
    [
        (wrong_direction, "stages/x.py", "from mediabox.store import assets"),
        (wrong_direction, "stages/x.py", "from mediabox import store"),
        (wrong_direction, "stages/x.py", "from mediabox.stages.y import thing"),
        (wrong_direction, "stages/x.py", "from mediabox.stages import y"),
        (wrong_direction, "stages/x.py", "from . import y"),
        (wrong_direction, "sources/x/a.py", "from mediabox.sources.y import b"),
        (wrong_direction, "sources/x.py", "from mediabox.config.load import load"),
        (wrong_direction, "store/x.py", "if TYPE_CHECKING:\n    from mediabox.core.bus import Bus"),
        (wrong_direction, "core/x.py", "def f():\n    import mediabox.surfaces.web"),
        (wrong_direction, "surfaces/x.py", "from mediabox.core.pipeline import run"),
        (wrong_direction, "core/x.py", "from mediabox import shell"),
        (wrong_direction, "attic/x.py", ""),
        (opens_the_simulator, "cli/x.py", "from mediabox.simulate.pixel import Phone"),
        (opens_the_simulator, "cli/x.py", "def f():\n    from mediabox import simulate"),
        (opens_the_simulator, "shell.py", "importlib.import_module('mediabox.simulate.pixel')"),
        (opens_the_simulator, "simulate/x.py", "from mediabox.simulate import command"),
        (library_out_of_place, "core/x.py", "import sqlite3"),
        (library_out_of_place, "core/x.py", "connection.execute('SELECT 1')"),
        (library_out_of_place, "core/x.py", "from PIL import Image"),
        (changes_the_disk, "core/x.py", "import os\nos.unlink('a')"),
        (changes_the_disk, "core/x.py", "from os import unlink"),
        (changes_the_disk, "core/x.py", "import os as o"),
        (changes_the_disk, "core/x.py", "path.unlink(missing_ok=True)"),
        (changes_the_disk, "core/x.py", "path.replace(other)"),
        (banned_name, "core/image_utils.py", ""),
        (banned_name, "helpers/x.py", ""),
        (too_long, "core/x.py", "\n" * FILE_LINES),
        (too_long, "core/x.py", "def f():\n" + "    x = 1\n" * FUNCTION_LINES),
        (catches_all, "core/x.py", "try:\n    f()\nexcept Exception:\n    g()"),
        (catches_all, "core/x.py", "try:\n    f()\nexcept (OSError, BaseException):\n    g()"),
        (catches_all, "core/x.py", "try:\n    f()\nexcept:\n    g()"),
        (catches_all, "core/x.py", "try:\n    f()\nexcept OSError:\n    pass"),
        (loose_task, "core/x.py", "asyncio.create_task(f())"),
        (sees_more_than_a_surface, "cli/x.py", "from mediabox.store import assets"),
        (sees_more_than_a_surface, "cli/x.py", "from mediabox.core import switches"),
        (sees_more_than_a_surface, "cli/x.py", "if TYPE_CHECKING:\n    from mediabox.store.assets import Resource"),
        (sees_more_than_a_surface, "cli/x.py", "def f():\n    from mediabox.destinations.pixel import link"),
    ],
)
def test_the_rule_sees_what_breaks_it(rule, where: str, source: str, tmp_path: Path, monkeypatch) -> None:
    module = write(tmp_path, where, source, monkeypatch)

    assert list(rule(module))


@pytest.mark.parametrize(
    ("where", "source"),
    [
        ("sources/x/a.py", "from mediabox.sources.x.b import c\nfrom mediabox.config.fields import Bytes"),
        ("store/x.py", "import sqlite3\nfrom mediabox.store.y import z\nfrom mediabox.model.asset import Kind"),
        ("core/x.py", "if TYPE_CHECKING:\n    import sqlite3"),
        ("core/x.py", "at.replace(tzinfo=None)"),
        ("core/x.py", "'a'.replace('a', 'b')\nfrom mediabox.durable.volume import Volume"),
        ("durable/x.py", "import os\nos.fsync(3)"),
        ("core/x.py", "try:\n    f()\nexcept BaseException:\n    g()\n    raise"),
        ("core/x.py", "try:\n    f()\nexcept BaseException as err:\n    answer(error=err)"),
        ("cli/x.py", "from mediabox.core.queries.history import History\nfrom mediabox.cli.words import plain"),
        ("core/x.py", "async def f():\n    async with asyncio.TaskGroup() as group:\n        group.create_task(g())"),
    ],
)
def test_the_rules_leave_good_code_alone(where: str, source: str, tmp_path: Path, monkeypatch) -> None:
    module = write(tmp_path, where, source, monkeypatch)

    assert [what for rule in RULES for _, what in rule(module)] == []


def test_what_sees_more_than_a_surface_still_needs_it() -> None:
    """Take a module off the list with the import that kept it there."""
    need = {module.stem for module in MODULES if part(module) == "cli" and any(beyond_a_surface(module))}

    assert set(SEES_MORE) - need == set()


def write(root: Path, where: str, source: str, monkeypatch) -> Path:
    """A module of another house, at `mediabox/<where>` below `root`."""
    module = Path("mediabox", where)
    (root / module).parent.mkdir(parents=True, exist_ok=True)
    (root / module).write_text(source)
    monkeypatch.setattr(sys.modules[__name__], "ROOT", root)
    tree.cache_clear()
    return module


# ---------------------------------------------------------------- names

# Public classes that still share a name with another one's. Take off what you rename; nothing joins the list.
SHARED_NAMES = {
    "Archive",
    "Asked",
    "Box",
    "Catalogue",
    "Check",
    "ChildProcess",
    "Chunk",
    "Connection",
    "Dedup",
    "Edit",
    "Errand",
    "File",
    "FileSink",
    "Findings",
    "Form",
    "Found",
    "Group",
    "Held",
    "Item",
    "Lane",
    "LeftOut",
    "Library",
    "Limits",
    "Link",
    "Links",
    "Listing",
    "Log",
    "Look",
    "Movie",
    "Named",
    "Note",
    "Part",
    "Phone",
    "Place",
    "Plan",
    "Progress",
    "Property",
    "Reason",
    "Reference",
    "Refused",
    "Release",
    "Reply",
    "Report",
    "Role",
    "Said",
    "Schedule",
    "Scrub",
    "Seen",
    "Sink",
    "Source",
    "Standing",
    "Step",
    "Tables",
    "Track",
    "Value",
    "Verdict",
    "Window",
    "Work",
}


def public_classes(module: Path) -> list[str]:
    return [each.name for each in tree(module).body if isinstance(each, ast.ClassDef) and not each.name.startswith("_")]


def test_no_public_class_name_stands_for_two_things() -> None:
    """But `Settings`, of which each member has its own. The simulators speak the words of what they stand for."""
    where: dict[str, list[str]] = {}
    for module in MODULES:
        for name in public_classes(module) if module.parts[1] != "simulate" else ():
            where.setdefault(name, []).append(str(module))

    shared = {name: modules for name, modules in where.items() if len(modules) > 1 and name != "Settings"}
    assert {name: shared[name] for name in shared.keys() - SHARED_NAMES} == {}


# ---------------------------------------------------------------- the house as a whole

Graph = dict[str, set[str]]  # module -> the modules it imports


def names_of(root: Path) -> dict[str, Path]:
    """Every module below `root` by its full name."""
    files = (path.relative_to(root.parent) for path in root.rglob("*.py"))
    return {".".join(file.with_suffix("").parts).removesuffix(".__init__"): file for file in files}


def imported_modules(modules: dict[str, Path]) -> Graph:
    """Who imports whom, in functions and for types too; `from a import b` is module `a.b` where there is one."""
    graph: Graph = {name: set() for name in modules}
    for name, file in modules.items():
        for node in ast.walk(tree(file)):
            if isinstance(node, ast.Import):
                graph[name] |= {each.name for each in node.names} & set(modules)
            elif isinstance(node, ast.ImportFrom) and node.module:
                whole = {f"{node.module}.{each.name}" for each in node.names}
                graph[name] |= whole & set(modules) or {node.module} & set(modules)
        graph[name].discard(name)
    return graph


def reached(graph: Graph, start: str) -> set[str]:
    found, left = set[str](), [start]
    while left:
        for name in graph[left.pop()] - found:
            found.add(name)
            left.append(name)
    return found


def circles(graph: Graph) -> set[tuple[str, ...]]:
    """Modules that reach each other."""
    reach = {name: reached(graph, name) for name in graph}
    return {
        tuple(sorted({name, *(other for other in reach[name] if name in reach[other])}))
        for name in graph
        if name in reach[name]
    }


def room_of(name: str) -> str:
    """What a person starts of the simulators is joined as the rest of the command line is."""
    return "cli" if name.startswith(f"mediabox.{COMMANDS}") else name.split(".")[1] if "." in name else name


def two_ways(graph: Graph) -> set[frozenset[str]]:
    """Rooms that import each other."""
    ways = {(room_of(name), room_of(other)) for name, others in graph.items() for other in others}
    return {frozenset((one, other)) for one, other in ways if one != other and (other, one) in ways}


def function_lengths(modules: Iterable[Path]) -> list[int]:
    functions = (node for each in modules for node in ast.walk(tree(each)))
    return sorted(
        (node.end_lineno or node.lineno) - node.lineno + 1
        for node in functions
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def test_no_files_import_each_other_in_a_circle() -> None:
    assert circles(imported_modules(names_of(PACKAGE))) == set()


def test_no_two_rooms_import_each_other() -> None:
    assert two_ways(imported_modules(names_of(PACKAGE))) == set()


def test_a_circle_and_a_two_way_import_are_seen(tmp_path: Path, monkeypatch) -> None:
    write(tmp_path, "core/a.py", "if TYPE_CHECKING:\n    from mediabox.store import b", monkeypatch)
    write(tmp_path, "store/b.py", "def f():\n    from mediabox.core.c import g", monkeypatch)
    write(tmp_path, "core/c.py", "import mediabox.core.a", monkeypatch)

    graph = imported_modules(names_of(tmp_path / "mediabox"))

    assert circles(graph) == {("mediabox.core.a", "mediabox.core.c", "mediabox.store.b")}
    assert two_ways(graph) == {frozenset(("core", "store"))}


def test_functions_are_short() -> None:
    lengths = function_lengths(MODULES)

    assert lengths[len(lengths) // 2] <= MEDIAN_LINES
    assert lengths[len(lengths) * 9 // 10] <= NINE_TENTHS_LINES


def test_starting_the_command_line_loads_no_heavy_library() -> None:
    heavy = [*sorted(NATIVE), "aiohttp", "aiogram", "asyncio", "sqlite3", "aiosqlite", "psutil", "zeroconf", "pyicloud"]
    code = f"import sys, mediabox.__main__; print(*sorted(set({heavy}) & set(sys.modules)))"

    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()

    assert loaded == []
