"""The command line. Thin: parses, then imports the one verb asked for."""

from __future__ import annotations

import argparse
import importlib
import os
import re
import sys
from typing import TYPE_CHECKING

from mediabox.cli import exits
from mediabox.errors import Away, MediaboxError
from mediabox.message import message
from mediabox.messages.reader import in_words, reading_in, terminal_language, tr
from mediabox.model.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

HIDDEN_FROM_OTHERS = 0o027  # a catalogue tells where a family was and who with; systemd's UMask= says the same
_NEGATION = re.compile(r"^-(?=[^\W\d_]{2,}[:=<>])")  # `find -is:hidden`: no option of ours has such a sign in it


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command in the terminal's language; its exit code."""
    with reading_in(terminal_language()):
        return _run(sys.argv[1:] if arguments is None else arguments)


def _run(words: Sequence[str]) -> int:
    given = _parser().parse_args([_NEGATION.sub("NOT ", word) if words[0] == "find" else word for word in words])
    os.umask(os.umask(0) | HIDDEN_FROM_OTHERS)
    verb = importlib.import_module(f"mediabox.cli.{given.module}")
    try:
        code = int(verb.run(given))
        sys.stdout.flush()
        return code
    except MediaboxError as error:
        _explain(error)
        return exits.of(error)
    except BrokenPipeError:  # `mediabox status | head`
        _mute()
        return exits.OK
    except OSError as error:  # a full disk behind `>`, a folder that cannot be read
        _mute()
        print(f"mediabox: {error}", file=sys.stderr)
        return exits.PROBLEM
    except KeyboardInterrupt:
        return 130  # as a shell reports SIGINT


def _mute() -> None:
    """Nobody reads standard output any more: what is left in its buffer goes nowhere, without a word at the exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _explain(error: MediaboxError) -> None:
    print(f"mediabox: {in_words(error.text)}", file=sys.stderr)
    remedy = getattr(error, "remedy", "")
    if isinstance(error, Away) and not remedy:
        remedy = message("Reconnect or mount it. Nothing is lost; work resumes when it is back.")
    if remedy:
        print(tr("  What to do: {remedy}", remedy=remedy), file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mediabox", description=tr("Pulls photos and videos in, and proves every copy."), epilog=_exit_codes()
    )
    parser.add_argument("--version", action="version", version=f"mediabox {VERSION}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="COMMAND")

    _add_run(verbs)
    _add_archive(verbs)
    _add_control(verbs)
    _add_release(verbs)
    doctor = _with_json(_verb(verbs, "doctor", tr("check the box and suggest fixes")))
    doctor.add_argument(
        "--mend-marker", action="store_true", help=tr("recreate the archive's lost marker, if its files prove it")
    )
    _add_config(verbs)
    _with_json(_verb(verbs, "pipeline", tr("list the processing steps in order")))
    _add_auth(verbs)
    _add_pixel(verbs)
    _add_simulate(verbs)
    return parser


def _add_run(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    run = _verb(verbs, "run", tr("start mediabox: watch the sources and archive new photos"))
    run.add_argument("--once", action="store_true", help=tr("exit when everything available has been archived"))
    run.add_argument(
        "--pictures",
        action="append",
        default=[],
        metavar="DIR",
        help=tr("also take in this folder"),
    )
    run.add_argument(
        "--simulated-pixel", action="store_true", help=tr("deliver to a simulated phone (`mediabox simulate pixel`)")
    )
    run.add_argument("--quiet", action="store_true", help=tr("show no progress"))

    _with_json(_verb(verbs, "status", tr("show the state of the box")))
    left = _verb(verbs, "left", tr("list every file in the folders that is not taken in, and why"))
    left.add_argument(
        "what", nargs="?", metavar="SOURCE|DIR", help=tr("one source or any folder (default: all folder sources)")
    )
    where = _with_json(_verb(verbs, "where", tr("show where a photo is, and its history")))
    where.add_argument(
        "what",
        metavar="NAME|ID|SHA256",
        help=tr("a file name, archive path, ID, SHA-256 (8 digits are enough), or the path of any file"),
    )

    find = _with_json(_verb(verbs, "find", tr("search photos and videos")))
    find.add_argument(
        "query", nargs="*", metavar="QUERY", help=tr("words, or fields: person:Anna year:2024 -is:hidden size>10MB")
    )
    find.add_argument("--fields", action="store_true", help=tr("list the fields to search by"))
    find.add_argument(
        "--limit", type=int, default=50, metavar="N", help=tr("results per page (default 50, at most 1000)")
    )
    find.add_argument("--after", metavar="MARK", help=tr("continue after this mark, printed at the end of a page"))


def _add_archive(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    verify = _with_json(_verb(verbs, "verify", tr("re-read the whole archive and compare checksums")))
    verify.add_argument("--sample", metavar="PERCENT", default="100%", help=tr("read only about this share (1%%)"))
    rebuild = _with_json(_verb(verbs, "rebuild", tr("recreate the catalogue from the archive alone")))
    rebuild.add_argument("--archive", metavar="DIR", help=tr("the archive, if the configuration does not name it"))

    adopt = _with_json(_verb(verbs, "adopt", tr("use the files of an older backup instead of downloading them again")))
    adopt.add_argument(
        "folder", nargs="?", metavar="DIR", help=tr("made by icloudpd, kei, osxphotos or by hand; it is only read")
    )
    adopt.add_argument("--source", metavar="NAME", help=tr("only for this account (default: all remote sources)"))
    adopt.add_argument("--prove", action="store_true", help=tr("compare the adopted files with iCloud's checksums"))
    adopt.add_argument("--dry-run", action="store_true", help=tr("only show how much it would save"))


def _add_control(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    _verb(verbs, "retry", tr("retry everything that failed or was quarantined"), module="steer")
    scan = _verb(verbs, "scan", tr("check the sources for new photos now"), module="steer")
    scan.add_argument("source", nargs="?", metavar="NAME", help=tr("which source (default: all)"))
    scan.add_argument("--full", action="store_true", help=tr("list everything again; nothing is downloaded twice"))
    pause = _verb(verbs, "pause", tr("stop starting new work"), module="steer")
    pause.add_argument("duration", nargs="?", metavar="1h", help=tr("for this long: 30m, 1h, 2d"))
    _verb(verbs, "resume", tr("continue work"), module="steer")
    _verb(verbs, "allow-deletions", tr("confirm that a large number of deletions was intended"), module="steer")


def _exit_codes() -> str:
    return tr("Exit codes: 0 success, 1 a problem, 2 wrong usage, 3 a person is needed, 75 try again later.")


def _capital(purpose: str) -> str:
    """Its first letter as a sentence begins."""
    return purpose[:1].upper() + purpose[1:]


def _add_config(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    config = _with_json(_verb(verbs, "config", tr("check, show, describe or change the settings")))
    config.add_argument("action", choices=("check", "show", "schema", "set", "unset", "history"))
    config.add_argument(
        "key", nargs="?", metavar="KEY", help=tr("with set, unset, history: a setting, such as dedup.max_distance")
    )
    config.add_argument("value", nargs="?", metavar="VALUE", help=tr("with set: the value as in mediabox.toml"))
    config.add_argument("--origin", action="store_true", help=tr("with show: where each value comes from"))


def _add_auth(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    auth = _verb(verbs, "auth", tr("sign in to iCloud, enter a code, or sign out"))
    auth.add_argument("action", choices=("icloud", "code", "out"))
    auth.add_argument("what", nargs="?", metavar="ACCOUNT|CODE")
    auth.add_argument("--account", metavar="NAME", help=tr("which account, if there are several"))
    auth.add_argument(
        "--password-stdin", action="store_true", help=tr("read the password from the first line of standard input")
    )
    auth.add_argument("--renew", action="store_true", help=tr("with icloud: sign in again before it is necessary"))
    auth.add_argument("--send", metavar="device|sms|sms:ID", help=tr("with code: request a new code"))
    auth.add_argument(
        "--consent", action="store_true", help=tr("with code: request access on a device (Advanced Data Protection)")
    )
    auth.add_argument("--terms", action="store_true", help=tr("with code: accept Apple's new terms"))


def _add_simulate(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    purpose = tr("run a simulated iCloud or phone, to try everything out")
    simulate = verbs.add_parser("simulate", help=purpose, description=_capital(purpose) + ".", epilog=_exit_codes())
    simulate.add_argument("what", choices=("icloud", "pixel"), help=tr("see `mediabox simulate WHAT --help`"))
    simulate.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    simulate.set_defaults(module="simulate")


def _add_pixel(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    purpose = tr("pair a Pixel phone over Syncthing, show its state, confirm or resend photos")
    pixel = verbs.add_parser("pixel", help=purpose, description=_capital(purpose) + ".", epilog=_exit_codes())
    action = pixel.add_subparsers(dest="action", required=True, metavar="ACTION")

    pair = _with_json(_named(action, "pair", tr("share the outbox with a phone; safe to repeat")))
    pair.add_argument("--device", metavar="ID", help=tr("accept this device; the phone shows its ID"))
    pair.add_argument("--model", choices=("pixel", "pixel_2", "pixel_3", "pixel_4", "pixel_5", "later"))
    pair.add_argument("--account", metavar="ADDRESS", help=tr("the Google account it backs up to"))
    pair.add_argument(
        "--quality", choices=("original", "storage_saver"), help=tr("the backup quality set in Google Photos")
    )
    whose = tr("whose photos are delivered: a source's name, or everyone; may be repeated")
    pair.add_argument("--photos-of", action="append", metavar="SOURCE", help=whose)
    pair.add_argument(
        "--wait", type=float, default=120.0, metavar="S", help=tr("wait this many seconds for the phone (default 120)")
    )
    _with_json(_named(action, "status", tr("show whether it is connected and what is still missing")))
    tell = _named(action, "tell", tr("enter what the phone shows"))
    tell.add_argument("--battery", type=float, metavar="PERCENT", help=tr("its battery charge"))
    tell.add_argument("--celsius", type=float, metavar="N", help=tr("its temperature"))
    tell.add_argument("--free-gb", type=float, metavar="N", help=tr("its free space"))
    _with_json(
        _named(
            action,
            "unverified",
            tr("list photos that left the phone and may never have been backed up, with the reason"),
        )
    )
    believe = _named(action, "believe", tr("mark unverified or named photos as being in Google Photos"))
    resend = _named(action, "resend", tr("deliver unverified or named photos again"))
    clear = _named(action, "clear", tr("remove photos from the phone that have been there for long, or that you name"))
    clear.add_argument(
        "--older-than",
        type=float,
        default=30.0,
        metavar="DAYS",
        help=tr("on the phone for at least this long (default 30)"),
    )
    for photos in (believe, resend, clear):
        photos.add_argument(
            "photo", nargs="*", metavar="PHOTO", help=tr("only these, by name; also those that have left")
        )
    archive = _named(action, "archive", tr("copy files the phone added to the outbox to a folder a source reads"))
    archive.add_argument("--into", metavar="DIR", help=tr("the source's folder, if there are several"))
    prove = _with_json(_named(action, "prove", tr("compare a download from Google Photos with the archive")))
    prove.add_argument(
        "--takeout", required=True, metavar="DIR", help=tr("a Takeout folder or zip file, or any download")
    )
    count = _named(action, "count", tr("enter how many photos Google Photos offers to remove before Free up space"))
    count.add_argument("number", type=int, metavar="N", help=tr("the number on the phone's screen"))


def _named(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], action: str, purpose: str
) -> argparse.ArgumentParser:
    """An action on one phone."""
    parser = _verb(actions, action, purpose, module="pixel")
    parser.add_argument("name", nargs="?", metavar="NAME", help=tr("which phone, if there are several"))
    return parser


def _add_release(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    _with_json(_verb(verbs, "safe", tr("list photos that can safely be removed from iCloud, and why others cannot")))
    release = _with_json(_verb(verbs, "release", tr("remove photos from iCloud that are proved safe (off by default)")))
    release.add_argument("action", choices=("plan", "confirm", "undo", "report", "certificate", "accept"))
    release.add_argument("what", nargs="?", metavar="CODE|NAME|all|NUMBER")
    erase = _with_json(_verb(verbs, "erase", tr("permanently remove photos from the archive and keep them out")))
    erase.add_argument("action", choices=("plan", "confirm", "lift", "list"))
    erase.add_argument("what", nargs="*", metavar="PHOTO|CODE|SHA256")
    certificate = _verb(
        verbs, "verify-certificate", tr("check the certificate of a release"), module="verify_certificate"
    )
    certificate.add_argument("file", metavar="FILE", help=tr("from `mediabox release certificate`"))
    certificate.add_argument("--key", metavar="FILE", help=tr("the public key (default: this box's)"))
    certificate.add_argument(
        "--volume", action="append", default=[], metavar="UUID=DIR", help=tr("also read the copies on this volume")
    )
    certificate.add_argument(
        "--at", type=int, metavar="MS", help=tr("check as of this time (Unix milliseconds) instead of now")
    )


def _verb(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser], name: str, purpose: str, *, module: str | None = None
) -> argparse.ArgumentParser:
    verb = verbs.add_parser(name, help=purpose, description=_capital(purpose) + ".", epilog=_exit_codes())
    verb.add_argument("--home", metavar="DIR", help=tr("the box's home folder with settings, catalogue and archive"))
    verb.set_defaults(module=module or name)
    return verb


def _with_json(verb: argparse.ArgumentParser) -> argparse.ArgumentParser:
    verb.add_argument("--json", action="store_true", help=tr("print JSON"))
    return verb


if __name__ == "__main__":
    sys.exit(main())
