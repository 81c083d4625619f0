"""What does a publication say of itself: of the run that made it, and of the rows that it could not take?"""

from __future__ import annotations

from typing import Final

from geo.columns import Table
from geo.columns import column as _c

QUARANTINE: Final = Table(
    "quarantine",
    None,
    "a refused row, without its raw text",
    (
        _c("batch_no", "int", "batch that brought it"),
        _c("source", "text", "source"),
        _c("file", "text", "file name"),
        _c("row_no", "int", "number of the record in the file, from 1"),
        _c("reason_code", "text", "reason, for machines"),
        _c("reason", "text", "reason, for people"),
    ),
)
RUN: Final = Table(
    "run",
    None,
    "this run",
    (
        _c("run_id", "text", "key of this publication: a hash of everything that it depends on"),
        _c("theatre", "text", "theatre"),
        _c("title", "text", "its title"),
        _c("standing", "text", "operational, or illustrative: without legal meaning", ("operational", "illustrative")),
        _c("scope", "text", "whole, or the region of a region run"),
        _c("as_of", "time", "the moment that the answer is about"),
        _c("known_at", "time", "the moment of knowledge; empty: all that was known"),
        _c("hindsight", "bool", "whether later knowledge than as_of was used"),
        _c("replay", "bool", "whether history was imported with the knowledge time of its sources"),
        _c("ledger_no", "int", "last ledger number that was known"),
        _c("ledger_head", "text", "head of the ledger's hash chain"),
        _c("theatre_hash", "text", "SHA-256 of the theatre"),
        _c("policy_version", "text", "policy in force at as_of"),
        _c("policy_hash", "text", "SHA-256 of the policy"),
        _c("version", "text", "version of Ceasewatch"),
        _c("rows", "int", "rows read"),
        _c("rows_new", "int", "of these new reports"),
        _c("rows_revision", "int", "revisions"),
        _c("rows_duplicate", "int", "duplicates"),
        _c("rows_conflict", "int", "conflicts"),
        _c("rows_retraction", "int", "retractions"),
        _c("rows_heartbeat", "int", "heartbeats"),
        _c("rows_quarantined", "int", "quarantined"),
        _c("reports", "int", "active reports"),
        _c("reports_in_window", "int", "of these with an observation surely inside a ceasefire window"),
        _c("violations", "int", "violations"),
        _c("incidents", "int", "incidents, candidates not counted"),
        _c("candidates", "int", "candidates"),
    ),
)
