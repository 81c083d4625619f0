"""What can be asked for on the command line?

One command a file. What a command needs is imported when it runs, so that help is quick.
"""

from __future__ import annotations

import atexit
import gc

import click

from pipelines.cli.backtest import backtest
from pipelines.cli.backup import backup
from pipelines.cli.demo import demo
from pipelines.cli.erase import erase
from pipelines.cli.explain import explain
from pipelines.cli.export import export
from pipelines.cli.ingest import ingest
from pipelines.cli.init import init
from pipelines.cli.line import line
from pipelines.cli.quarantine import quarantine
from pipelines.cli.review import review
from pipelines.cli.run import run
from pipelines.cli.serve import serve
from pipelines.cli.simulate import simulate
from pipelines.cli.verify import verify


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="ceasewatch", message="%(prog)s %(version)s")
def main() -> None:
    """Watch a ceasefire along a front line: reports in, breaches and their escalation state out.

    \b
    Start with:  ceasewatch demo
    """  # noqa: D301 -- \b keeps click from joining the lines


for _command in (
    demo,
    init,
    ingest,
    quarantine,
    line,
    review,
    run,
    explain,
    export,
    backtest,
    simulate,
    serve,
    verify,
    erase,
    backup,
):
    main.add_command(_command)

atexit.register(gc.freeze)  # as a process ends, Python looks through all that it still holds for cycles: a tenth second
