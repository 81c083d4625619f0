"""How is a project packed, so that the same text gives the same bytes?"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Final

_DATE: Final = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can tell
_READABLE: Final = 0o644 << 16


def pack(text: str, name: str) -> bytes:
    """Return a project as ``NAME.qgz`` holds it."""
    held = io.BytesIO()
    about = zipfile.ZipInfo(f"{name}.qgs", _DATE)
    about.external_attr, about.compress_type, about.create_system = _READABLE, zipfile.ZIP_DEFLATED, 3
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr(about, text.encode())
    return held.getvalue()


def embed(text: str, name: str, instant: str) -> tuple[str, str, str]:
    """Return a project as a row of ``qgis_projects``: name, metadata, and the archive in hexadecimal text."""
    metadata = json.dumps({"last_modified_time": instant, "last_modified_user": ""})
    return name, metadata, pack(text, name).hex()
