"""What a ceasefire's reports amount to: pure computation, values in, values out.

Reading order is import order, and a linter holds it::

    errors → policy → crs → tables → fronts → zones → theatre → reports → matching
           → violations → incidents → escalation → evidence → summary → assess

Nothing here reads a clock, a file, the network or the environment: time is an argument.
"""
