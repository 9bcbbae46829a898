"""Sealed files, their key, and who may read it."""

import os
import shutil
from pathlib import Path

import pytest

from mediabox.clock import Clock
from mediabox.durable.private import write_private
from mediabox.errors import NeedsHuman
from mediabox.sources.icloud.endpoints import CHINA, WORLD
from mediabox.sources.icloud.seal import MOVED, Seal
from mediabox.sources.icloud.session import Browser, Cookie
from mediabox.sources.icloud.sign_in.standing import Standing
from mediabox.sources.icloud.sign_in.vault import Account, Kept, Vault

CANARY = "canary-9d1f"


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)


def seal(home: Path) -> Seal:
    return Seal(home, write=write_private)


def vault(home: Path, **changes) -> Vault:
    account = {"name": "anna", "apple_id": "anna@example.com", "endpoints": WORLD} | changes
    return Vault(Account(**account), seal(home))


def kept(**changes) -> Kept:
    cookie = Cookie(name="X-APPLE-WEBAUTH-TOKEN", value=CANARY, domain=".icloud.com", expires_at_ms=1)
    browser = Browser(client_id="c", cookies=(cookie,), echoes={"trust_token": CANARY})
    return Kept(apple_id="anna@example.com", home=WORLD.home, password=CANARY, browser=browser, **changes)


def test_gives_back_what_was_kept(tmp_path: Path) -> None:
    vault(tmp_path).save(kept())

    assert vault(tmp_path).load() == kept()


def test_nothing_readable_is_on_the_disk(tmp_path: Path) -> None:
    vault(tmp_path).save(kept())

    content = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert CANARY.encode() not in content
    assert b"anna@example.com" not in content


def test_everything_is_for_its_owner_only(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        vault(tmp_path).save(kept())
    finally:
        os.umask(old)

    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")}
    assert modes == {"secrets": 0o700, "keys": 0o700, "seal": 0o600, "icloud-anna.sealed": 0o600}


def test_the_same_content_never_looks_the_same_twice(tmp_path: Path) -> None:
    one = seal(tmp_path)

    assert one.seal(b"x", account="anna") != one.seal(b"x", account="anna")


def test_cannot_be_opened_without_its_key(tmp_path: Path) -> None:
    vault(tmp_path).save(kept())
    (tmp_path / "keys" / "seal").unlink()

    with pytest.raises(NeedsHuman, match="cannot be opened with this key") as caught:
        vault(tmp_path).load()

    assert caught.value.issue == "icloud.unreadable"
    assert "mediabox auth icloud anna" in str(caught.value.remedy)


def test_cannot_be_passed_off_as_another_account_s(tmp_path: Path) -> None:
    vault(tmp_path).save(kept())
    vault(tmp_path).path.rename(vault(tmp_path, name="ben").path)

    with pytest.raises(NeedsHuman):
        vault(tmp_path, name="ben").load()


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b[:20], lambda b: b"", lambda b: b[:-1] + b"\0"])
def test_notices_damage(tmp_path: Path, damage) -> None:
    vault(tmp_path).save(kept())
    path = vault(tmp_path).path
    path.write_bytes(damage(path.read_bytes()))

    with pytest.raises(NeedsHuman):
        vault(tmp_path).load()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620])
def test_refuses_a_key_others_can_reach(tmp_path: Path, mode: int) -> None:
    vault(tmp_path).save(kept())
    key = tmp_path / "keys" / "seal"
    key.chmod(mode)

    with pytest.raises(NeedsHuman, match=f"{mode:04o}") as caught:
        vault(tmp_path).load()

    assert f"chmod 600 {key}" in str(caught.value.remedy)


def test_refuses_a_key_that_is_too_short(tmp_path: Path) -> None:
    write_private(tmp_path / "keys" / "seal", b"0123\n", replace=True)

    with pytest.raises(NeedsHuman, match="4 bytes"):
        seal(tmp_path).seal(b"x", account="anna")


def test_the_folder_of_sealed_files_opens_nothing_by_itself(tmp_path: Path) -> None:
    vault(tmp_path / "box").save(kept())
    shutil.copytree(tmp_path / "box" / "secrets", tmp_path / "stolen" / "secrets")

    with pytest.raises(NeedsHuman, match="cannot be opened"):
        vault(tmp_path / "stolen").load()


def test_a_key_from_before_is_moved_away_from_what_it_seals(tmp_path: Path) -> None:
    """A home of the version that kept it as `secrets/key`."""
    vault(tmp_path).save(kept())
    (tmp_path / "keys" / "seal").rename(tmp_path / "secrets" / "key")

    assert vault(tmp_path).load() == kept()
    assert vault(tmp_path).load() == kept()

    assert len((tmp_path / "keys" / "seal").read_bytes().strip()) == 64
    assert (tmp_path / "secrets" / "key").read_bytes() == MOVED


def test_what_the_file_s_key_sealed_is_opened_after_a_credential_was_set(tmp_path: Path, monkeypatch) -> None:
    vault(tmp_path).save(kept())
    (tmp_path / "mediabox_key").write_bytes(b"k" * 32)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert vault(tmp_path).load() == kept()

    vault(tmp_path).save(kept())  # from now on the credential alone opens it
    (tmp_path / "keys" / "seal").unlink()

    assert vault(tmp_path).load() == kept()


@pytest.mark.parametrize("name", ["mediabox-key", "mediabox_key"])
def test_the_credential_of_systemd_comes_first(tmp_path: Path, monkeypatch, name: str) -> None:
    """The shipped unit loads a folder: its file `key` is then `mediabox_key` (systemd.exec(5), LoadCredential=)."""
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / name).write_bytes(b"k" * 32)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))

    vault(tmp_path / "home").save(kept())

    assert not (tmp_path / "home" / "keys" / "seal").exists()
    assert vault(tmp_path / "home").load() == kept()


def test_the_first_of_two_processes_makes_the_key(tmp_path: Path) -> None:
    late = seal(tmp_path)
    late._make(tmp_path / "keys" / "seal")
    first = (tmp_path / "keys" / "seal").read_bytes()

    late._make(tmp_path / "keys" / "seal")

    assert (tmp_path / "keys" / "seal").read_bytes() == first
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["seal"]


def test_nothing_of_another_apple_id_is_used(tmp_path: Path) -> None:
    vault(tmp_path).save(kept())

    other = vault(tmp_path, apple_id="ben@example.com").load()

    assert (other.browser, other.password) == (None, None)


def test_of_another_region_only_the_password_is_used(tmp_path: Path) -> None:
    vault(tmp_path).save(kept())

    other = vault(tmp_path, endpoints=CHINA).load()

    assert (other.browser, other.password) == (None, CANARY)


async def test_what_another_process_wrote_is_not_undone(tmp_path: Path) -> None:
    async def ignore(*_: object) -> None: ...

    account = Account(name="anna", apple_id="anna@example.com", endpoints=WORLD)
    standing = Standing(account, vault=vault(tmp_path), clock=Clock(), open_issue=ignore, close_issue=ignore)
    await standing.keep(foretold_days=21)

    vault(tmp_path).save(kept())
    await standing.keep(foretold_days=7)

    assert vault(tmp_path).load() == kept(foretold_days=7)


def test_secrets_do_not_show_in_what_is_printed(tmp_path: Path) -> None:
    assert CANARY not in repr(kept())
    assert CANARY not in repr(kept().browser)
    assert CANARY not in repr(kept().browser.cookies)
