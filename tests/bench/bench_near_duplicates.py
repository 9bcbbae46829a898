"""Pictures that look alike: how many of the true pairs are found, how many wrong ones, at what cost."""

import json
import os
from collections.abc import Sequence

import ground
import measure
import msgspec
from table import Row

WITHIN_BITS = 6
PEERS = ("czkawka", "imagehash", "libphash")
FASTER_THAN = {"czkawka": 4.0, "imagehash": 4.0}


class Truth(msgspec.Struct, frozen=True):
    """`pairs`: copy, original, kind. `photo`: which photo a picture was cut from."""

    pairs: list[tuple[str, str, str]]
    photo: dict[str, str]

    def original(self, name: str) -> str:
        return next((original for copy, original, _ in self.pairs if copy == name), name)


class Score(msgspec.Struct, frozen=True):
    found: int
    wrong: int


def score(truth: Truth, pairs: Sequence[Sequence[str]]) -> Score:
    """Wrong is a pair of different photos. Two overlapping cuts of one photo may look alike or not."""
    seen = {tuple(sorted(pair)) for pair in pairs}
    found = sum(tuple(sorted((copy, original))) in seen for copy, original, _ in truth.pairs)
    photos = [{truth.photo[truth.original(name)] for name in pair} for pair in seen]
    return Score(found, sum(len(two) > 1 for two in photos))


def run() -> list[Row]:
    files = [*ground.corpus("jpeg"), *ground.corpus("near"), *ground.corpus("exact")]
    truth = msgspec.json.decode((ground.CORPUS / "truth.json").read_bytes(), type=Truth)
    folder = ground.linked(files, "pictures")
    script = str(ground.PEERS / "near_duplicates.py")
    argv: dict[str, tuple[str, ...]] = {
        "mediabox": (str(ground.PYTHON), str(ground.HERE / "alike.py"), str(folder), str(WITHIN_BITS))
    }
    argv |= {name: (str(ground.PEER_PYTHON), script, name, str(folder), str(WITHIN_BITS)) for name in PEERS}
    path = {"PYTHONPATH": os.pathsep.join((str(ground.ROOT), os.environ.get("PYTHONPATH", "")))}
    commands = [
        measure.Command(name=name, argv=command, items=len(files), environment=path) for name, command in argv.items()
    ]
    mine, *theirs = measure.paired(commands, ground.PAIRS)
    scores = {
        command.name: score(truth, json.loads(seen[0].answer)["pairs"])
        for command, seen in zip(commands, (mine, *theirs), strict=True)
    }
    best, true = scores["mediabox"], len(truth.pairs)
    rows = [
        Row(what=f"look-alikes found, of {true}", unit="", ours=best.found, least=true * 78 / 80),
        Row(what="pairs of different photos called alike", unit="", ours=best.wrong, most=0),
    ]
    for command, seen in zip(commands[1:], theirs, strict=True):
        note = f"{command.name} found {scores[command.name].found} of {true}, {scores[command.name].wrong} wrong"
        bars = ground.Bars(cpu=FASTER_THAN.get(command.name))
        cpu, _, memory = ground.against("look-alikes", (commands[0], command), (mine, seen), bars)
        rows += [msgspec.structs.replace(cpu, note=note), memory]
    return rows
