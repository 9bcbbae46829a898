import pytest

from mediabox.config import members


def test_finds_members_by_name_without_importing_them(run_python) -> None:
    loaded = run_python(
        "import sys; from mediabox.config import load, members; members.names('sources');"
        "print([name for name in sys.modules if name.startswith('mediabox.sources.')])"
    )

    assert loaded == "[]"


def test_refuses_a_name_that_is_not_a_member() -> None:
    for name in ("os", "../core", "__init__", "_private", ""):
        with pytest.raises(LookupError):
            members.settings_of("sources", name)
