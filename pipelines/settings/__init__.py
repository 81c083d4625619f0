"""What does the folder of a theatre say, and can all of it be believed?

A theatre is a folder of small files. It travels as a mapping of relative file name to bytes, so that the ledger can
keep exactly what was read. Everything is checked whole, and every mistake is told at once, in a sentence that names the
file, the place, what is wrong and what to do.

The modules, in import order: ``mistakes`` (the sentences), ``files`` (folder, digest, TOML), ``shapes`` (strict
GeoJSON), ``declared`` (what ``theatre.toml`` may say), ``checks`` (whether its parts fit together), ``ground`` (lines,
zones and regions), ``gazetteer`` (named places), ``supply`` (inbox and feeds), ``policy``, ``theatre`` (the whole).
"""

from pipelines.settings.files import PLACES, digest, find_theatre, pointed, read_folder, shipped
from pipelines.settings.policy import load_policy
from pipelines.settings.supply import Feed, Inbox, Network, Supply, load_supply
from pipelines.settings.theatre import load_theatre, replace_baseline, replace_regions

__all__ = [
    "PLACES",
    "Feed",
    "Inbox",
    "Network",
    "Supply",
    "digest",
    "find_theatre",
    "load_policy",
    "load_supply",
    "load_theatre",
    "pointed",
    "read_folder",
    "replace_baseline",
    "replace_regions",
    "shipped",
]
