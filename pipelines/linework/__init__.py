"""Which line does a file draw, and can it be used?

The file of a day may be anything: empty, a control area, latitude first. Whatever it is, it becomes one entry of the
ledger, with the line or with the reason why there is none. The modules, in import order: ``drawn`` (what a line must
be), ``geojson``, ``kml``, ``geopackage`` (one reader a format), ``reading`` (which of them, and of which day),
``entry`` (what the ledger keeps).
"""
