"""What touches the world: files, the ledger, Prefect, screens.

Reading order is import order, and a linter holds it::

    settings → sources → ledger → workspace → simulator → layers → explain → flows → cli

The computation itself is in ``geo``; Prefect lives in ``pipelines.flows`` alone.
"""
