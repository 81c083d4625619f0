"""Where do tests take compiled loops from? From where the set-up put them, so that none is compiled again."""

from __future__ import annotations

from geo import descents
from pipelines import compiled

if compiled.place().is_dir():
    descents.keep(str(compiled.place()))
