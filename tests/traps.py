"""Which files try to reach outside, and how is it seen if one does?"""

from __future__ import annotations

import io
import json
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import readings

from pipelines.jail import wire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from geo.theatre import Source
    from pipelines.sources import Reading

MARK = "canary-7f3a"


@dataclass
class Trap:
    """A folder with a canary, and a listener on this machine that counts who calls."""

    folder: Path
    port: int
    hits: int = 0
    _before: dict[str, bytes] = field(default_factory=dict)

    def remember(self) -> None:
        """Note what stands in the folder."""
        self._before = self._seen()

    def sprung(self) -> bool:
        """Whether somebody called, or the folder is not as it was."""
        return self.hits > 0 or self._seen() != self._before

    def _seen(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted(self.folder.iterdir())}


@contextmanager
def trap(folder: Path) -> Iterator[Trap]:
    """Lay a canary and listen, until the end of the block."""
    place = folder / "trap"
    place.mkdir(exist_ok=True)
    (place / "canary.csv").write_text(f"observed_from,lon,lat,text\n2026-02-03,37.5,48.1,{MARK}\n")
    (place / "canary.txt").write_text(MARK)
    with socket.create_server(("127.0.0.1", 0)) as server:
        laid = Trap(place, server.getsockname()[1])
        laid.remember()
        thread = threading.Thread(target=_listen, args=(server, laid), daemon=True)
        thread.start()
        try:
            yield laid
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def _listen(server: socket.socket, laid: Trap) -> None:
    while True:
        try:
            stream, _ = server.accept()
        except OSError:
            return
        laid.hits += 1
        stream.close()


def lures(laid: Trap) -> dict[str, bytes]:
    """Return files that make GDAL open another file or call somebody, whatever they are called."""
    canary, web = laid.folder / "canary.csv", f"http://127.0.0.1:{laid.port}/x.csv"
    found = {}
    for name, target in {
        "file": str(canary),
        "prefix": f"CSV:{canary}",
        "part": f"/vsisubfile/0_100,{canary}",
        "curl": f"/vsicurl/{web}",
        "http": web,
    }.items():
        found[f"vrt-{name}"] = (
            f'<OGRVRTDataSource><OGRVRTLayer name="canary"><SrcDataSource>{target}</SrcDataSource>'
            "</OGRVRTLayer></OGRVRTDataSource>"
        ).encode()
        command = f"gdal vector pipeline ! read {target} ! write --format=MEM x"
        found[f"gdalg-{name}"] = json.dumps({"type": "gdal_streamed_alg", "command_line": command}).encode()
    return found


def source(form: str) -> Source:
    """Return a source of that format."""
    return readings.source(form, place_m=(("1", 5_000.0),))


def mixed(form: str) -> bytes:
    """Return a small file of that format with a good record and bad ones."""
    if form == "csv":
        bad = [{**readings.GOOD, "lon": "x", "text": "Ж, \u202e"}, {**readings.GOOD, "lat": "95"}]
        told = {**readings.GOOD, "count": "2-5", "text": "боєць", "reported_at": "2026-02-04T01:00Z"}
        return readings.table([readings.GOOD, told, *bad])
    if form == "geojson":
        point = {"type": "Point", "coordinates": [37.5, 48.1]}
        good = {"type": "Feature", "geometry": point, "properties": {"observed_from": "2026-02-03", "colour": 1}}
        return json.dumps({"type": "FeatureCollection", "features": [good, {"type": "Feature"}, 3]}).encode()
    if form == "ucdp":
        names = "id,latitude,longitude,where_prec,date_prec,date_start,date_end,best"
        return f"{names}\n1,48.1,37.5,1,1,2026-02-03,2026-02-03,2\n,48.1,37.5,1,1,2026-02-03,2026-02-03,2\n".encode()
    names = "latitude,longitude,scan,track,acq_date,acq_time,satellite"
    return f"{names}\n48.1,37.5,0.4,0.4,2026-02-03,1405,N\n48.1,x,0.4,0.4,2026-02-03,1405,N\n".encode()


def answer(reading: Reading) -> bytes:
    """Return a reading as it comes back from behind the walls."""
    out = io.BytesIO()
    wire.put_reading(out, reading)
    return out.getvalue()
