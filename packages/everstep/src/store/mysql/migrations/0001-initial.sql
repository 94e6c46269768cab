-- Runs are kept in two rows. `runs` is what every step rewrites, found by its number. `visibility` is what lists and
-- lookups need: written at the start, at the close, and when search attributes change.
--
-- Times are epoch milliseconds, 0 = none. Ids are VARBINARY: they are compared byte for byte, blanks at the end too.
-- Each statement may be made again: what a migration has done stays when its process dies in the middle of it.

CREATE TABLE IF NOT EXISTS `everstep_runs` (
  ref BIGINT NOT NULL PRIMARY KEY,
  version BIGINT NOT NULL,
  -- Of the visibility row: tells whether a commit has to touch it.
  fingerprint BIGINT NOT NULL,
  wake_at DOUBLE NOT NULL,
  delete_at DOUBLE NOT NULL,
  history_events BIGINT NOT NULL,
  history_bytes BIGINT NOT NULL,
  checksum BIGINT NOT NULL,
  holder VARBINARY(255) NOT NULL,
  operation_token VARBINARY(255) NOT NULL,
  state LONGBLOB NOT NULL,
  KEY runs_by_wake_at (wake_at),
  KEY runs_by_holder (holder),
  KEY runs_by_delete_at (delete_at)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `everstep_visibility` (
  ref BIGINT NOT NULL PRIMARY KEY,
  namespace INT NOT NULL,
  workflow_id VARBINARY(1000) NOT NULL,
  run_id VARBINARY(1000) NOT NULL,
  -- The run id, and '' while the run is the current one of its workflow id: so there is one at most.
  former VARBINARY(1000) NOT NULL,
  workflow_type VARBINARY(1000) NOT NULL,
  task_queue VARBINARY(1000) NOT NULL,
  status VARBINARY(40) NOT NULL,
  start_time DOUBLE NOT NULL,
  execution_time DOUBLE NOT NULL,
  close_time DOUBLE NOT NULL,
  parent_workflow_id VARBINARY(1000) NOT NULL,
  parent_run_id VARBINARY(1000) NOT NULL,
  -- NULL: the run's own id, which most runs have here.
  root_workflow_id VARBINARY(1000),
  root_run_id VARBINARY(1000),
  first_run_id VARBINARY(1000),
  memo LONGBLOB,
  search_attributes LONGBLOB,
  -- JSON object of the custom search attributes.
  search_values LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  UNIQUE KEY visibility_by_id (namespace, workflow_id, former),
  KEY visibility_by_start (namespace, start_time, ref),
  KEY visibility_by_type (namespace, workflow_type, start_time, ref),
  KEY visibility_by_status (namespace, status, start_time, ref),
  KEY visibility_by_parent (namespace, parent_workflow_id, start_time)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

-- One row a commit.
CREATE TABLE IF NOT EXISTS `everstep_history` (
  ref BIGINT NOT NULL,
  first_event_id BIGINT NOT NULL,
  next_event_id BIGINT NOT NULL,
  checksum BIGINT NOT NULL,
  bytes LONGBLOB NOT NULL,
  PRIMARY KEY (ref, first_event_id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `everstep_tasks` (
  task_id BIGINT NOT NULL PRIMARY KEY,
  ref BIGINT NOT NULL,
  namespace INT NOT NULL,
  kind VARBINARY(40) NOT NULL,
  task_queue VARBINARY(1000) NOT NULL,
  normal_task_queue VARBINARY(1000) NOT NULL,
  scheduled_event_id BIGINT NOT NULL,
  stamp BIGINT NOT NULL,
  type VARBINARY(1000) NOT NULL,
  created_at DOUBLE NOT NULL,
  claimed_by VARBINARY(255) NOT NULL DEFAULT '',
  -- Of the claim that took it, so that who claims can read back what it got.
  claim BIGINT NOT NULL DEFAULT 0,
  KEY tasks_by_queue (namespace, kind, task_queue, claimed_by, created_at, task_id),
  KEY tasks_by_run (ref),
  KEY tasks_claimed (claimed_by, claim)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `everstep_outbox` (
  outbox_id BIGINT NOT NULL PRIMARY KEY,
  ref BIGINT NOT NULL,
  created_at DOUBLE NOT NULL,
  bytes LONGBLOB NOT NULL,
  KEY outbox_by_age (created_at, outbox_id),
  KEY outbox_by_run (ref)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `everstep_mail` (
  mail_id BIGINT NOT NULL PRIMARY KEY,
  process_id VARBINARY(255) NOT NULL,
  bytes LONGBLOB NOT NULL,
  KEY mail_by_process (process_id, mail_id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `everstep_processes` (
  process_id VARBINARY(255) NOT NULL PRIMARY KEY,
  pid BIGINT NOT NULL,
  host_id VARBINARY(255) NOT NULL,
  started_at DOUBLE NOT NULL,
  heartbeat_at DOUBLE NOT NULL,
  -- JSON array.
  queues LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  -- Changes with every heartbeat, so that the server counts the row as changed whatever the clock says.
  beats BIGINT NOT NULL DEFAULT 0
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `everstep_namespaces` (
  namespace_id VARBINARY(1000) NOT NULL PRIMARY KEY,
  name VARBINARY(1000) NOT NULL,
  version BIGINT NOT NULL,
  config LONGBLOB NOT NULL,
  UNIQUE KEY namespaces_by_name (name)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

-- A namespace id is 36 bytes and would stand in each index entry; its number takes four.
CREATE TABLE IF NOT EXISTS `everstep_namespace_numbers` (
  namespace INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  namespace_id VARBINARY(1000) NOT NULL,
  UNIQUE KEY namespace_numbers_by_id (namespace_id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

-- Every commit holds a lock on a row of this table. A process that lost the answer to a commit deletes the row: that
-- waits for the commit if it is still under way, and refuses it if it has not begun.
CREATE TABLE IF NOT EXISTS `everstep_fences` (
  fence BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

-- Has the row 1. A commit that does not find what it expects inserts that row once more: the error ends it.
CREATE TABLE IF NOT EXISTS `everstep_refusals` (
  refusal INT NOT NULL PRIMARY KEY
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;
INSERT IGNORE INTO `everstep_refusals` (refusal) VALUES (1);

-- Numbers are handed to processes in blocks, so that none is ever used twice.
CREATE TABLE IF NOT EXISTS `everstep_number_blocks` (
  one INT NOT NULL PRIMARY KEY,
  next BIGINT NOT NULL
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;
INSERT IGNORE INTO `everstep_number_blocks` (one, next) VALUES (1, 1);

-- Counts what processes have told each other to look for.
CREATE TABLE IF NOT EXISTS `everstep_hints` (
  one INT NOT NULL PRIMARY KEY,
  rung BIGINT NOT NULL
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;
INSERT IGNORE INTO `everstep_hints` (one, rung) VALUES (1, 0);
