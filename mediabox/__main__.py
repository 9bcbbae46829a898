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
from mediabox.model.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

AWAY_REMEDY = "plug it in or mount it again; nothing is lost, the work goes on when it is back"
HIDDEN_FROM_OTHERS = 0o027  # a catalogue tells where a family was and who with; systemd's UMask= says the same
_NEGATION = re.compile(r"^-(?=[^\W\d_]{2,}[:=<>])")  # `find -is:hidden`: no option of ours has such a sign in it
EXIT_CODES = "exit codes: 0 well, 1 a problem, 2 wrong usage, 3 a person is needed, 75 try again later"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    words = sys.argv[1:] if arguments is None else arguments
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
    print(f"mediabox: {error}", file=sys.stderr)
    remedy = AWAY_REMEDY if isinstance(error, Away) else getattr(error, "remedy", "")
    if remedy:
        print(f"  What to do: {remedy}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mediabox", description="Pictures in, a proven archive out.", epilog=EXIT_CODES
    )
    parser.add_argument("--version", action="version", version=f"mediabox {VERSION}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="COMMAND")

    run = _verb(verbs, "run", "work: watch the sources, archive what is new")
    run.add_argument("--once", action="store_true", help="end when everything there is has been archived")
    run.add_argument(
        "--pictures", action="append", default=[], metavar="DIR", help="a folder to take in, beside those configured"
    )
    run.add_argument(
        "--simulated-pixel", action="store_true", help="deliver to a simulated phone (`mediabox simulate pixel`)"
    )
    run.add_argument("--quiet", action="store_true", help="no progress on the terminal")

    _with_json(_verb(verbs, "status", "how things stand"))
    left = _verb(verbs, "left", "every name in the folders that is not taken in, and why")
    left.add_argument("what", nargs="?", metavar="SOURCE|DIR", help="one source, or any folder (all folder sources)")
    where = _with_json(_verb(verbs, "where", "one photo's whole way"))
    where.add_argument(
        "what",
        metavar="NAME|ID|SHA256",
        help="file name, archive path, id, SHA-256 (8 digits will do), or the path of any file: is it archived?",
    )

    find = _with_json(_verb(verbs, "find", "photos and videos by what is known of them"))
    find.add_argument("query", nargs="*", metavar="QUERY", help="words, or person:Anna year:2024 -is:hidden size>10MB")
    find.add_argument("--fields", action="store_true", help="what can be searched by")
    find.add_argument("--limit", type=int, default=50, metavar="N", help="at most so many at a time (50, up to 1000)")
    find.add_argument("--after", metavar="MARK", help="go on after this one: a page ends by saying which")

    verify = _with_json(_verb(verbs, "verify", "read the whole archive again and compare"))
    verify.add_argument("--sample", metavar="PERCENT", default="100%", help="read only about this share (1%%)")
    rebuild = _with_json(_verb(verbs, "rebuild", "make the catalogue anew from the archive alone"))
    rebuild.add_argument("--archive", metavar="DIR", help="the archive, if the configuration does not say")

    adopt = _with_json(_verb(verbs, "adopt", "use an older backup's files instead of fetching them again"))
    adopt.add_argument(
        "folder", nargs="?", metavar="DIR", help="made by icloudpd, kei, osxphotos or by hand; only read"
    )
    adopt.add_argument("--source", metavar="NAME", help="only for this account (all that are remote)")
    adopt.add_argument("--prove", action="store_true", help="hold what was taken so against iCloud's checksum, whole")
    adopt.add_argument("--dry-run", action="store_true", help="only say how much it would save")

    _verb(verbs, "retry", "try again whatever failed or was quarantined", module="steer")
    scan = _verb(verbs, "scan", "look now whether a source has anything new", module="steer")
    scan.add_argument("source", nargs="?", metavar="NAME", help="which source (all)")
    scan.add_argument("--full", action="store_true", help="list everything once more; nothing is fetched twice")
    pause = _verb(verbs, "pause", "start nothing new until told", module="steer")
    pause.add_argument("duration", nargs="?", metavar="1h", help="for this long: 30m, 1h, 2d")
    _verb(verbs, "resume", "go on", module="steer")
    _verb(verbs, "allow-deletions", "many deletions at a source were meant: follow them", module="steer")

    _add_release(verbs)
    doctor = _with_json(_verb(verbs, "doctor", "check the box and say what to do"))
    doctor.add_argument(
        "--mend-marker", action="store_true", help="write the archive's lost marker anew, if its files prove it"
    )
    _add_config(verbs)
    _with_json(_verb(verbs, "pipeline", "the steps, in order"))
    _add_auth(verbs)
    _add_pixel(verbs)
    _add_simulate(verbs)
    return parser


def _add_config(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    config = _with_json(_verb(verbs, "config", "check, show, describe or change the configuration"))
    config.add_argument("action", choices=("check", "show", "schema", "set", "unset", "history"))
    config.add_argument("key", nargs="?", metavar="KEY", help="with set, unset, history: dedup.max_distance")
    config.add_argument("value", nargs="?", metavar="VALUE", help="with set: as in mediabox.toml")
    config.add_argument("--origin", action="store_true", help="with show: say who set each value")


def _add_auth(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    auth = _verb(verbs, "auth", "sign in to iCloud, answer it, or sign out")
    auth.add_argument("action", choices=("icloud", "code", "out"))
    auth.add_argument("what", nargs="?", metavar="ACCOUNT|CODE")
    auth.add_argument("--account", metavar="NAME", help="which account, where there are several")
    auth.add_argument("--password-stdin", action="store_true", help="read the password from the first line of stdin")
    auth.add_argument("--renew", action="store_true", help="with icloud: sign in anew before it is needed")
    auth.add_argument("--send", metavar="device|sms|sms:ID", help="with code: have one sent")
    auth.add_argument("--consent", action="store_true", help="with code: ask the devices (Advanced Data Protection)")
    auth.add_argument("--terms", action="store_true", help="with code: accept Apple's new terms")


def _add_simulate(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    purpose = "a stand-in for the world, to try the whole chain"
    simulate = verbs.add_parser("simulate", help=purpose, description=purpose.capitalize() + ".", epilog=EXIT_CODES)
    simulate.add_argument("what", choices=("icloud", "pixel"), help="`mediabox simulate WHAT --help` says more")
    simulate.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    simulate.set_defaults(module="simulate")


def _add_pixel(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    purpose = "pair a Pixel phone through Syncthing, see how it stands, say what you know of it"
    pixel = verbs.add_parser("pixel", help=purpose, description=purpose.capitalize() + ".", epilog=EXIT_CODES)
    action = pixel.add_subparsers(dest="action", required=True, metavar="ACTION")

    pair = _with_json(_named(action, "pair", "share the outbox with a phone; may be repeated"))
    pair.add_argument("--device", metavar="ID", help="let this device in; the phone shows its id")
    pair.add_argument("--model", choices=("pixel", "pixel_2", "pixel_3", "pixel_4", "pixel_5", "later"))
    pair.add_argument("--account", metavar="ADDRESS", help="the Google account it backs up into")
    pair.add_argument("--quality", choices=("original", "storage_saver"), help="as Google Photos on it is set")
    whose = "whose photos go (a source's name, or everyone); may be repeated"
    pair.add_argument("--photos-of", action="append", metavar="SOURCE", help=whose)
    pair.add_argument("--wait", type=float, default=120.0, metavar="S", help="for the phone, in seconds (120)")
    _with_json(_named(action, "status", "whether it is connected, and what it still lacks"))
    tell = _named(action, "tell", "what you see on the phone")
    tell.add_argument("--battery", type=float, metavar="PERCENT", help="its charge")
    tell.add_argument("--celsius", type=float, metavar="N", help="how hot it is")
    tell.add_argument("--free-gb", type=float, metavar="N", help="free space on it")
    _with_json(_named(action, "unverified", "what left so that it may never have been backed up, each with the reason"))
    believe = _named(action, "believe", "it is in Google Photos, on your word: what is unverified, or what you name")
    resend = _named(action, "resend", "it is not in Google Photos: deliver again what is unverified, or what you name")
    clear = _named(action, "clear", "take what the phone has had for long, or what you name, off the phone")
    clear.add_argument("--older-than", type=float, default=30.0, metavar="DAYS", help="on it for so long (30)")
    for photos in (believe, resend, clear):
        photos.add_argument("photo", nargs="*", metavar="PHOTO", help="only these, by name, also what has left")
    archive = _named(action, "archive", "copy files the phone put among the copies to where a source takes them in")
    archive.add_argument("--into", metavar="DIR", help="a folder a source searches, where there are several")
    prove = _with_json(_named(action, "prove", "hold what you downloaded from Google Photos against the archive"))
    prove.add_argument("--takeout", required=True, metavar="DIR", help="Takeout's folder or zip file, or any download")
    count = _named(action, "count", "how many photos Google Photos offers to free, as it says before Free up space")
    count.add_argument("number", type=int, metavar="N", help="the number on the phone's screen")


def _named(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], action: str, purpose: str
) -> argparse.ArgumentParser:
    """An action on one phone."""
    parser = _verb(actions, action, purpose, module="pixel")
    parser.add_argument("name", nargs="?", metavar="NAME", help="which phone, where there are several")
    return parser


def _add_release(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    _with_json(_verb(verbs, "safe", "which photos are proved safe to free from iCloud, and why the others are not"))
    release = _with_json(_verb(verbs, "release", "free iCloud of what is proved safe (off by default)"))
    release.add_argument("action", choices=("plan", "confirm", "undo", "report", "certificate", "accept"))
    release.add_argument("what", nargs="?", metavar="CODE|NAME|all|NUMBER")
    erase = _with_json(_verb(verbs, "erase", "remove photos from the archive for good, and keep them out"))
    erase.add_argument("action", choices=("plan", "confirm", "lift", "list"))
    erase.add_argument("what", nargs="*", metavar="PHOTO|CODE|SHA256")
    certificate = _verb(verbs, "verify-certificate", "check the proof of a release", module="verify_certificate")
    certificate.add_argument("file", metavar="FILE", help="from `mediabox release certificate`")
    certificate.add_argument("--key", metavar="FILE", help="the public key (this box's)")
    certificate.add_argument(
        "--volume", action="append", default=[], metavar="UUID=DIR", help="read the copies there too"
    )
    certificate.add_argument("--at", type=int, metavar="MS", help="judge as of this time (Unix milliseconds), not now")


def _verb(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser], name: str, purpose: str, *, module: str | None = None
) -> argparse.ArgumentParser:
    verb = verbs.add_parser(name, help=purpose, description=purpose.capitalize() + ".", epilog=EXIT_CODES)
    verb.add_argument("--home", metavar="DIR", help="the box's home folder: configuration, catalogue, archive")
    verb.set_defaults(module=module or name)
    return verb


def _with_json(verb: argparse.ArgumentParser) -> argparse.ArgumentParser:
    verb.add_argument("--json", action="store_true", help="for programs")
    return verb


if __name__ == "__main__":
    sys.exit(main())
