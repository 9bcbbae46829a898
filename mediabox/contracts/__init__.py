"""What the parts promise each other. Read this room first; then `ARCHITECTURE.md` has the walk.

A source lists assets and streams their bytes. Stages do the work on one subject
each and return a `StepResult`; they call neither each other, nor the runner, nor the
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
from mediabox.contracts.media import Adoptions, Examination, Examiner, ExamineRequest, Fitter, Spool
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
from mediabox.contracts.stage import (
    FirstNameRemoved,
    Holding,
    Moved,
    Needs,
    OriginalsMoved,
    Outcome,
    Quarantine,
    Relocated,
    RemovedFromSource,
    Setback,
    Stage,
    StepResult,
    Subject,
    TextFiles,
    Undeliverable,
    Work,
    Written,
)
from mediabox.contracts.staged import Likeness, Staged
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
    "FirstNameRemoved",
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
    "OriginalsMoved",
    "Outbox",
    "Outcome",
    "Page",
    "Parcel",
    "PrivateWriting",
    "Probe",
    "Quarantine",
    "Releasing",
    "Relocated",
    "Remote",
    "RemoteState",
    "Removal",
    "RemovedFromSource",
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
    "StepResult",
    "Streaming",
    "Subject",
    "Surface",
    "SurfaceTools",
    "Surveying",
    "TextFiles",
    "Undeliverable",
    "Work",
    "Written",
]
