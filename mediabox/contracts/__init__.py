"""What the parts promise each other. Read this room first; then `ARCHITECTURE.md` has the walk.

A source lists assets and streams their bytes. Stages do the work on one subject
each and return an `Outcome`; they call neither each other, nor the runner, nor the
store. Rules decide from facts alone, inside the transaction that stores those
facts, so two halves of one asset can never miss each other. Destinations choose what
they want of an asset, take it, and tell what became of it. Everything raises only what
`errors` defines.
"""

from mediabox.contracts.box import Probe
from mediabox.contracts.destination import (
    Deliverable,
    Destination,
    DestinationTools,
    Foreign,
    Look,
    Lying,
    Made,
    Originals,
    Outbox,
    Parcel,
)
from mediabox.contracts.media import Adoptions, Examination, Examiner, ExamineRequest, Fitter, Likeness, Spool
from mediabox.contracts.rule import Decision, Duplicate, Join, Library, Member, Near, Reserve, Rule, Similar
from mediabox.contracts.source import (
    Checksum,
    Counting,
    Page,
    PrivateWriting,
    Releasing,
    Remote,
    RemoteState,
    Removal,
    Sink,
    Source,
    SourceTools,
    Streaming,
    Surveying,
)
from mediabox.contracts.stage import Holding, Moved, Needs, Outcome, Setback, Stage, Staged, Work, Written
from mediabox.contracts.surface import Surface, SurfaceTools

__all__ = [
    "Adoptions",
    "Checksum",
    "Counting",
    "Decision",
    "Deliverable",
    "Destination",
    "DestinationTools",
    "Duplicate",
    "Examination",
    "ExamineRequest",
    "Examiner",
    "Fitter",
    "Foreign",
    "Holding",
    "Join",
    "Library",
    "Likeness",
    "Look",
    "Lying",
    "Made",
    "Member",
    "Moved",
    "Near",
    "Needs",
    "Originals",
    "Outbox",
    "Outcome",
    "Page",
    "Parcel",
    "PrivateWriting",
    "Probe",
    "Releasing",
    "Remote",
    "RemoteState",
    "Removal",
    "Reserve",
    "Rule",
    "Setback",
    "Similar",
    "Sink",
    "Source",
    "SourceTools",
    "Spool",
    "Stage",
    "Staged",
    "Streaming",
    "Surface",
    "SurfaceTools",
    "Surveying",
    "Work",
    "Written",
]
