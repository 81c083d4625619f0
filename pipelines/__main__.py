"""What does ``python -m pipelines`` do? The same as ``ceasewatch``."""

from pipelines.cli import main

main(prog_name="ceasewatch")
