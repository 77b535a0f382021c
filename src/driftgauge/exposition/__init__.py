"""Snapshot and live counters -> exposition text, negotiated and compressed.

`text` renders a Snapshot once, `live` holds what counts between evaluations, `page` joins the two
for a scrape. Nothing here computes a statistic or knows of HTTP beyond three header values.
"""
