"""The trigger's own tables; each step and the record of it are one transaction."""

from __future__ import annotations

STEPS: tuple[str, ...] = (
    # Alerts as they were heard last, decisions (the whole one as JSON beside what is searched for), and
    # what happened to each.
    """
CREATE TABLE alerts (
  fingerprint TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  model TEXT NOT NULL,
  severity TEXT NOT NULL,
  firing INTEGER NOT NULL,
  starts_at REAL NOT NULL,
  heard_at REAL NOT NULL
);
CREATE INDEX alerts_by_time ON alerts (heard_at);
CREATE TABLE decisions (
  id TEXT PRIMARY KEY,
  policy TEXT NOT NULL,
  model TEXT NOT NULL,
  cause TEXT NOT NULL,
  state TEXT NOT NULL,
  opened_at REAL NOT NULL,
  until REAL NOT NULL,
  started_at REAL,
  closed_at REAL,
  decision TEXT NOT NULL
);
CREATE INDEX decisions_by_cause ON decisions (model, cause, until);
CREATE INDEX decisions_by_time ON decisions (opened_at);
CREATE INDEX decisions_by_start ON decisions (started_at) WHERE started_at IS NOT NULL;
CREATE TABLE events (
  id INTEGER PRIMARY KEY,
  decision TEXT NOT NULL REFERENCES decisions (id) ON DELETE CASCADE,
  time REAL NOT NULL,
  state TEXT NOT NULL,
  detail TEXT NOT NULL
);
CREATE INDEX events_by_decision ON events (decision);
""",
)
