-- What a next release might do to tables in use: one of its own that is filled, a column more, an index.
CREATE TABLE next_form (ref bigint PRIMARY KEY, version bigint NOT NULL);
INSERT INTO next_form (ref, version) SELECT ref, version FROM runs;
ALTER TABLE runs ADD COLUMN state_bytes integer NOT NULL DEFAULT 0;
UPDATE runs SET state_bytes = length(state);
CREATE INDEX runs_by_state_bytes ON runs (state_bytes);
