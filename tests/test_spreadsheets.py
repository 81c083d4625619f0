"""Does a spreadsheet run anything of what strangers wrote? Opened in a headless LibreOffice; on demand only.

Every table that is written for people (the export in the columns of ACLED, the four of a backtest; no workbook is ever
written) holds each payload in each of its texts, and is opened with cells parted at each sign that a spreadsheet may
take. What it makes of them is read from its own flat format, with everything calculated.
"""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

import pandas as pd
import pytest
import situation
import test_payloads
import traps

from geo import tables
from geo.steps import INCIDENTS, REVISIONS, STEPS
from pipelines import backtest, exports

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from geo.columns import Table

SIGNS: Final = {"comma": "44", "semicolon": "59", "tab": "9", "bar": "124", "all of them": "44/59/9/124"}
RUNS: Final = ("annotation", "dde-link", "dde-source", "event-listener", "object", "plugin", "script", "a")
CALLS: Final = (
    '=WEBSERVICE("http://127.0.0.1:{port}/w")', '=HYPERLINK("http://127.0.0.1:{port}/h","x")', "='file://{canary}'#$x.A1",
    '=DDE("soffice";"{canary}";"a1")', '="x"&1+1', "=1+1", "x;=1+1", 'x";"=1+1', "x\n=1+1", "x\t=1+1", "x|=1+1",
    "'=1+1", '"=1+1"', "{{=1+1}}", '=cmd|"/C calc"!A0', "=SUM(1;1)", "=1+1;=1+1", "x,=1+1", 'x","=1+1', "x\r\n=1+1",
)  # fmt: skip
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not shutil.which("soffice"), reason="no LibreOffice here")]


def frame(table: Table, texts: list[str]) -> pd.DataFrame:
    """Return a row for each text, which stands in all columns of text; the others are empty."""
    rows = pd.DataFrame(index=range(len(texts)), columns=table.names)
    said = {column.name: pd.Series(texts, dtype="str") for column in table.columns if column.kind == "text"}
    times = {column.name: pd.Timestamp("2026-02-03T12:00Z") for column in table.columns if column.kind == "time"}
    return rows.assign(**said, **times)


def written(folder: Path, texts: list[str]) -> list[Path]:
    """Write every table that is written for people."""
    told = {"steps": STEPS, "revisions": REVISIONS, "lineage": tables.LINEAGE_TABLE, "incidents": INCIDENTS}
    frames: dict[str, Any] = {name: frame(table, texts) for name, table in told.items()}
    backtest.record(backtest.Result(**frames, summary={}), folder)
    content = situation.burnt()
    one = content["violations"].head(1)
    evil = pd.concat([one] * len(texts), ignore_index=True)
    names = {"place_name": texts, "party_claimed": texts, "why_not": texts, "act": texts, "status": texts}
    ids = [f"V-{n}" for n in range(len(texts))]
    evil = evil.assign(**names, violation_id=ids, incident_id=texts, region_id=texts, qualifying=False)
    reports = pd.DataFrame({"violation_id": ids, "source": texts, "recorded_at": pd.Timestamp("2026-02-03T12:00Z")})
    regions = pd.DataFrame({"region_id": texts, "name": texts}).drop_duplicates("region_id")
    path = folder / "acled.csv"
    path.write_text(exports.acled(evil, reports, regions, content["run"].iloc[0]), encoding="utf-8", newline="")
    return [*sorted(folder.glob("*.csv"))]


def naive(folder: Path, texts: list[str]) -> list[Path]:
    """Write a table as pandas does by itself."""
    pd.DataFrame({"name": texts}).to_csv(folder / "naive.csv", index=False)
    return [folder / "naive.csv"]


def opened(files: list[Path], sign: str, folder: Path) -> Mapping[str, list[str]]:
    """Return what runs in each file when a spreadsheet opens it, its cells parted at a sign (ASCII codes)."""
    out, home = folder / f"opened-{sign.replace('/', '-')}", folder / "home"
    how = [f"-env:UserInstallation={home.as_uri()}", f"--infilter=CSV:{sign},34,76,1", "--convert-to", "fods"]
    words = ["soffice", "--headless", *how, "--outdir", str(out), *map(str, files)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return {file.name: runs(out / f"{file.stem}.fods") for file in files}


def runs(path: Path) -> list[str]:
    """Return formulas and whatever else is more than text, as LibreOffice's flat format has them."""
    found, whole = [], ET.parse(path).getroot()  # noqa: S314 -- our own LibreOffice wrote it
    assert "=1+1" in "".join(whole.itertext()), "the payloads are not in what was opened"
    for element in whole.iter():
        kind, text = element.tag.rpartition("}")[2], "".join(element.itertext()).strip()
        formula = next((value for name, value in element.attrib.items() if name.endswith("}formula")), None)
        if formula is not None or (kind in RUNS and (text or kind != "script")):  # each has an empty one
            found.append(f"{kind} {formula or text!r}")
    return found


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Any:  # noqa: ANN401 -- yields what it lays
    with traps.trap(tmp_path_factory.mktemp("trap")) as trap:
        said = [text.format(port=trap.port, canary=trap.folder / "canary.csv") for text in CALLS]
        shown = [text for text in test_payloads.PAYLOADS if text.replace("\x00", "") == text]
        yield [*dict.fromkeys([*said, *shown])], trap


@pytest.mark.parametrize("sign", SIGNS.values(), ids=SIGNS)
def test_nothing_of_what_we_write_runs(tmp_path: Path, texts: tuple[list[str], traps.Trap], sign: str) -> None:
    assert len(texts[0]) >= 40
    files = written(tmp_path, texts[0])
    assert len(files) == 5
    assert opened(files, sign, tmp_path) == {file.name: [] for file in files}
    assert not texts[1].sprung()


@pytest.mark.parametrize("sign", SIGNS.values(), ids=SIGNS)
def test_what_a_naive_writer_leaves_runs(tmp_path: Path, texts: tuple[list[str], traps.Trap], sign: str) -> None:
    (found,) = opened(naive(tmp_path, texts[0]), sign, tmp_path).values()
    assert len(found) >= 5
