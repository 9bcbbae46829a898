import json
from pathlib import Path

import pytest

from mediabox.config.load import load
from mediabox.config.problems import ConfigInvalid, Problem
from mediabox.config.sections import FIELDS, Archive, Dedup
from mediabox.errors import NeedsHuman
from mediabox.stages.place import parse_template

CONFIG = Path(__file__).parents[2] / "mediabox" / "config"


def problems(invalid: pytest.ExceptionInfo[ConfigInvalid]) -> list[str]:
    return [str(problem) for problem in invalid.value.problems]


def refused(load_text, text: str, **overrides: object) -> list[str]:
    with pytest.raises(ConfigInvalid) as invalid:
        load_text(text, **overrides)
    return problems(invalid)


def test_a_home_without_a_file_has_the_defaults_and_no_sources(tmp_path: Path) -> None:
    config = load(tmp_path)

    assert config.archive == Archive()
    assert config.sources == ()
    assert config.origin("archive.path") == "default"


def test_the_command_line_wins_over_overrides_and_overrides_over_the_file(tmp_path: Path, load_text) -> None:
    (tmp_path / "overrides.json").write_text(json.dumps({"dedup.max_distance": 3, "scrub.days": 10}))
    text = "[dedup]\nmax_distance = 1\n[scrub]\ndays = 5\n[work]\nthreads = 2\n"

    config = load_text(text, overrides={"scrub.days": 20})

    assert (config.work.threads, config.dedup.max_distance, config.scrub.days) == (2, 3, 20)
    assert config.origin("work.threads") == "file"
    assert config.origin("dedup.max_distance") == "override"
    assert config.origin("dedup.unheard_of") == "default"


def test_loading_leaves_the_persons_file_as_it_is(tmp_path: Path, load_text) -> None:
    text = "# mine\r\n[dedup]\r\nmax_distance = 1 # less\r\n"
    load_text(text, overrides={"dedup.max_distance": 2})

    assert (tmp_path / "mediabox.toml").read_bytes() == text.encode()
    assert [path.name for path in tmp_path.iterdir()] == ["mediabox.toml"]


def test_gives_each_source_its_own_settings_under_its_name(load_text) -> None:
    config = load_text(
        '[sources.one]\ntype = "camera"\ntrees = ["/a"]\n[sources.two]\ntype = "camera"\ntrees = ["/b", "/c"]\n'
    )

    assert [(source.name, source.type, source.settings.trees) for source in config.sources] == [
        ("one", "camera", ("/a",)),
        ("two", "camera", ("/b", "/c")),
    ]
    assert config.origin("sources.two.trees") == "file"


def test_a_source_can_be_set_up_from_the_command_line_alone(tmp_path: Path, load_text) -> None:
    config = load_text("", overrides={"sources.card.type": "camera", "sources.card.trees": ["/media/card"]})

    assert config.sources[0].name == "card"
    assert config.sources[0].settings.trees == ("/media/card",)


def test_names_every_problem_at_once_each_with_its_line(load_text) -> None:
    text = """\
[archive]
tempalte = "{name}"
reserve_percent = 250

[dedup]
max_distance = 99

[lgo]
level = "info"
"""

    assert refused(load_text, text) == [
        "mediabox.toml:8: lgo is not a section; did you mean 'log'?",
        "mediabox.toml:2: archive.tempalte is not a setting; did you mean 'template'?",
        "mediabox.toml:3: archive.reserve_percent = 250: must be a number from 0 to 100 (%)",
        "mediabox.toml:6: dedup.max_distance = 99: must be a whole number from 0 to 16 (bit)",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[dedup]\nmax_distance = "6"', '= "6": must be a whole number from 0 to 16 (bit)'),
        ("[dedup]\nmax_distance = true", "= true: must be a whole number"),
        ("[work]\nthreads = 1.5", "= 1.5: must be a whole number from 0 to 64"),
        ("[work]\npause_on_battery = 1", "= 1: must be true or false"),
        ('[log]\nformat = "xml"', 'must be one of "json", "text"'),
        ("[scrub]\ndays = 2020-01-01", '= "2020-01-01": must be a whole number'),
        ("[scrub]\nbandwidth_mb_s = 0", "= 0: must be a number above 0 and up to 10000 (MB/s)"),
        ("[scrub]\nbandwidth_mb_s = nan", "= NaN: must be a number above 0"),
        ('[archive]\npath = ""', '= "": must be a path'),
        ("archive = 3", "archive = 3: must be a table, written [archive]"),
        ("sources = 3", "sources needs a name, [sources.name]"),
        ("[sources]\npictures = 3", "= 3: must be a table, written [sources.pictures]"),
        ('[sources."My Card"]\ntype = "camera"', "needs a name"),
        ("[sources.card]", "sources.card.type is missing"),
        ("[sources.card]\ntype = 1", "sources.card.type = 1: must be one of"),
        ('[sources.card]\ntype = "camrea"', "mediabox has no such source"),
        ('[sources.card]\ntype = "scanner"', "cannot be used on this box: No module named 'sane'"),
        ('[sources.card]\ntype = "camera"', "sources.card.trees is missing: must be a list of at least 1"),
        ('[sources.card]\ntype = "camera"\ntrees = []', "= []: must be a list of at least 1"),
        ('[sources.card]\ntype = "camera"\ntrees = ["/a"]\nfirst = 10', "sources.card first is after last"),
    ],
)
def test_says_what_is_wrong_and_what_would_be_right(load_text, text: str, expected: str) -> None:
    [message] = refused(load_text, text)

    assert expected in message
    assert message.startswith("mediabox.toml:")


def test_names_each_bad_element_of_a_list(load_text) -> None:
    found = refused(load_text, '[sources.card]\ntype = "camera"\ntrees = ["/a", "b", 3]\n')

    assert found == [
        "mediabox.toml:3: sources.card.trees[1] = \"b\": must be an absolute path (it starts with '/')",
        "mediabox.toml:3: sources.card.trees[2] = 3: must be an absolute path (it starts with '/')",
    ]


@pytest.mark.parametrize(
    "template",
    [
        *("/{name}", "~/{name}", "C:/{name}", "../{name}", "{year}/../{name}", "./{name}", "a//{name}", "a\\{name}"),
        *("", "{year}", "{name}/x", "{name}.jpg", "{stem}/{year}", "{name}{name}", "{yeer}/{name}", "{year:04}/{name}"),
        *("{name", "{}/{name}", "{name}\n", "{year}\t/{name}", "x" * 200 + "/{name}", "{year}/./{name}", "{year"),
        *("{name.__class__}", "{name!r}", "{year:>9}/{name}", "{year}/{month}", "{stem}/{month}", "{name}/{stem}"),
    ],
)
def test_refuses_a_template_that_leaves_the_archive_or_cannot_name_every_file(load_text, template: str) -> None:
    [message] = refused(load_text, f"[archive]\ntemplate = {json.dumps(template)}\n")

    assert "must be a relative path of known {fields}" in message


@pytest.mark.parametrize(
    "template",
    [
        *("{name}", "{year}/{month}/{day}/{name}", "a..b/{year}…/{name}", "...{name}", "{day}_{name}", ".x/{name}"),
        *("{year}/{stem}", "{stem} {hour}.{minute}", "{make} {camera}/{source}-{kind}/{year}{second}.{ext} {name}"),
    ],
)
def test_every_accepted_template_can_name_files(load_text, template: str) -> None:
    accepted = load_text(f"[archive]\ntemplate = {json.dumps(template)}\n").archive.template

    fields = {field for component in parse_template(accepted) for _, field in component if field}
    assert accepted == template
    assert fields <= set(FIELDS)
    assert fields & {"name", "stem"}


@pytest.mark.parametrize("text", ["[dedup\nmax_distance = 1", "a = ", "[log]\nlevel = 'info'\nlevel = 'info'\n"])
def test_gives_the_line_of_a_syntax_error(load_text, text: str) -> None:
    with pytest.raises(ConfigInvalid) as invalid:
        load_text(text)

    [problem] = invalid.value.problems
    assert problem.message.startswith("is not valid TOML: ")
    assert problem.line is not None
    assert 1 <= problem.line <= len(text.splitlines())


def test_reads_a_file_a_windows_editor_saved(tmp_path: Path) -> None:
    (tmp_path / "mediabox.toml").write_bytes(b"\xef\xbb\xbf[dedup]\r\nmax_distance = 2\r\n")

    assert load(tmp_path).dedup == Dedup(max_distance=2)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("mediabox.toml", b"\xff\xfe["),
        ("overrides.json", b"\xff"),
        ("overrides.json", b'{"a'),
        ("overrides.json", b"[]"),
        ("overrides.json", b'{"dedup": 3}'),
        ("overrides.json", b'{"dedup.max_distance": 99}'),
        ("overrides.json", b'{"dedup.max_distence": 9}'),
        ("overrides.json", b'{"nothing.at.all": 9}'),
    ],
)
def test_names_the_file_that_cannot_be_used(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(ConfigInvalid) as invalid:
        load(tmp_path)

    [problem] = invalid.value.problems
    assert problem.file == name


def test_a_value_from_the_command_line_is_not_blamed_on_the_file(load_text) -> None:
    assert refused(load_text, "[dedup]\nmax_distance = 2\n", overrides={"dedup.max_distance": -1}) == [
        "command line: dedup.max_distance = -1: must be a whole number from 0 to 16 (bit)"
    ]


def test_never_repeats_a_secret(load_text) -> None:
    text = '[sources.card]\ntype = "camera"\ntrees = ["/a"]\npassword = {hunter2 = 1}\n'

    with pytest.raises(ConfigInvalid) as invalid:
        load_text(text)
    config = load_text(text.replace("{hunter2 = 1}", '"hunter2"'))

    assert "hunter2" not in str(invalid.value)
    assert "must be a text" in str(invalid.value)
    assert "hunter2" not in repr(config)
    assert config.sources[0].settings.password.reveal() == "hunter2"


def test_a_secret_may_be_a_credential_of_the_service(tmp_path: Path, load_text, monkeypatch) -> None:
    config = load_text('[sources.card]\ntype = "camera"\ntrees = ["/a"]\npassword = "credential:card"\n')
    password = config.sources[0].settings.password

    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(NeedsHuman) as missing:
        password.reveal()
    (tmp_path / "mediabox_card").write_text("hunter2\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

    assert (missing.value.issue, missing.value.subject) == ("config.credential", "card")
    assert password.reveal() == "hunter2"


def test_an_invalid_configuration_is_an_issue_for_a_person() -> None:
    error = ConfigInvalid([Problem(file="mediabox.toml", key="", message="is not valid TOML")])

    assert (error.issue, error.subject) == ("config.invalid", "mediabox.toml")
    assert "have a problem" in str(error)


def test_paths_are_relative_to_home_unless_absolute(tmp_path: Path) -> None:
    config = load(tmp_path)

    assert config.path("archive") == tmp_path / "archive"
    assert config.path("/srv/archive") == Path("/srv/archive")
    assert config.path("~/archive") == Path.home() / "archive"
    assert config.path("~nobody-here/archive") == tmp_path / "~nobody-here/archive"


def test_the_example_is_valid_and_states_every_default(tmp_path: Path, write) -> None:
    example = (CONFIG / "mediabox.example.toml").read_text(encoding="utf-8")

    config = load(write(example))
    defaults = load(tmp_path / "nowhere")

    sections = ("archive", "work", "renditions", "scrub", "dedup", "log")
    for section in sections:
        assert getattr(config, section) == getattr(defaults, section)
        for field in getattr(config, section).__struct_fields__:
            assert config.origin(f"{section}.{field}") == "file", f"{section}.{field} is missing in the example"
    assert [source.type for source in config.sources] == ["folder"]


def test_a_setting_of_before_loads_and_is_noted_with_its_line(load_text) -> None:
    config = load_text("[release]\nfreed_counts = true\ncopies = 3\n")

    assert config.release.copies == 3
    (note,) = config.notes
    assert str(note).startswith("mediabox.toml:2: release.freed_counts no longer does anything: ")


def test_whatever_a_setting_of_before_was_set_to(load_text) -> None:
    assert load_text('[release]\nfreed_counts = "perhaps"\n').notes
    assert not load_text("[release]\ncopies = 3\n").notes


def test_a_setting_of_before_hides_no_problem_beside_it(load_text) -> None:
    assert refused(load_text, "[release]\nfreed_counts = true\ncopies = 0\n")
