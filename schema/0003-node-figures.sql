-- Columns that the operator reads of each node: its pod, its load, and whether datagrams from outside arrive. Each statement adds one
-- column: a column that already exists counts as added, so that an interrupted migration can continue.

ALTER TABLE strowger_node ADD COLUMN name VARCHAR(253) NOT NULL DEFAULT '';

-- INVITEs answered with 2xx in the last minute.
ALTER TABLE strowger_node ADD COLUMN calls_per_minute INT UNSIGNED NOT NULL DEFAULT 0;

-- New requests that phones sent to this node in the last minute, without requests that a peer handed over.
ALTER TABLE strowger_node ADD COLUMN requests_per_minute INT UNSIGNED NOT NULL DEFAULT 0;

-- Time of the last datagram from outside the ranges of pods and nodes. 0: never.
ALTER TABLE strowger_node ADD COLUMN outside_seen_at BIGINT UNSIGNED NOT NULL DEFAULT 0;
