"""What a person sets for one Pixel."""

from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from mediabox.config.fields import Celsius, Days, Percent, Seconds, Secret
from mediabox.destinations.pixel.old_rules import OldRules
from mediabox.model.google_photos import SMALLEST_SIDE
from mediabox.model.query import All, AnyOf, Query, QueryInvalid, Term
from mediabox.search.parse import MAX_CHARACTERS, parse

Pixels = Annotated[int, Meta(extra_json_schema={"x-unit": "pixel"})]
Gigabytes = Annotated[float, Meta(extra_json_schema={"x-unit": "GB"})]
Model = Literal["pixel", "pixel_2", "pixel_3", "pixel_4", "pixel_5", "later"]
EVERYONE = "*"
SAVES_STORAGE = frozenset({"pixel_2", "pixel_3", "pixel_4", "pixel_5"})  # support.google.com/pixelphone/answer/6156301


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Google Photos through a Pixel phone that Syncthing feeds. `mediabox pixel pair NAME` sets the two up."""

    OLDER: ClassVar[type[OldRules]] = OldRules
    RETIRED: ClassVar[dict[str, str]] = {
        "most_freed_percent": "how many leave the phone at once says nothing of whether they were backed up"
    }

    model: Annotated[
        Model,
        Meta(
            title="Phone",
            description="The first Pixel (2016) backs up originals without limit, 2 to 5 in storage saver quality, "
            "later ones count against the account's storage.",
        ),
    ] = "pixel"
    quality: Annotated[
        Literal["", "original", "storage_saver"],
        Meta(
            title="Backup quality",
            description="As Google Photos on the phone is set. Empty: what the phone's offer needs.",
        ),
    ] = ""
    account: Annotated[
        str, Meta(max_length=254, title="Google account", description="Into which the phone backs up, for people.")
    ] = ""
    accept_quota: Annotated[
        bool, Meta(title="Use up storage", description="Deliver although it counts against the account's storage.")
    ] = False
    reduce: Annotated[
        bool,
        Meta(
            title="Reduce beforehand",
            description="For storage saver: send stills of more than 16 megapixels and videos beyond 1080p smaller.",
        ),
    ] = False

    # ---- Syncthing
    url: Annotated[
        str,
        Meta(
            pattern=r"^(https?://[^\s/]+)?$",
            title="Syncthing",
            description="Address of its REST API. Empty: the one on this box.",
            extra_json_schema={"x-expects": "an address such as http://127.0.0.1:8384"},
        ),
    ] = ""
    key: Annotated[
        Secret | None, Meta(title="API key", description="Of Syncthing. Left out: read from its configuration.")
    ] = None
    folder_id: Annotated[
        str, Meta(max_length=64, title="Folder id", description="Syncthing's. Empty: `mediabox-NAME`.")
    ] = ""
    device: Annotated[
        str, Meta(title="Phone's device id", description="Empty: the only other device the folder is shared with.")
    ] = ""
    outbox: Annotated[
        str,
        Meta(
            title="Outbox",
            description="Folder for the copies on their way. Relative to the home folder, or absolute. "
            "Empty: `outbox/NAME`.",
        ),
    ] = ""

    # ---- how much at a time
    window_gb: Annotated[
        Gigabytes, Meta(gt=0, le=1000, title="Window", description="At most so much waits on the phone at a time.")
    ] = 8.0
    window_percent: Annotated[
        Percent, Meta(title="Share of the phone", description="And at most this share of its capacity.")
    ] = 20.0
    capacity_gb: Annotated[Gigabytes, Meta(gt=0, le=4000, title="Capacity", description="Of the phone.")] = 32.0
    backlog_percent: Annotated[
        Percent, Meta(title="Share for the past", description="Of the window, kept for photos that are not recent.")
    ] = 20.0
    recent_days: Annotated[
        Days, Meta(ge=1, le=3650, title="Recent", description="Photos taken since are sent first.")
    ] = 30

    # ---- what
    sources: Annotated[
        tuple[str, ...],
        Meta(
            title="Whose photos",
            description='Only what these sources have and do not hide, by their names; `["*"]`: everyone\'s. With '
            "several sources, and neither this nor a query for a source, album or person, nothing is sent to a phone "
            "that never got any.",
        ),
    ] = ()
    query: Annotated[
        str,
        Meta(
            max_length=MAX_CHARACTERS,
            title="Which photos",
            description='As for `mediabox find`: `album="Holidays" date>=2024 is:favorite`. Empty: all. '
            "What is hidden at its source stays at home.",
        ),
    ] = ""
    versions: Annotated[
        Literal["edited", "original", "both"], Meta(title="Edited photos", description="Which version goes.")
    ] = "edited"
    raw: Annotated[
        Literal["developed", "both"],
        Meta(title="RAW pairs", description="`developed`: the JPEG or HEIC beside a RAW file alone."),
    ] = "developed"
    bursts: Annotated[
        Literal["pick", "all"], Meta(title="Bursts", description="`pick`: the favourites, else the sharpest.")
    ] = "all"
    live: Annotated[
        Literal["motion", "still"], Meta(title="Live Photos", description="As Motion Photo, or the still alone.")
    ] = "motion"
    clips: Annotated[
        Literal["as_is", "h264"],
        Meta(title="Clips of Live Photos", description="`h264`: encoded anew for phones that do not play HEVC."),
    ] = "as_is"

    smallest_side: Annotated[
        Pixels,
        Meta(
            ge=0,
            le=10_000,
            title="Smallest picture",
            description="What is shorter on a side is not sent: Google Photos leaves it alone, it would stay there.",
        ),
    ] = SMALLEST_SIDE

    # ---- when something is wrong
    stall_days: Annotated[
        Days, Meta(ge=1, le=365, title="Patience", description="On the phone for so long: say so.")
    ] = 7
    backed_up_after_s: Annotated[
        Seconds,
        Meta(
            ge=0,
            le=86_400,
            title="Fastest backup",
            description="What leaves the phone sooner after it came is unverified: Android runs a backup every 15 "
            "minutes, and what is deleted is noticed within 15. Long films have longer. 0: nothing is too early.",
        ),
    ] = 1800.0
    min_battery: Annotated[
        Percent, Meta(title="Battery", description="Wait while the phone, as far as told, has less.")
    ] = 20.0
    max_celsius: Annotated[
        Celsius, Meta(ge=0, le=80, title="Heat", description="Wait while the phone, as far as told, is hotter.")
    ] = 42.0

    # ---- who tells of the phone, beside `mediabox pixel tell`
    mqtt_url: Annotated[
        str,
        Meta(
            pattern=r"^(mqtts?://[^\s/]+)?$",
            title="MQTT broker",
            description="Where the topics below are kept, for example by Home Assistant's `mqtt_statestream`.",
            extra_json_schema={"x-expects": "an address such as mqtt://user@192.0.2.7:1883"},
        ),
    ] = ""
    mqtt_password: Annotated[Secret | None, Meta(title="MQTT password", description="Of the user in the address.")] = (
        None
    )
    battery_topic: Annotated[
        str, Meta(max_length=200, title="Battery topic", description="Retained message: the charge in percent.")
    ] = ""
    temperature_topic: Annotated[
        str, Meta(max_length=200, title="Temperature topic", description="Retained message: °C.")
    ] = ""
    free_space_topic: Annotated[
        str, Meta(max_length=200, title="Free space topic", description="Retained message: GB free on the phone.")
    ] = ""

    @property
    def window_bytes(self) -> int:
        """At most so much waits on the phone at a time."""
        return int(min(self.window_gb, self.capacity_gb * self.window_percent / 100) * 1_000_000_000)

    def __post_init__(self) -> None:
        try:
            parse(self.query, today=None)
        except QueryInvalid as error:
            raise ValueError("; ".join(filter(None, (f"query: {error}", error.remedy)))) from error

    @property
    def chosen(self) -> Query:
        """Which photos go."""
        return parse(self.query, today=None)

    @property
    def seen_by(self) -> frozenset[str] | None:
        """Whose photos go: names of sources; None: everybody's."""
        return frozenset(self.sources) if self.sources and EVERYONE not in self.sources else None

    @property
    def has_chosen(self) -> bool:
        """Whether somebody has said whose photos go."""
        return bool(self.sources) or _says_whose(self.chosen)

    @property
    def saves_storage(self) -> bool:
        """Whether Google keeps less than it is sent."""
        return self.quality == "storage_saver" or (not self.quality and self.model in SAVES_STORAGE)

    @property
    def counts_quota(self) -> bool:
        """Whether what is backed up counts against the account's storage: the offers hold for one quality each."""
        return self.model == "later" or (self.model in SAVES_STORAGE and self.quality == "original")


def _says_whose(query: Query) -> bool:
    match query:
        case All():
            return any(map(_says_whose, query.queries))
        case AnyOf():
            return bool(query.queries) and all(map(_says_whose, query.queries))
        case Term():
            return query.field in ("source", "album", "person")
    return False
