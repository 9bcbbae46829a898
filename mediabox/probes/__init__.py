"""Readings of the box: one small file each, with its class as `PROBE`. The governor turns them into permits."""

import importlib
import pkgutil

from mediabox.contracts import Probe
from mediabox.log import get_logger

log = get_logger(__name__)


def all_probes() -> dict[str, Probe]:
    """Every probe under its name. Reading one never raises; what the box does not have reads as None."""
    probes = [probe for module in pkgutil.iter_modules(__path__) if (probe := _probe(module.name)) is not None]
    return {probe.name: probe for probe in probes}


def _probe(name: str) -> Probe | None:
    """None where its library is not installed: then the box does without this reading."""
    try:
        probe: Probe = importlib.import_module(f"{__name__}.{name}").PROBE()
    except ImportError as error:
        log.warning("probe_missing", probe=name, reason=str(error))
        return None
    return probe
