"""Whose fault is it, and what can be done?

::

    CeasewatchError
    ├── InputError      the data's: quarantine the rows and go on
    └── PolicyError     the settings': stop before any work

Anything else that escapes is ours.
"""


class CeasewatchError(Exception):
    """A fault with a cause that the user can mend; its text says what, where and what to do."""


class InputError(CeasewatchError):
    """Data that cannot be trusted as it stands.

    Parameters
    ----------
    code
        Short machine-readable reason, such as ``naive_time``; it stands in the quarantine.
    message
        A sentence for the person who has to mend it.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class PolicyError(CeasewatchError):
    """A theatre or policy that contradicts itself or cannot be read; no work has begun."""
