"""In which code pages may a file be that is read where nothing can be loaded any more?"""

from __future__ import annotations

import codecs
from typing import Final

CODE_PAGES: Final = (
    "cp437", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1250", "cp1251", "cp1252", "cp866", "koi8-r",
    "koi8-u", "iso8859-1", "iso8859-2", "iso8859-5", "mac-cyrillic", "ascii", "idna",
)  # fmt: skip


def load() -> None:
    """Load them all."""
    for name in CODE_PAGES:
        codecs.lookup(name)
