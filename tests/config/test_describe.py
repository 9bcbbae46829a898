import json
from pathlib import Path

import msgspec

from mediabox.config import describe, members
from mediabox.config.sections import CORE

CONFIG = Path(__file__).parents[2] / "mediabox" / "config"


def test_the_reference_is_fresh() -> None:
    stored = (CONFIG / "REFERENCE.md").read_text(encoding="utf-8")

    assert stored == describe.reference(), "run: python -m mediabox.config.describe > mediabox/config/REFERENCE.md"


def test_every_setting_has_a_title_a_meaning_and_a_valid_default() -> None:
    kinds = dict(CORE) | {
        f"{family}.{name}": members.settings_of(family, name)
        for family in members.FAMILIES
        for name in members.names(family)
    }

    for table, kind in kinds.items():
        assert kind.__struct_config__.frozen
        assert kind.__struct_config__.forbid_unknown_fields, f"[{table}] would swallow a misspelt setting"
        for setting in describe.settings(table, kind):
            assert setting.title[0].isupper(), f"{setting.key} has no title"
            assert setting.description.endswith("."), f"{setting.key} has no description"
        if not any(field.required for field in msgspec.structs.fields(kind)):
            msgspec.convert(msgspec.to_builtins(kind(), enc_hook=lambda _: ""), kind, dec_hook=lambda _, value: value)


def test_the_schema_says_what_the_loader_checks() -> None:
    schema = json.loads(json.dumps(describe.schema()))

    distance = schema["properties"]["dedup"]["properties"]["max_distance"]
    assert (distance["minimum"], distance["maximum"], distance["x-unit"], distance["default"]) == (0, 16, "bit", 6)
    assert schema["properties"]["archive"]["additionalProperties"] is False
    [folder] = [
        choice
        for choice in schema["properties"]["sources"]["additionalProperties"]["oneOf"]
        if choice["properties"]["type"]["const"] == "folder"
    ]
    assert "trees" in folder["properties"]


def test_shows_every_setting_with_who_set_it_and_no_secret(load_text) -> None:
    config = load_text('[sources.card]\ntype = "camera"\ntrees = ["/a"]\npassword = "hunter2"\n[scrub]\ndays = 7\n')

    rows = {row.key: (row.value, row.origin) for row in describe.shown(config)}

    assert rows["scrub.days"] == ("7", "file")
    assert rows["dedup.max_distance"] == ("6", "default")
    assert rows["sources.card.type"] == ('"camera"', "file")
    assert rows["sources.card.trees"] == ('["/a"]', "file")
    assert rows["sources.card.password"] == ('"***"', "file")
