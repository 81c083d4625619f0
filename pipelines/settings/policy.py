"""Which numbers did people choose for this theatre, and do they hold together?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from geo.policy import Policy
from pipelines.settings.files import POLICY, parse_toml
from pipelines.settings.mistakes import Mistakes

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_ACT: Final = "strike"


def load_policy(files: Mapping[str, bytes], name: str) -> Policy:
    """Return the policy of a theatre's files.

    Raises
    ------
    PolicyError
        With every mistake in ``policy.toml``, a line each. Beyond what ``geo.policy`` demands: names of acts and
        weapons are in lower case, there is the act of a report that states none, and each weapon class is a weapon of
        that class.
    """
    mistakes = Mistakes(name)
    policy = read_policy(files, mistakes)
    mistakes.settle()
    if policy is None:
        message = "a policy without mistakes is there"
        raise AssertionError(message)
    return policy


def read_policy(files: Mapping[str, bytes], mistakes: Mistakes) -> Policy | None:
    """Return the policy, or ``None`` with the mistakes noted."""
    table = parse_toml(files, POLICY, mistakes)
    if table is None:
        return None
    try:
        policy = Policy.model_validate(_tuples(table), strict=True)
    except ValidationError as error:
        mistakes.add_validation(POLICY, "", error, Policy.model_fields)
        return None
    _check_names(policy, mistakes)
    return policy


def _tuples(value: Any) -> Any:  # noqa: ANN401 -- whatever TOML holds
    if isinstance(value, dict):
        return {key: _tuples(inner) for key, inner in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _check_names(policy: Policy, mistakes: Mistakes) -> None:
    for section, names in (("acts", policy.acts), ("weapons", policy.weapons)):
        for name in names:
            if name != name.strip().lower():
                mistakes.add(POLICY, f"{section}.{name}", "is not in lower case", f"write {name.strip().lower()!r}")
    if DEFAULT_ACT not in policy.acts:
        wrong = "has no 'strike', the act of a report that states none"
        mistakes.add(POLICY, "acts", wrong, "add it")
    for name in sorted(policy.weapon_classes):
        if policy.weapons.get(name) != name:
            wrong = f"the class {name!r} is no weapon of its own class"
            mistakes.add(POLICY, "weapons", wrong, f'add {name} = "{name}"')
