-- What the operator reads of each node: which pod it is, how busy, and whether phones reach it from outside. One column a statement: a
-- column that is there already counts as added, so that a migration that was cut off goes on.

ALTER TABLE strowger_node ADD COLUMN name VARCHAR(253) NOT NULL DEFAULT '';

-- INVITEs answered with 2xx in the last minute.
ALTER TABLE strowger_node ADD COLUMN calls_per_minute INT UNSIGNED NOT NULL DEFAULT 0;

-- New requests that phones sent to this node itself in the last minute, none handed over by a peer.
ALTER TABLE strowger_node ADD COLUMN requests_per_minute INT UNSIGNED NOT NULL DEFAULT 0;

-- When the last datagram came from outside the ranges of pods and nodes; 0: never.
ALTER TABLE strowger_node ADD COLUMN outside_seen_at BIGINT UNSIGNED NOT NULL DEFAULT 0;
