"""What if the layers cannot be published as they are?"""

from __future__ import annotations

from geo.errors import CeasewatchError


class PublicationError(CeasewatchError, RuntimeError):
    """The layers, or the file made of them, are not fit to be published: our fault; what stood before still stands."""
