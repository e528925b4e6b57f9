-- From version 1 to 2: what a person says about runs, tags and notes.

CREATE TABLE tag(                   -- a person's words for runs; a star is the tag `star`
  run_id    INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  name      TEXT NOT NULL CHECK(name <> ''),
  at        TEXT NOT NULL,
  PRIMARY KEY(run_id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX tag_by_name ON tag(name);

CREATE TABLE note(                  -- remarks, the latest last
  run_id    INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  seq       INTEGER NOT NULL,
  at        TEXT NOT NULL,
  text      TEXT NOT NULL,
  PRIMARY KEY(run_id, seq)
) STRICT, WITHOUT ROWID;
