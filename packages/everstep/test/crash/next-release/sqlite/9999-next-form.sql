-- What a next release might do to a file in use: a table of its own that is filled, a column more, an index.
CREATE TABLE next_form (ref INTEGER PRIMARY KEY, version INTEGER NOT NULL);
INSERT INTO next_form (ref, version) SELECT ref, version FROM runs;
ALTER TABLE runs ADD COLUMN state_bytes INTEGER NOT NULL DEFAULT 0;
UPDATE runs SET state_bytes = length(state);
CREATE INDEX runs_by_state_bytes ON runs (state_bytes);
