"""Readings of the box: one small file each, with its class as `PROBE`. The governor turns them into permits."""

import importlib
import pkgutil

from mediabox.contracts import Probe


def all_probes() -> dict[str, Probe]:
    """Every probe under its name. Reading one never raises; what the box does not have reads as None."""
    modules = [importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
    probes: list[Probe] = [module.PROBE() for module in modules]
    return {probe.name: probe for probe in probes}
