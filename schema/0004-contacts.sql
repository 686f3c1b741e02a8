-- The look-up of a binding by its contact. Each statement makes one change: a column that already exists counts as added, so that an
-- interrupted migration can continue.

-- Hash of user, host and port of the binding's contact. 0: written before this migration. The next refresh sets it.
ALTER TABLE strowger_flow ADD COLUMN contact_key BIGINT UNSIGNED NOT NULL DEFAULT 0, ADD INDEX contact_key_idx (contact_key);

-- The new flow of a dialog's side that changed its address during the dialog (RFC 3261 §12.2.1.2). side_id: hash of the Call-ID and both
-- tags, the tag of that side first. contact_key: key of its new Contact, which the other side uses as Request-URI.
CREATE TABLE IF NOT EXISTS strowger_dialog_target (
  side_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  contact_key BIGINT UNSIGNED NOT NULL,
  flow VARCHAR(80) NOT NULL,
  behind_nat TINYINT UNSIGNED NOT NULL,
  owner_node CHAR(12) NOT NULL,
  refreshed_at BIGINT UNSIGNED NOT NULL,
  INDEX refreshed_idx (refreshed_at)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE {names};
