-- How the phone that a URI names itself by is found. One change a statement: a column that is there already counts as added, so that a
-- migration that was cut off goes on.

-- Hash of user, host and port of the binding's contact. 0: written before; the next refresh fills it in.
ALTER TABLE strowger_flow ADD COLUMN contact_key BIGINT UNSIGNED NOT NULL DEFAULT 0, ADD INDEX contact_key_idx (contact_key);

-- Where one side of a dialog is since it changed its address within it (RFC 3261 §12.2.1.2). side_id: hash of the Call-ID and both tags,
-- that side's first. contact_key: of the Contact that it said; requests of the other side carry it in their Request-URI.
CREATE TABLE IF NOT EXISTS strowger_dialog_target (
  side_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  contact_key BIGINT UNSIGNED NOT NULL,
  flow VARCHAR(80) NOT NULL,
  behind_nat TINYINT UNSIGNED NOT NULL,
  owner_node CHAR(12) NOT NULL,
  refreshed_at BIGINT UNSIGNED NOT NULL,
  INDEX refreshed_idx (refreshed_at)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE {names};
