"""The shapes of iCloud's answers: names, types and counts, never a value.

    python -m simulate.shapes FOLDER OUT.json     (from `tests`, with PyYAML beside)

FOLDER holds checkouts of icloud-photos-downloader/icloud_photos_downloader (tests/vcr_cassettes/*.yml: recorded
answers, some with one field altered by hand), timlaing/pyicloud and picklepete/pyicloud (tests/**/const*.py and
photos_*_response.json: answers taken from a browser and made anonymous). All three are under the MIT licence.

`of_answer` also reads one answer of the simulator, so that both are held in the same words.
"""

from __future__ import annotations

import ast
import base64
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

_BOOT_ARGS = re.compile(r'<script[^>]*class="boot_args"[^>]*>(.*?)</script>', re.DOTALL)
_UNIQUE = re.compile(r"(X_APPLE_WEB_KB|X-APPLE-WEBAUTH-HSA-TRUST)-.+")
_PARTITION = re.compile(r"^p\d+-")
_PRODUCTION = "/database/1/com.apple.photos.cloud/production/"
# What is a name in one account and another in the next is one place in a shape.
_NAMED_BY_VALUE = {"apps", "configBag.urls"}
_FIXTURES = {"zones_list": "zones/list", "private_zones": "zones/list", "database_changes": "changes/database",
             "zone_changes": "changes/zone", "photos_": "records/query"}  # fmt: skip
_CONSTANTS = {
    "LOGIN_WORKING": "POST setup.icloud.com setup/ws/1/accountLogin 200",
    "LOGIN_2FA": "POST setup.icloud.com setup/ws/1/accountLogin 200",
    "VERIFICATION_CODE_KO": "POST setup.icloud.com setup/ws/1/validateVerificationCode 200",
}


class Shape:
    """What was seen at one place: how often, and which types at which path."""

    def __init__(self) -> None:
        self.count = 0
        self.paths: dict[str, Counter[str]] = defaultdict(Counter)

    def add(self, value: Any) -> None:
        self.count += 1
        for path, kind in set(_walk("", value)):
            self.paths[path][kind] += 1

    def plain(self) -> dict[str, Any]:
        paths = {path: dict(sorted(kinds.items())) for path, kinds in sorted(self.paths.items())}
        return {"count": self.count, "paths": paths}


class Shapes:
    """Answers by endpoint, records by type, cookies by name, parameters by endpoint."""

    def __init__(self) -> None:
        self.answers: dict[str, Shape] = defaultdict(Shape)
        self.records: dict[str, Shape] = defaultdict(Shape)
        self.cookies: dict[str, Counter[str]] = defaultdict(Counter)
        self.headers: dict[str, Counter[str]] = defaultdict(Counter)
        self.parameters: dict[str, Counter[str]] = defaultdict(Counter)

    def of_answer(self, method: str, url: str, status: int, headers: list[tuple[str, str]], body: bytes | str) -> None:
        """One answer as it came. Files (`cvws`) have headers only."""
        split = urlsplit(url)
        place = place_of(method, url, status)
        self.parameters[place].update(["#", *(name for name, _ in parse_qsl(split.query, keep_blank_values=True))])
        self.headers[place].update(["#", *{name.lower() for name, _ in headers}])
        for name, value in headers:
            if name.lower() == "set-cookie":
                self._cookie(place.split()[1], value)
        if not _is_file(split.netloc):
            self.of_body(place, _read(body))

    def of_body(self, place: str, body: Any) -> None:
        """One answer's JSON; what is in `records` counts as records."""
        if isinstance(body, dict | list):
            self.answers[place].add(self._without_records(body))

    def _without_records(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._without_records(one) for one in value]
        if not isinstance(value, dict):
            return value
        rest = {}
        for name, inner in value.items():
            is_records = name == "records" and isinstance(inner, list)
            if is_records:
                for record in inner:
                    self._record(record)
            rest[name] = [] if is_records else self._without_records(inner)
        return rest

    def _record(self, record: dict[str, Any]) -> None:
        kind = record.get("recordType") or ("error" if "serverErrorCode" in record else "tombstone")
        self.records[kind].add({**record, "fields": {
            name: {**field, "type": _Type(field["type"])} if isinstance(field, dict) and "type" in field else field
            for name, field in (record.get("fields") or {}).items()
        }} if "fields" in record else record)  # fmt: skip

    def _cookie(self, host: str, line: str) -> None:
        name, _, rest = line.partition("=")
        value, *attributes = (part.strip() for part in rest.split(";"))
        seen = ["#", "quoted" if value.startswith('"') else "bare"]
        for attribute in attributes:
            key, _, given = attribute.partition("=")
            shown = {"domain": f"domain={given.lower()}", "expires": "life", "max-age": "life"}
            seen.append(shown.get(key.lower(), key.lower()))
        plain = _UNIQUE.sub(r"\1-*", name.strip())
        self.cookies[f"{host} {plain}"].update(seen)

    def plain(self) -> dict[str, Any]:
        return {
            "answers": {place: shape.plain() for place, shape in sorted(self.answers.items())},
            "records": {kind: shape.plain() for kind, shape in sorted(self.records.items())},
            "cookies": _counts(self.cookies),
            "headers": _counts(self.headers),
            "parameters": _counts(self.parameters),
        }


class _Type(str):
    """A field's `type`: CloudKit's own word for it, kept as it is."""

    __slots__ = ()


def place_of(method: str, url: str, status: int) -> str:
    """Where an answer came from, without the names and numbers that differ."""
    split = urlsplit(url)
    host = _PARTITION.sub("pNN-", split.netloc.partition(":")[0])
    path = split.path
    if _PRODUCTION in path:
        path = path.partition(_PRODUCTION)[2].partition("/")[2]
    elif _is_file(host):
        path = "B"
    return f"{method} {host} {path.strip('/')} {status}"


def recorded(folder: Path) -> Shapes:
    """The shapes of everything in these checkouts."""
    shapes = Shapes()
    for cassette in sorted(folder.rglob("vcr_cassettes/*.yml")):
        for given in _interactions(cassette):
            shapes.of_answer(*given)
    for fixture in sorted(folder.rglob("photos_*_response.json")):
        end = next(end for part, end in _FIXTURES.items() if part in fixture.name)
        end = "records/modify" if fixture.parent.name == "photos_browser_mutations" else end
        shapes.of_body(f"POST pNN-ckdatabasews.icloud.com {end} 200", json.loads(fixture.read_text()))
    for constants in sorted(folder.rglob("const*.py")):
        for name, value in _constants(constants):
            if name in _CONSTANTS:
                shapes.of_body(_CONSTANTS[name], value)
    return shapes


def _interactions(cassette: Path) -> Iterator[tuple[str, str, int, list[tuple[str, str]], bytes | str]]:
    import yaml

    class Loader(yaml.CSafeLoader):  # type: ignore[misc, name-defined, unused-ignore]
        """Python's own tags are read as what they hold: nothing is built."""

    Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda loader, _, node: loader.construct_scalar(node))
    for each in yaml.load(cassette.read_text(), Loader)["interactions"]:
        asked, got = each["request"], each["response"]
        headers = [(name, value) for name, values in got["headers"].items() for value in values]
        body = got["body"].get("string") or base64.b64decode(got["body"].get("base64_string") or "")
        yield asked["method"], asked["uri"], got["status"]["code"], headers, body


def _constants(path: Path) -> Iterator[tuple[str, Any]]:
    """Names with the literal given to them; whatever is no literal stands as text."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, _literal(node.value)


def _literal(node: ast.expr) -> Any:
    match node:
        case ast.Dict():
            return {_literal(key): _literal(value) for key, value in zip(node.keys, node.values, strict=True) if key}
        case ast.List():
            return [_literal(one) for one in node.elts]
        case ast.Constant():
            return node.value
        case _:
            return ""


def _walk(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """(path, type) of everything in it; entries of a list share a path."""
    if path:
        yield path, _kind(value)
    if isinstance(value, dict):
        for name, inner in value.items():
            shown = "*" if path in _NAMED_BY_VALUE else name
            yield from _walk(f"{path}.{shown}" if path else shown, inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(f"{path}[]", inner)


def _kind(value: Any) -> str:
    match value:
        case _Type():
            return str(value)
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "text"
        case list():
            return "list"
        case _:
            return "object"


def _read(body: bytes | str) -> Any:
    text = body.decode(errors="replace") if isinstance(body, bytes) else body
    page = _BOOT_ARGS.search(text)
    try:
        return json.loads(page[1] if page else text)
    except ValueError:
        return None


def _is_file(host: str) -> bool:
    return host.startswith("cvws.")


def _counts(counts: dict[str, Counter[str]]) -> dict[str, dict[str, int]]:
    return {place: dict(sorted(seen.items())) for place, seen in sorted(counts.items())}


def _text(found: dict[str, Any]) -> str:
    """JSON with a line for each place, so that a difference is a line."""
    counts = re.compile(r'\{\n("[^"{}]+": \d+(?:,\n"[^"{}]+": \d+)*)\n\}')
    return counts.sub(lambda seen: "{" + seen[1].replace("\n", " ") + "}", json.dumps(found, indent=0)) + "\n"


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(_text(recorded(Path(sys.argv[1])).plain()))
