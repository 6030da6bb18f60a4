"""
Checkup: what is wrong with the configuration of a site
=======================================================

Each rule looks at all filters of all files at once, and yields findings.  What
keeps the server from starting, or lets the cookie do something else than the file
seems to say, is an error; what is weaker than it could be, a warning; a note is
for information.
"""
from __future__ import annotations

from collections.abc import Sequence

from . import rules_order, rules_sections, rules_sharing
from .findings import LEVELS, Finding, site_of
from .wiring import Wiring

_RULES = rules_sections.RULES + rules_order.RULES + rules_sharing.RULES


def findings(wirings: Sequence[Wiring]) -> list[Finding]:
    """All that the rules find: errors first, each once."""
    site = site_of(wirings)
    found = dict.fromkeys(each for rule in _RULES for each in rule(site))
    return sorted(found, key=_by_level)


def _by_level(finding: Finding) -> int:
    return LEVELS.index(finding.level)
