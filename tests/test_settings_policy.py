"""Is every mistake in policy.toml told in a sentence that says where it is and what to do?"""

from __future__ import annotations

import re

import pytest
from small_theatre import sentences, with_edit

from geo.errors import PolicyError
from pipelines.settings import load_policy, load_theatre

POLICY_MISTAKES = [
    (
        "agree_m = 1000\n",
        "",
        "policy.toml, corroboration.agree_m: is missing; add it.",
    ),
    (
        "agree_m = 1000",
        'agree_m = "1000"',
        "policy.toml, corroboration.agree_m: should be a valid number (found '1000'); correct it.",
    ),
    (
        "agree_m = 1000",
        "agree_m = nan",
        "policy.toml, corroboration.agree_m: is no finite number; give a number.",
    ),
    (
        "coarse_h = 25",
        "coarse_h = 24",
        "policy.toml, corroboration.coarse_h: should be greater than or equal to 25 (found 24); correct it.",
    ),
    (
        'open_reading = "any"',
        'open_reading = "repeated"',
        (
            "policy.toml, ladder: open_reading 'repeated' does not fit open_n 1: 'any' means 1, 'repeated' more; "
            "correct it."
        ),
    ),
    (
        "broad_h = 72",
        "broad_h = 12",
        "policy.toml, ladder: broad_h (12) comes before persist_h (24); correct it.",
    ),
    (
        'weapons = ["ballistic_missile"]',
        'weapons = ["catapult"]',
        "policy.toml: expansion.weapons names classes that [weapons] does not have: catapult; correct it.",
    ),
    (
        "alert_age_h = 1\n",
        "alert_age_h = 1\nwindow_d = 7\n",
        "policy.toml: publication.window_d is shorter than the longest of intensity.spans_h (720 h); correct it.",
    ),
    (
        "alert_age_h = 1\n",
        "alert_age_h = 1\nwindow_d = 6\n",
        "policy.toml, publication.window_d: should be greater than or equal to 7 (found 6); correct it.",
    ),
    (
        "[weapons]",
        '[weapons]\nFoo = "tank"',
        "policy.toml, weapons.Foo: is not in lower case; write 'foo'.",
    ),
    (
        "[weapons]",
        '[weapons]\nsling = "thrown"',
        "policy.toml, weapons: the class 'thrown' is no weapon of its own class; add thrown = \"thrown\".",
    ),
    (
        "strike = {",
        "hit = {",
        "policy.toml, acts: has no 'strike', the act of a report that states none; add it.",
    ),
    (
        'confirming = [["mission"]',
        'confirming = [["gossip"]',
        (
            "policy.toml, corroboration.confirming.0.0: should be 'mission', 'vetted', 'satellite', 'media', "
            "'party' or 'public' (found 'gossip'); correct it."
        ),
    ),
    (
        "[weapons]",
        "[wapons]\n[weapons]",
        (
            "policy.toml, wapons: is not a known key; correct its spelling or remove it (known: version, acts, "
            "weapons, corroboration, grouping, ladder, expansion, heat, publication, matching, intensity, "
            "coverage, sharing)."
        ),
    ),
    (
        "coarse_h = 25",
        "coarse_h 25",
        None,
    ),
]


@pytest.mark.parametrize(("old", "new", "sentence"), POLICY_MISTAKES)
def test_a_mistake_in_policy_toml_is_told_by_both_loaders(old: str, new: str, sentence: str | None) -> None:
    files = with_edit("policy.toml", old, new)
    for load in (load_policy, load_theatre):
        with pytest.raises(PolicyError) as caught:
            load(files, "small")
        found = sentences(caught.value)
        if sentence is None:
            assert re.match(
                r"policy.toml: is no valid TOML: .* \(at line \d+, column \d+\); correct the line\.", found[0]
            )
        else:
            assert sentence in found
