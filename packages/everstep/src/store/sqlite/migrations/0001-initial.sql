-- Runs are kept in two rows. `runs` is what every step rewrites: small, found by its number, and in no index
-- but those of the few runs that have a wake-up, a holder or an end of retention. `visibility` is what lists and
-- lookups need: written at the start, at the close, and when search attributes change.

CREATE TABLE runs (
  ref INTEGER PRIMARY KEY,
  version INTEGER NOT NULL,
  -- Fingerprint of the visibility row: tells whether a commit has to touch it.
  fingerprint INTEGER NOT NULL,
  wake_at INTEGER NOT NULL,
  delete_at INTEGER NOT NULL,
  history_events INTEGER NOT NULL,
  history_bytes INTEGER NOT NULL,
  checksum INTEGER NOT NULL,
  holder TEXT NOT NULL,
  operation_token TEXT NOT NULL,
  state BLOB NOT NULL
);
-- A run that a process holds nearly always has a deadline too: one index serves both, so one page a commit.
CREATE INDEX runs_at_work ON runs (wake_at, holder) WHERE wake_at > 0 OR holder <> '';
CREATE INDEX runs_by_delete_at ON runs (delete_at) WHERE delete_at > 0;

CREATE TABLE visibility (
  ref INTEGER PRIMARY KEY,
  namespace INTEGER NOT NULL,
  is_current INTEGER NOT NULL,
  workflow_id TEXT NOT NULL,
  run_id TEXT NOT NULL,
  workflow_type TEXT NOT NULL,
  task_queue TEXT NOT NULL,
  status TEXT NOT NULL,
  start_time INTEGER NOT NULL,
  execution_time INTEGER NOT NULL,
  close_time INTEGER NOT NULL,
  parent_workflow_id TEXT NOT NULL,
  parent_run_id TEXT NOT NULL,
  -- NULL: the run's own id, which most runs have here.
  root_workflow_id TEXT,
  root_run_id TEXT,
  first_run_id TEXT,
  memo BLOB,
  search_attributes BLOB,
  -- JSON object of the custom search attributes.
  search_values TEXT
);
-- Nearly every run is the current one of its workflow id, so the ids are indexed in two parts: one entry a run.
CREATE UNIQUE INDEX visibility_current ON visibility (namespace, workflow_id) WHERE is_current = 1;
CREATE UNIQUE INDEX visibility_former ON visibility (namespace, workflow_id, run_id) WHERE is_current = 0;
CREATE INDEX visibility_by_start ON visibility (namespace, start_time);
CREATE INDEX visibility_by_type ON visibility (namespace, workflow_type, start_time);
CREATE INDEX visibility_by_status ON visibility (namespace, status, start_time);
CREATE INDEX visibility_by_parent ON visibility (namespace, parent_workflow_id, start_time)
  WHERE parent_workflow_id <> '';

-- One row a commit; rows are appended, the index finds them by run.
CREATE TABLE history (
  id INTEGER PRIMARY KEY,
  ref INTEGER NOT NULL,
  first_event_id INTEGER NOT NULL,
  next_event_id INTEGER NOT NULL,
  checksum INTEGER NOT NULL,
  bytes BLOB NOT NULL
);
CREATE UNIQUE INDEX history_by_run ON history (ref, first_event_id);

CREATE TABLE tasks (
  task_id INTEGER PRIMARY KEY,
  ref INTEGER NOT NULL,
  namespace INTEGER NOT NULL,
  kind TEXT NOT NULL,
  task_queue TEXT NOT NULL,
  normal_task_queue TEXT NOT NULL,
  scheduled_event_id INTEGER NOT NULL,
  stamp INTEGER NOT NULL,
  type TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  claimed_by TEXT NOT NULL
);
CREATE INDEX tasks_by_queue ON tasks (namespace, kind, task_queue, claimed_by, created_at);
CREATE INDEX tasks_by_run ON tasks (ref);
CREATE INDEX tasks_claimed ON tasks (claimed_by) WHERE claimed_by <> '';

CREATE TABLE outbox (
  outbox_id INTEGER PRIMARY KEY,
  ref INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  bytes BLOB NOT NULL
);
CREATE INDEX outbox_by_age ON outbox (created_at);
CREATE INDEX outbox_by_run ON outbox (ref);

CREATE TABLE mail (
  mail_id INTEGER PRIMARY KEY,
  process_id TEXT NOT NULL,
  bytes BLOB NOT NULL
);
CREATE INDEX mail_by_process ON mail (process_id);

CREATE TABLE processes (
  process_id TEXT PRIMARY KEY,
  pid INTEGER NOT NULL,
  host_id TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  heartbeat_at INTEGER NOT NULL,
  -- JSON array.
  queues TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE namespaces (
  namespace_id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  version INTEGER NOT NULL,
  config BLOB NOT NULL
) WITHOUT ROWID;

-- A namespace id is 36 bytes and would stand in each index entry; its number takes one or two.
CREATE TABLE namespace_numbers (
  namespace INTEGER PRIMARY KEY,
  namespace_id TEXT NOT NULL UNIQUE
);

-- Numbers are handed to processes in blocks, so that none is ever used twice.
CREATE TABLE number_blocks (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  next INTEGER NOT NULL
);
INSERT INTO number_blocks (one, next) VALUES (1, 1);
