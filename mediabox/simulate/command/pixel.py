"""`mediabox simulate pixel [DIR]`: a Pixel with a real Syncthing, to try the whole way to Google Photos without one."""

from __future__ import annotations

import asyncio
import contextlib
import io
import signal
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from mediabox.cli import exits
from mediabox.cli.home import default_home
from mediabox.cli.words import count_words, plain
from mediabox.clock import Clock
from mediabox.errors import Fatal, Permanent, Retryable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from mediabox.simulate.pixel.control import Control
    from mediabox.simulate.pixel.orders import Done, Order, Timed
    from mediabox.simulate.pixel.phone import Phone
    from mediabox.simulate.pixel.routine import Auto

_DEFAULT_PORT = 22_000  # Syncthing's
_BOX = "box"


class BoxSyncthing(msgspec.Struct, frozen=True, kw_only=True):
    """The box's side: whose REST interface a mediabox is to use."""

    url: str
    key: str
    device_id: str


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What others have to know of a phone that is running; with `--json`, the first line."""

    model: str
    device_id: str
    address: str
    control: str
    folder: str  # where its storage is
    box: BoxSyncthing | None = None


def add_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("folder", nargs="?", metavar="DIR", help="where it keeps everything (in the home folder)")
    models = ("pixel", "pixel_2", "pixel_3", "pixel_4", "pixel_5", "later")
    verb.add_argument("--model", choices=models, default="pixel", help="its generation (pixel, of 2016)")
    verb.add_argument("--storage", default="32GB", metavar="SIZE", help="of the phone (32GB)")
    verb.add_argument("--free", metavar="SIZE", help="what other apps leave of it (all)")
    verb.add_argument("--line", default="2MB", metavar="SIZE", help="backed up in a second (2MB)")
    verb.add_argument("--only-charging", action="store_true", help="back up only on the cable")
    verb.add_argument("--keep-days", type=float, default=0.0, metavar="N", help="free up spares what is younger (0)")
    verb.add_argument("--stalled", action="store_true", help="its media scanner finds nothing by itself (Android 14)")
    verb.add_argument("--box", action="store_true", help="run a Syncthing for the box, too")
    verb.add_argument("--box-url", metavar="URL", help="of the box's Syncthing (http://127.0.0.1:8384)")
    verb.add_argument("--box-key", metavar="KEY", help="its API key")
    verb.add_argument("--auto", action="store_true", help="its owner taps Free up space now and then")
    verb.add_argument("--free-up-every", type=float, default=60.0, metavar="S", help="with --auto: phone seconds (60)")
    verb.add_argument("--sleep-every", type=float, default=0.0, metavar="S", help="with --auto: doze in between")
    verb.add_argument("--script", metavar="FILE", help="lines AFTER_SECONDS ORDER [FIELD=VALUE ...]")
    verb.add_argument("--speed", type=float, default=1.0, metavar="N", help="phone seconds in one of ours (1)")
    verb.add_argument("--port", type=int, default=0, metavar="N", help="for orders, on this machine (any)")
    verb.add_argument("--json", action="store_true", help="for programs")


def run(arguments: argparse.Namespace) -> int:
    """Live until interrupted. Raises Permanent for what was said wrong, Fatal when Syncthing or the port fails."""
    from mediabox.simulate.pixel.syncthing_process import PACKAGE, is_installed

    if not is_installed():
        message = f"the simulated phone runs a real Syncthing, which is not installed: sudo apt install {PACKAGE}"
        raise Permanent(message)
    script = _script(arguments.script)
    phone = _phone(arguments)
    asyncio.run(_live(phone, arguments, script=script))
    return exits.OK


def _phone(arguments: argparse.Namespace) -> Phone:
    from mediabox.simulate.pixel.generation import Model
    from mediabox.simulate.pixel.phone import Habits, Phone
    from mediabox.simulate.pixel.storage import Storage

    storage = Storage(size_bytes=_size("--storage", arguments.storage))
    if arguments.free is not None:
        storage.fill(_size("--free", arguments.free), roll_bytes=0)
    habits = Habits(
        backup_bytes_s=_size("--line", arguments.line),
        only_charging=arguments.only_charging,
        free_up_min_age_days=arguments.keep_days,
    )
    try:
        phone = Phone(_folder(arguments), model=Model(arguments.model), storage=storage, habits=habits)
    except OSError as err:
        raise Fatal(f"{_folder(arguments)} cannot be the phone's folder: {err}") from err
    phone.media_store.is_stalled = arguments.stalled
    phone.battery.is_charging = True
    return phone


def _size(option: str, text: str) -> int:
    try:
        return bytes_of(text)
    except ValueError as err:
        message = f"{option} {text}: a size such as 32GB or 500MB is needed"
        raise Permanent(message) from err


def bytes_of(text: str) -> int:
    """'1.2 GB' -> 1,200,000,000. Raises ValueError."""
    number = text.strip().upper().removesuffix("B").strip()
    factor = {"K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}.get(number[-1:], 1)
    size = round(float(number[:-1] if factor > 1 else number) * factor)
    if size < 0:
        raise ValueError(text)
    return size


def _folder(arguments: argparse.Namespace) -> Path:
    if arguments.folder:
        return Path(arguments.folder).expanduser().absolute()
    return (Path(arguments.home).expanduser().absolute() if arguments.home else default_home()) / "simulated-pixel"


def _script(path: str | None) -> Sequence[Timed]:
    from mediabox.simulate.pixel import orders

    if path is None:
        return ()
    try:
        return orders.script(Path(path).expanduser().read_text(encoding="utf-8"))
    except (OSError, ValueError) as err:
        message = f"--script {path}: {err}"
        raise Permanent(message) from err


def _auto(arguments: argparse.Namespace) -> Auto | None:
    from mediabox.simulate.pixel.routine import Auto

    if not arguments.auto:
        return None
    return Auto(free_up_every_s=arguments.free_up_every, sleep_every_s=arguments.sleep_every)


async def _live(phone: Phone, arguments: argparse.Namespace, *, script: Sequence[Timed]) -> None:
    from mediabox.simulate.pixel.routine import Routine

    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(phone)
        box = await _box(phone, arguments, stack)
        control = await _control(phone, arguments.port, stack)
        facts = _facts(phone, control, box)
        print(msgspec.json.encode(facts).decode() if arguments.json else _introduction(facts), flush=True)
        tell = None if arguments.json else _tell
        routine = Routine(phone, Clock(), speed=arguments.speed, script=script, auto=_auto(arguments), tell=tell)
        await routine.run(ended)


async def _control(phone: Phone, port: int, stack: contextlib.AsyncExitStack) -> Control:
    from mediabox.simulate.pixel.control import Control

    try:
        return await stack.enter_async_context(Control(phone, port=port))
    except OSError as err:
        raise Fatal(f"cannot listen on port {port}: {err}; name another --port") from err


async def _box(phone: Phone, arguments: argparse.Namespace, stack: contextlib.AsyncExitStack) -> BoxSyncthing | None:
    """Introduce the phone to the box's Syncthing: one of its own, or the one named."""
    from mediabox.simulate.pixel.syncthing_process import RealSyncthing

    if arguments.box:
        own = await stack.enter_async_context(RealSyncthing(_folder(arguments) / _BOX, name=_BOX))
        await phone.know(own.device_id, address=own.address, name=_BOX)
        return BoxSyncthing(url=own.url, key=own.key, device_id=own.device_id)
    if arguments.box_url:
        return await _meet(phone, arguments.box_url.rstrip("/"), arguments.box_key or "")
    return None


async def _meet(phone: Phone, url: str, key: str) -> BoxSyncthing:
    from mediabox.simulate.pixel.rest import Rest

    async with Rest(url, key) as rest:
        try:
            device_id = (await rest.get("/rest/system/status"))["myID"]
            listens = (await rest.get("/rest/config/options"))["listenAddresses"]
        except Retryable as err:
            message = f"{err}; is --box-url right, and --box-key its API key?"
            raise Fatal(message) from err
    await phone.know(device_id, address=_reached(url, listens), name=_BOX)
    return BoxSyncthing(url=url, key=key, device_id=device_id)


def _reached(url: str, listens: Sequence[str]) -> str:
    """Where the box's Syncthing takes peers' calls: its REST interface's host, and the port it listens on."""
    host = urlsplit(url).hostname or "127.0.0.1"
    ports = [urlsplit(each).port for each in listens if each.startswith("tcp")]
    return f"tcp://{host}:{next((port for port in ports if port), _DEFAULT_PORT)}"


def _facts(phone: Phone, control: Control, box: BoxSyncthing | None) -> Facts:
    return Facts(
        model=phone.model.value,
        device_id=phone.syncthing.device_id,
        address=phone.syncthing.address,
        control=control.url,
        folder=str(phone.roll.root),
        box=box,
    )


def _tell(order: Order, done: Done) -> None:
    if done.files:
        print(plain(f"{type(order).__name__}: {count_words(done.files, 'file')}"), flush=True)


def _introduction(facts: Facts) -> str:
    shown = f"""
The phone is on ({facts.model}). Its pictures are in {facts.folder}.
  Device id  {facts.device_id}
  Address    {facts.address}
  Orders     {facts.control} (mediabox/simulate/pixel/control.py), e.g. curl -X POST {facts.control}/free-up
{_code(facts.device_id)}"""
    if facts.box is None:
        return f"{shown}\nIt knows no box yet: start it with --box, or with --box-url and --box-key. Ctrl-C ends it.\n"
    return f"""{shown}
It calls the box's Syncthing, {facts.box.device_id}. In mediabox.toml:

[destinations.phone]
type = "pixel"
model = "{facts.model}"
url = "{facts.box.url}"
key = "{facts.box.key}"
device = "{facts.device_id}"

Then: mediabox pixel pair phone --device {facts.device_id}
It accepts the folder by itself. Ctrl-C ends it.
"""


def _code(device_id: str) -> str:
    """The device id as a phone's camera reads it, where the library for it is installed."""
    try:
        import segno
    except ImportError:
        return ""
    drawn = io.StringIO()
    segno.make(device_id).terminal(out=drawn, compact=True)
    return drawn.getvalue()
