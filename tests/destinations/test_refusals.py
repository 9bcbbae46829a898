"""Whatever goes wrong between us and Syncthing is one of our errors, and says what to do."""

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from destinations.real_syncthing import RealSyncthing
from mediabox.destinations.pixel import connection
from mediabox.destinations.pixel.connection import Connection
from mediabox.destinations.pixel.syncthing import Syncthing
from mediabox.errors import Away, MediaboxError, NeedsHuman, Permanent, Retryable

Answering = Callable[[asyncio.StreamWriter], Awaitable[None]]


def plain(status: str, body: str, kind: str = "text/plain") -> Answering:
    """An answer as Syncthing, or somebody else, gives it."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write((head + body).encode())

    return answer


async def cut_short(writer: asyncio.StreamWriter) -> None:
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"ping": "po')


async def no_http(writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.2p1\r\n")


async def closing(writer: asyncio.StreamWriter) -> None:
    writer.close()


async def endless(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
    for _ in range(40):
        writer.write(b" " * 100_000)
        await writer.drain()


async def silent(writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


@asynccontextmanager
async def served(answer: Answering) -> AsyncIterator[Syncthing]:
    """A client of a server that answers every question so."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await answer(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    client = Syncthing(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "key", name="anna")
    try:
        yield client
    finally:
        await client.close()
        server.close()


PAGE = "<html><body>Router login</body></html>"
KEY = "destination.key"
URL = "destination.url"
FOLDER = "destination.folder"


@pytest.mark.parametrize(
    ("answer", "issue", "says"),
    [
        (plain("401 Unauthorized", "Not Authorized"), KEY, "API key"),
        (plain("403 Forbidden", "CSRF Error"), KEY, "API key"),
        (plain("403 Forbidden", "Host check error"), KEY, "its address with numbers"),
        (plain("404 Not Found", "no such folder"), FOLDER, "mediabox pixel pair anna"),
        (plain("500 Internal Server Error", "no such folder"), FOLDER, "mediabox pixel pair anna"),
        (plain("404 Not Found", "folder is paused"), "destination.paused", "Resume"),
        (plain("404 Not Found", PAGE, "text/html"), URL, "browser"),
        (plain("404 Not Found", "404 page not found"), FOLDER, "mediabox pixel pair anna"),
        (plain("307 Temporary Redirect", ""), URL, "browser"),
        (plain("200 OK", PAGE, "text/html"), URL, "browser"),
        (plain("200 OK", '{"version": 7}', "application/json"), URL, "browser"),
        (plain("200 OK", '{"version": "v1"', "application/json"), URL, "browser"),
        (plain("200 OK", ""), URL, "browser"),
        (plain("200 OK", '{"version": "\xff\xfe'), URL, "browser"),
        (no_http, URL, "browser"),
    ],
)
async def test_what_a_person_has_to_put_right_says_how(answer: Answering, issue: str, says: str) -> None:
    async with served(answer) as client:
        with pytest.raises(NeedsHuman) as caught:
            await client.version()

    assert caught.value.issue == issue
    assert caught.value.subject == "anna"
    assert says in caught.value.remedy


@pytest.mark.parametrize("answer", [cut_short, closing, plain("404 Not Found", "folder is not running")])
async def test_what_is_not_there_is_away(answer: Answering) -> None:
    async with served(answer) as client:
        with pytest.raises(Away) as caught:
            await client.version()

    assert caught.value.part == "destination:anna"
    assert caught.value.remedy


@pytest.mark.parametrize("answer", [plain("500 Internal Server Error", "disk I/O"), plain("503 Unavailable", "")])
async def test_syncthings_own_trouble_is_tried_again(answer: Answering) -> None:
    async with served(answer) as client:
        with pytest.raises(Retryable) as caught:
            await client.version()

    assert type(caught.value) is Retryable
    assert "log" in str(caught.value)


async def test_a_question_syncthing_does_not_understand_is_a_bug_of_ours() -> None:
    async with served(plain("400 Bad Request", "device id: incorrect check digit")) as client:
        with pytest.raises(Permanent, match="check digit"):
            await client.version()


async def test_an_answer_that_never_comes_is_away() -> None:
    async with served(silent) as client:
        with pytest.raises(Away, match=r"no answer within 0 s") as caught:
            await client._connection.tell("POST", "db/scan", within_s=0.05)

    assert "systemctl status syncthing" in caught.value.remedy


async def test_an_answer_without_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MOST_BYTES", 500_000)
    async with served(endless) as client:
        with pytest.raises(NeedsHuman, match="more than 500000 bytes"):
            await client.version()


async def test_nobody_listening_is_away(unused_tcp_port: int) -> None:
    client = Syncthing(f"http://127.0.0.1:{unused_tcp_port}", "key", name="anna")
    with pytest.raises(Away) as caught:
        await client.version()
    await client.close()

    assert caught.value.part == "destination:anna"
    assert "Syncthing runs" in caught.value.remedy


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999", "http://[::1", "ftp://127.0.0.1:1", "http://", "nonsense"])
async def test_an_address_that_is_none_is_the_persons_to_correct(url: str) -> None:
    client = Syncthing(url, "key", name="anna")
    with pytest.raises(NeedsHuman) as caught:
        await client.version()
    await client.close()

    assert caught.value.issue == URL


@pytest.mark.parametrize("key", ["two\nlines", "schlüssel"])
async def test_a_key_that_is_none_is_the_persons_to_correct(key: str) -> None:
    client = Syncthing("http://127.0.0.1:1", key, name="anna")
    with pytest.raises(NeedsHuman) as caught:
        await client.version()
    await client.close()

    assert caught.value.issue == KEY


async def test_a_fingerprint_that_is_none_is_the_persons_to_correct() -> None:
    client = Syncthing("https://127.0.0.1:1", "key", name="anna", fingerprint="no hex")
    with pytest.raises(NeedsHuman):
        await client.version()
    await client.close()


async def test_a_real_one_refuses_a_wrong_key(box: RealSyncthing) -> None:
    client = Syncthing(box.url, "not the key", name="anna")
    with pytest.raises(NeedsHuman) as caught:
        await client.version()
    await client.close()

    assert caught.value.issue == KEY


async def test_a_real_one_says_which_folder_it_does_not_have(client: Syncthing) -> None:
    errors = [
        await error_of(ask) for ask in (client.folder_status("none"), client.scan("none"), client.file("no", "x"))
    ]

    assert [(type(error), getattr(error, "issue", "")) for error in errors] == [(NeedsHuman, FOLDER)] * 3


async def test_a_self_signed_certificate_is_taken_from_this_machine_or_by_its_fingerprint(tmp_path: Path) -> None:
    with RealSyncthing(tmp_path / "tls", name="tls", tls=True) as box:
        here = Syncthing(box.url, box.key, name="anna")
        pem = ssl.get_server_certificate(("127.0.0.1", box.gui_port))
        seen = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
        pinned = Syncthing(box.url, box.key, name="anna", fingerprint=seen)
        other = Syncthing(box.url, box.key, name="anna", fingerprint="00" * 32)

        await here.version()
        await pinned.version()
        with pytest.raises(NeedsHuman, match="certificate") as caught:
            await other.version()
        for client in (here, pinned, other):
            await client.close()

    assert caught.value.issue == URL


async def test_a_self_signed_certificate_is_refused_elsewhere(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(connection, "LOOPBACK", ())
    with RealSyncthing(tmp_path / "tls", name="tls", tls=True) as box:
        client = Syncthing(box.url, box.key, name="anna")
        with pytest.raises(NeedsHuman, match="certificate"):
            await client.version()
        await client.close()


async def test_a_socket_in_the_file_system_will_do(tmp_path: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        good = b"X-API-Key: key" in asked and asked.startswith(b"GET /rest/system/ping")
        await plain("200 OK", '{"ping": "pong"}' if good else "")(writer)
        writer.close()

    server = await asyncio.start_unix_server(serve, tmp_path / "sock")
    client = Connection(f"unix://{tmp_path / 'sock'}", "key", name="anna")

    assert await client.ask(dict, "system/ping") == {"ping": "pong"}
    await client.close()
    server.close()


async def error_of(ask: Awaitable[object]) -> MediaboxError | None:
    try:
        await ask
    except MediaboxError as error:
        return error
    return None
