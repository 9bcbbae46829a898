"""A certificate proves what it says, to a stranger's script too, and nothing else passes for one."""

import json
import os
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from core.release_world import EASY, STRICT, World, film, signer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mediabox.cli import verify_certificate as script
from mediabox.cli.verify_certificate import Refused
from mediabox.core.delivering.returned import Match, Returned, ReturnedFile, keep
from mediabox.core.signer import PUBLIC_KEY_FILE, Signer
from mediabox.durable.private import write_private
from mediabox.model.certificate import Certificate, CopyProof, Policy, ResourceProof, Signed, canonical, shortfalls
from mediabox.model.ledger import Evidence
from mediabox.simulate.icloud.blob import of_bytes
from mediabox.simulate.icloud.simulator import Simulator
from mediabox.sources.icloud.seal import Seal
from mediabox.store import assets, journal

DAY_MS, HOUR_MS = 86_400_000, 3_600_000
NOW_MS = 1_790_000_000_000
ALTERED = 1_000


@pytest.fixture
async def world(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with Simulator(tmp_path_factory.mktemp("icloud")) as icloud:
        icloud.add_account("anna@example.com", "secret")
        async with World(tmp_path, icloud, settings=STRICT) as world:
            world.add_volume("second")
            yield world


@pytest.fixture
async def certificate(world: World) -> bytes:
    """Of a Live Photo with copies on two disks, as the daemon made it."""
    world.add(1, live=of_bytes(film(1)))
    await world.list_all()
    await world.archive()
    world.order()
    await world.work()
    return world.certificate()


def read(content: bytes, *, now_ms: int | None = None) -> dict[str, Any]:
    given = json.loads(content)["certificate"]
    return script.read(content, key=signer().public_key, now_ms=given["issued_at_ms"] if now_ms is None else now_ms)


# ---------------------------------------------------------------- true ones


async def test_the_daemons_certificate_is_accepted(certificate: bytes, world: World) -> None:
    found = read(certificate)

    assert [each["remote_id"].rpartition("/")[2] for each in found["resources"]] == ["original", "live"]
    folders = {uuid: str(volume.root) for uuid, volume in world.volumes.items()}
    assert script.check_bytes(found, folders) == 4
    assert canonical(msgspec.json.decode(certificate, type=Signed)) == certificate


async def test_a_stranger_can_check_it_with_the_script_alone(certificate: bytes, world: World, tmp_path: Path) -> None:
    (volume,) = [each for each in world.volumes.values() if each.name == "second"]
    check = stranger(tmp_path / "elsewhere", certificate, f"{volume.identity.uuid}={volume.root}")

    good = check()
    next(volume.root.glob("2024/*.MOV")).write_bytes(film(2))
    bad = check()

    assert (good.returncode, bad.returncode) == (0, 1), good.stderr
    assert "Copies read now: 2." in good.stdout
    assert "is not the file" in bad.stderr


def stranger(folder: Path, certificate: bytes, volume: str) -> Callable[[], subprocess.CompletedProcess[str]]:
    """Somebody with the script, the key and the certificate, and nothing else of ours."""
    content = Path(script.__file__).read_text()
    assert content.count("\n") <= 200
    folder.mkdir()
    (folder / "check.py").write_text(content)
    (folder / "key").write_text(signer().public_key)
    (folder / "certificate").write_bytes(certificate + b"\n")
    argv = [sys.executable, "-I", "check.py", "certificate", "--key", "key", "--volume", volume]
    return lambda: subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("seed", range(50))
def test_every_true_certificate_is_accepted(seed: int) -> None:
    dice = random.Random(seed)
    signed = signer().sign(made_up(dice))

    assert read(canonical(signed))["remote_id"] == signed.certificate.remote_id


async def test_it_expires_after_a_day_and_is_not_valid_before(certificate: bytes) -> None:
    issued_ms = json.loads(certificate)["certificate"]["issued_at_ms"]

    assert read(certificate, now_ms=issued_ms + DAY_MS)
    for wrong_ms in (issued_ms - 1, issued_ms + DAY_MS + 1):
        with pytest.raises(Refused, match="expired"):
            read(certificate, now_ms=wrong_ms)


# ---------------------------------------------------------------- altered ones


def test_a_thousand_altered_ones_are_refused() -> None:
    dice = random.Random(20261122)
    refused = 0
    for content, now_ms in altered(dice):
        with pytest.raises(Refused):
            script.read(content, key=signer().public_key, now_ms=now_ms)
        refused += 1
    assert refused >= ALTERED


def altered(dice: random.Random) -> Iterator[tuple[bytes, int]]:
    """Every field of a certificate, its form, its length, and the signature's bits."""
    good = signer().sign(made_up(dice))
    content, now_ms = canonical(good), good.certificate.issued_at_ms
    for position in range(0, len(content), 11):
        yield content[:position], now_ms
    for position in dice.sample(range(len(content)), 300):
        flipped = content[position] ^ (1 << dice.randrange(8))
        yield content[:position] + bytes([flipped]) + content[position + 1 :], now_ms
    plain = json.loads(content)
    for path in paths(plain):
        for change in (_other, _of_other_type, _absent, _doubled):
            yield change(plain, path), now_ms
    for position in range(128):
        digits = plain["signature"]
        digit = f"{int(digits[position], 16) ^ 1 << dice.randrange(4):x}"
        yield _with(plain, ("signature",), digits[:position] + digit + digits[position + 1 :]), now_ms
    for otherwise in (
        plain["signature"].upper(),
        f" {plain['signature']}",
        plain["signature"][:64] + " " + plain["signature"][64:],
    ):
        yield _with(plain, ("signature",), otherwise), now_ms
    yield json.dumps(plain).encode(), now_ms  # the same, written another way
    yield json.dumps(plain, sort_keys=True, indent=1).encode(), now_ms
    yield content.replace(b'"format":', b'"format":"x","format":'), now_ms


def paths(value: Any, here: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    match value:
        case dict():
            below = value.items()
        case list():
            below = enumerate(value)
        case _:
            below = ()
    for name, inner in below:
        yield (*here, name)
        yield from paths(inner, (*here, name))


def _at(plain: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        plain = plain[step]
    return plain


def _changed(plain: Any, path: tuple[str | int, ...], change: Callable[[Any, str | int], None]) -> bytes:
    twin = json.loads(json.dumps(plain))
    change(_at(twin, path[:-1]), path[-1])
    return script.canonical(twin)


def _with(plain: Any, path: tuple[str | int, ...], value: Any) -> bytes:
    return _changed(plain, path, lambda holder, name: holder.__setitem__(name, value))


def _other(plain: Any, path: tuple[str | int, ...]) -> bytes:
    now = _at(plain, path)
    match now:
        case int():
            return _with(plain, path, now + 1)
        case str():
            return _with(plain, path, now[:-1] + ("0" if now[-1:] != "0" else "1"))
        case _:
            return _with(plain, path, [])


def _of_other_type(plain: Any, path: tuple[str | int, ...]) -> bytes:
    now = _at(plain, path)
    return _with(plain, path, None if isinstance(now, str) else str(now))


def _absent(plain: Any, path: tuple[str | int, ...]) -> bytes:
    return _changed(plain, path, lambda holder, name: holder.pop(name))


def _doubled(plain: Any, path: tuple[str | int, ...]) -> bytes:
    """One more: of a list's elements, or a key nobody knows."""

    def change(holder: Any, name: str | int) -> None:
        if isinstance(holder, list):
            holder.append(holder[name])  # type: ignore[index]
        else:
            holder[f"{name}2"] = holder[name]

    return _changed(plain, path, change)


def test_another_boxs_certificate_is_refused(tmp_path: Path) -> None:
    stranger = Signer.of_home(tmp_path, Seal(tmp_path, write=write_private), write=write_private)
    forged = stranger.sign(made_up(random.Random(1), key=stranger.public_key))

    with pytest.raises(Refused, match="key"):
        read(canonical(forged))


@pytest.mark.parametrize(
    "worse",
    [
        {"copies": ()},
        {"evidence": Evidence.SENT},
        {"evidence": Evidence.PEER},
        {"evidence": Evidence.VERIFIED},  # all of them: none was read again by us
        {"proved_at_ms": NOW_MS - 46 * DAY_MS},
        {"proved_at_ms": NOW_MS - 25 * HOUR_MS},
        {"proved_at_ms": NOW_MS + 1},
        {"written_at_ms": NOW_MS - 5 * HOUR_MS},
        {"domain": "the same disk"},
        {"volume": "one", "locator": "the same place"},
        {"archived_at_ms": NOW_MS - 29 * DAY_MS},
    ],
)
def test_a_signed_certificate_that_breaks_its_policy_is_refused_by_both(worse: dict[str, Any]) -> None:
    good = made_up(random.Random(2))
    bad = msgspec.structs.replace(good, resources=(_worsened(good.resources[0], worse), *good.resources[1:]))

    with pytest.raises(Refused):
        read(canonical(signer().sign(bad)))
    if "locator" not in worse:  # a catalogue has one copy of a file on each volume
        assert shortfalls(good.policy, bad.resources[0], now_ms=NOW_MS)
    assert not shortfalls(good.policy, good.resources[0], now_ms=NOW_MS)


def _worsened(resource: ResourceProof, worse: dict[str, Any]) -> ResourceProof:
    if worse.keys() <= set(ResourceProof.__struct_fields__):
        return msgspec.structs.replace(resource, **worse)
    return msgspec.structs.replace(
        resource, copies=tuple(msgspec.structs.replace(copy, **worse) for copy in resource.copies)
    )


# ---------------------------------------------------------------- the key


def test_the_key_is_made_once_and_rests_sealed(tmp_path: Path) -> None:
    def signer_of() -> Signer:
        return Signer.of_home(tmp_path, Seal(tmp_path, write=write_private), write=write_private)

    first, second = signer_of(), signer_of()

    assert first.public_key == second.public_key == (tmp_path / PUBLIC_KEY_FILE).read_text().strip()
    kept = tmp_path / "secrets" / "release-key"
    assert first._key.private_bytes_raw() not in kept.read_bytes()
    assert kept.stat().st_mode & 0o077 == 0


def test_everybody_may_read_the_public_key_whatever_the_umask(tmp_path: Path) -> None:
    old = os.umask(0o077)
    try:
        Signer.of_home(tmp_path, Seal(tmp_path, write=write_private), write=write_private)
    finally:
        os.umask(old)

    assert (tmp_path / PUBLIC_KEY_FILE).stat().st_mode & 0o777 == 0o644


def test_one_copy_is_enough_only_where_the_owner_says_so() -> None:
    good = made_up(random.Random(3), policy=Policy(copies=EASY.copies, domains=EASY.domains))
    single = msgspec.structs.replace(good.resources[0], copies=good.resources[0].copies[:1])

    assert not shortfalls(good.policy, single, now_ms=NOW_MS)
    assert shortfalls(Policy(), single, now_ms=NOW_MS)


# ---------------------------------------------------------------- what has left a phone


def with_left(dice: random.Random, *, policy: Policy | None = None) -> Certificate:
    """Each file once in the archive, and once gone from a phone: as certificates of before December 2026 counted it."""
    made = made_up(dice, policy=policy)
    resources = tuple(
        msgspec.structs.replace(
            one,
            copies=(
                one.copies[0],
                CopyProof(
                    volume="pixel",
                    domain="pixel",
                    locator=f"IMG_{dice.getrandbits(32):08x}.MP.HEIC",
                    evidence=Evidence.FREED,
                    proved_at_ms=NOW_MS - dice.randrange(40 * DAY_MS),
                    written_at_ms=NOW_MS - 41 * DAY_MS,
                    journal_seq=dice.randrange(1, 10**6),
                ),
            ),
        )
        for one in made.resources
    )
    return msgspec.structs.replace(made, resources=resources)


def older(made: Certificate, *, freed_counts: object) -> bytes:
    """As it was written and signed while the owner could have such copies count."""
    plain = msgspec.to_builtins(made)
    plain["policy"]["freed_counts"] = freed_counts
    body = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    signature = Ed25519PrivateKey.from_private_bytes(signer()._key.private_bytes_raw()).sign(body).hex()
    return canonical_of({"certificate": plain, "signature": signature})


def canonical_of(plain: dict[str, Any]) -> bytes:
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def read_at(content: bytes) -> dict[str, Any]:
    return script.read(content, key=signer().public_key, now_ms=NOW_MS)


@pytest.mark.parametrize("policy", [Policy(), Policy(copies=1), Policy(domains=1)])
def test_what_has_left_a_phone_is_no_copy(policy: Policy) -> None:
    made = with_left(random.Random(3), policy=policy)

    with pytest.raises(Refused, match="fewer"):
        read_at(canonical(signer().sign(made)))
    assert all(shortfalls(policy, one, now_ms=NOW_MS) for one in made.resources)


@pytest.mark.parametrize("freed_counts", [False, True])
def test_an_older_certificate_is_still_read_and_what_left_a_phone_counts_nowhere_in_it(freed_counts: bool) -> None:
    two = Policy(copies=2, domains=2)

    whole = read_at(older(made_up(random.Random(7), policy=two), freed_counts=freed_counts))

    assert whole["policy"]["freed_counts"] is freed_counts
    with pytest.raises(Refused, match="fewer"):
        read_at(older(with_left(random.Random(7), policy=two), freed_counts=freed_counts))


def test_a_certificate_of_a_later_version_says_which_script_it_needs() -> None:
    """Whatever else it has that this one does not know, and before anything else is said of it."""
    later = json.loads(canonical(signer().sign(made_up(random.Random(7)))))
    later["certificate"] |= {"format": "mediabox-release-3", "witnesses": []}

    with pytest.raises(Refused, match=r"needs version 3 of verify_certificate.py, .* copy it anew"):
        read_at(script.canonical(later))


@pytest.mark.parametrize("form", ["mediabox-release-", "mediabox-release-0", "mediabox-release--1", "other-2", 2, None])
def test_what_is_of_no_format_is_refused(form: object) -> None:
    plain = json.loads(canonical(signer().sign(made_up(random.Random(7)))))

    with pytest.raises(Refused):
        read_at(_with(plain, ("certificate", "format"), form))


def test_a_certificate_of_the_first_format_is_still_read() -> None:
    first = msgspec.structs.replace(made_up(random.Random(7)), format="mediabox-release-1")

    assert read_at(canonical(signer().sign(first)))["format"] == "mediabox-release-1"


@pytest.mark.parametrize("value", [1, "true", None])
def test_the_older_key_is_held_to_its_type_and_place(value: object) -> None:
    with pytest.raises(Refused, match="freed_counts"):
        read_at(older(made_up(random.Random(7)), freed_counts=value))

    plain = json.loads(canonical(signer().sign(made_up(random.Random(8)))))
    with pytest.raises(Refused, match="exactly the keys"):
        read_at(_with(plain, ("certificate", "chain", "freed_counts"), True))


@pytest.mark.parametrize("seed", range(5))
def test_what_google_photos_gave_back_is_a_second_copy_and_ages(seed: int) -> None:
    made = returned(with_left(random.Random(seed), policy=Policy()), age_ms=40 * DAY_MS)

    assert read_at(canonical(signer().sign(made)))["remote_id"] == made.remote_id
    assert not [reason for one in made.resources for reason in shortfalls(made.policy, one, now_ms=NOW_MS)]
    old = returned(made, age_ms=46 * DAY_MS)
    with pytest.raises(Refused, match="fewer"):
        read_at(canonical(signer().sign(old)))
    assert all(shortfalls(old.policy, one, now_ms=NOW_MS) for one in old.resources)


def test_what_google_photos_gave_back_alone_frees_nothing() -> None:
    """One copy at least is on a disk of the owner and read again there."""
    made = returned(with_left(random.Random(5), policy=Policy(copies=1, domains=1)), age_ms=DAY_MS // 2)
    alone = tuple(msgspec.structs.replace(one, copies=one.copies[1:]) for one in made.resources)
    made = msgspec.structs.replace(made, resources=alone)

    with pytest.raises(Refused, match="read again"):
        read_at(canonical(signer().sign(made)))
    assert all(shortfalls(made.policy, one, now_ms=NOW_MS) for one in made.resources)


def returned(made: Certificate, *, age_ms: int) -> Certificate:
    """The second copy of each file is what the owner downloaded so long ago."""
    resources = []
    for one in made.resources:
        first, second = one.copies
        second = msgspec.structs.replace(
            second,
            volume="google-photos/anna",
            domain="google-photos/anna",
            evidence=Evidence.REREAD,
            proved_at_ms=NOW_MS - age_ms,
            written_at_ms=NOW_MS - age_ms - DAY_MS,
        )
        resources.append(msgspec.structs.replace(one, copies=(first, second)))
    return msgspec.structs.replace(made, resources=tuple(resources))


async def test_nothing_is_safe_by_what_left_a_phone(tmp_path: Path, tmp_path_factory) -> None:
    """Nor by what an older catalogue has of it as a copy that is present."""
    async with Simulator(tmp_path_factory.mktemp("icloud")) as icloud:
        icloud.add_account("anna@example.com", "secret")
        async with World(tmp_path, icloud, settings=STRICT) as world:
            world.add(1, live=of_bytes(film(1)))
            await world.list_all()
            await world.archive()
            await world.write(lambda connection: _left_a_phone(connection, world))
            (assessment,) = await world.database.read(world.assessed)

    assert not assessment.is_safe
    assert any("1 of 2 proved copies" in one for one in assessment.obstacles)


async def test_what_google_photos_gave_back_makes_a_photo_safe_beside_the_archive(
    tmp_path: Path, tmp_path_factory
) -> None:
    async with Simulator(tmp_path_factory.mktemp("icloud")) as icloud:
        icloud.add_account("anna@example.com", "secret")
        async with World(tmp_path, icloud, settings=STRICT) as world:
            world.add(1, live=of_bytes(film(1)))
            await world.list_all()
            await world.archive()
            await world.write(lambda connection: _gave_back(connection, world))
            world.order()
            await world.work()
            certificate = read(world.certificate())

    places = [[copy["volume"] for copy in one["copies"]] for one in certificate["resources"]]
    assert all(len(one) == 2 and "google-photos/anna" in one for one in places)


def _gave_back(connection, world: World) -> None:
    for (resource_id,) in connection.execute("SELECT id FROM resource WHERE state = 'archived'").fetchall():
        resource = assets.resource(connection, resource_id)
        day_ago_ms = world.clock.wall_ms() - DAY_MS
        file = ReturnedFile(
            path=resource.name, digest=resource.digest, size_bytes=resource.size_bytes, here_since_ms=day_ago_ms
        )
        keep(connection, "anna", Returned(file=file, resource_id=resource_id, match=Match.BYTES), now_ms=day_ago_ms)


def _left_a_phone(connection, world: World) -> None:
    """As catalogues of before have it from a week ago, the still and its clip."""
    week_ago_ms = world.clock.wall_ms() - 7 * DAY_MS
    for (resource_id,) in connection.execute("SELECT id FROM resource WHERE state = 'archived'").fetchall():
        resource = assets.resource(connection, resource_id)
        world.put_copy(
            connection,
            resource_id,
            "pixel",
            path="IMG_0001_3f9a21c0.MP.JPG",
            digest=resource.digest,
            size_bytes=resource.size_bytes,
            evidence=Evidence.FREED,
            proved_at_ms=week_ago_ms,
        )
        for event in ("delivery_stored", "delivery_freed"):
            journal.append(
                connection, event, at_ms=week_ago_ms, resource_id=resource_id, volume="pixel", name="IMG_0001.JPG"
            )


def made_up(dice: random.Random, *, policy: Policy | None = None, key: str | None = None) -> Certificate:
    """A true one."""
    return msgspec.convert(
        {
            "source": dice.choice(["cloud", "Фото", 'anna\'s "iCloud"']),
            "remote_id": f"PrimarySync/{dice.getrandbits(64):x}",
            "change_tag": f"{dice.getrandbits(20):x}",
            "issued_at_ms": NOW_MS,
            "expires_at_ms": NOW_MS + DAY_MS,
            "policy": msgspec.to_builtins(policy or Policy()),
            "resources": [_resource(dice, word) for word in ("original", "live")[: dice.randint(1, 2)]],
            "chain": {"seq": dice.randrange(1, 10**6), "sha256": dice.randbytes(32).hex()},
            "public_key": key or signer().public_key,
        },
        Certificate,
    )


def _resource(dice: random.Random, word: str) -> dict[str, Any]:
    return {
        "remote_id": f"PrimarySync/x/{word}",
        "version": f"AY{dice.getrandbits(64):x}-10",
        "sha256": dice.randbytes(32).hex(),
        "size_bytes": dice.randrange(1, 10**10),
        "archived_at_ms": NOW_MS - 40 * DAY_MS,
        "copies": [msgspec.to_builtins(_copy(dice, number)) for number in range(dice.randint(2, 4))],
    }


def _copy(dice: random.Random, number: int) -> CopyProof:
    return CopyProof(
        volume=f"{number}-{dice.getrandbits(64):x}",
        domain=f"disk {number}",
        locator=f"2024/Île {number}.jpg",
        evidence=Evidence.REREAD if number == 0 else dice.choice([Evidence.REREAD, Evidence.VERIFIED]),
        proved_at_ms=NOW_MS - dice.randrange(20 * HOUR_MS),
        written_at_ms=NOW_MS - 40 * DAY_MS,
        journal_seq=dice.randrange(1, 10**6),
    )
