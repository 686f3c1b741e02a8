-- Strowger's own tables. Side tables extend an OpenSIPS table without changing it. A row without a side row has the defaults.
-- Columns named *_at contain milliseconds since 1970 by the database's clock.

-- One row (id 1): the owner of this database, and the number that every write of the operator raises first. The leader holds the epoch.
CREATE TABLE IF NOT EXISTS strowger_meta (
  id TINYINT UNSIGNED NOT NULL PRIMARY KEY,
  installation_id CHAR(36) NOT NULL,
  cluster_namespace VARCHAR(63) NOT NULL DEFAULT '',
  cluster_name VARCHAR(253) NOT NULL DEFAULT '',
  cluster_uid VARCHAR(320) NOT NULL DEFAULT '',
  epoch BIGINT UNSIGNED NOT NULL DEFAULT 0,
  change_seq BIGINT UNSIGNED NOT NULL DEFAULT 0,
  leader VARCHAR(253) NOT NULL DEFAULT '',
  leader_beat_at BIGINT UNSIGNED NOT NULL DEFAULT 0
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE {names};

-- Owner rows: the objects of this installation that own rows. `fields` has the immutable fields and the names of the rows as JSON.
CREATE TABLE IF NOT EXISTS strowger_owner (
  installation_id CHAR(36) NOT NULL,
  kind VARCHAR(63) NOT NULL,
  namespace VARCHAR(63) NOT NULL,
  name VARCHAR(253) NOT NULL,
  uid VARCHAR(320) NOT NULL,
  generation BIGINT UNSIGNED NOT NULL DEFAULT 0,
  deletion_policy VARCHAR(16) NOT NULL,
  fields TEXT NOT NULL,
  change_seq BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (installation_id, kind, namespace, name)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE {names};

-- Claims: a name belongs to one object. Domains and their aliases have kind `domain`, users and their aliases kind `user` (name: user@domain).
CREATE TABLE IF NOT EXISTS strowger_claim (
  kind VARCHAR(16) NOT NULL,
  name VARCHAR(160) NOT NULL,
  installation_id CHAR(36) NOT NULL,
  owner_kind VARCHAR(63) NOT NULL,
  owner_namespace VARCHAR(63) NOT NULL,
  owner_name VARCHAR(253) NOT NULL,
  PRIMARY KEY (kind, name),
  INDEX owner_idx (owner_namespace, owner_name)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE {names};

-- Side table of `domain`. A row with alias_of names another domain of the table and has no settings. NULL: the node's default.
CREATE TABLE IF NOT EXISTS strowger_domain (
  domain CHAR(64) NOT NULL PRIMARY KEY,
  alias_of CHAR(64) DEFAULT NULL,
  realm VARCHAR(255) DEFAULT NULL,
  enabled TINYINT UNSIGNED NOT NULL DEFAULT 1,
  min_expires INT UNSIGNED DEFAULT NULL,
  default_expires INT UNSIGNED DEFAULT NULL,
  max_expires INT UNSIGNED DEFAULT NULL,
  max_contacts INT UNSIGNED DEFAULT NULL,
  algorithms VARCHAR(64) DEFAULT NULL,
  change_seq BIGINT UNSIGNED NOT NULL DEFAULT 0,
  INDEX alias_idx (alias_of)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE {names};

-- Side table of `subscriber`.
CREATE TABLE IF NOT EXISTS strowger_subscriber (
  username CHAR(64) NOT NULL,
  domain CHAR(64) NOT NULL,
  enabled TINYINT UNSIGNED NOT NULL DEFAULT 1,
  max_contacts INT UNSIGNED DEFAULT NULL,
  display_name VARCHAR(255) DEFAULT NULL,
  change_seq BIGINT UNSIGNED NOT NULL DEFAULT 0,
  PRIMARY KEY (username, domain)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE {names};

-- The version of an address of record. Every change of its bindings raises it, and only from the value that the change was planned with.
CREATE TABLE IF NOT EXISTS strowger_aor (
  username CHAR(64) NOT NULL,
  domain CHAR(64) NOT NULL,
  version BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (username, domain)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE {names};

-- Side table of `location`: the flow of a binding (transport:ip:port), the node that used it last, and the nonce of the last REGISTER.
CREATE TABLE IF NOT EXISTS strowger_flow (
  contact_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  flow VARCHAR(80) NOT NULL,
  owner_node CHAR(12) NOT NULL,
  reg_id INT UNSIGNED NOT NULL DEFAULT 0,
  nonce_at BIGINT UNSIGNED NOT NULL DEFAULT 0,
  nonce_count INT UNSIGNED NOT NULL DEFAULT 0,
  registered_at BIGINT UNSIGNED NOT NULL DEFAULT 0,
  refreshed_at BIGINT UNSIGNED NOT NULL DEFAULT 0
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE {names};

-- The nodes find each other here. A row is one start of a node's process. `load` is the number of its open transactions.
CREATE TABLE IF NOT EXISTS strowger_node (
  node_id CHAR(12) NOT NULL PRIMARY KEY,
  address VARCHAR(64) NOT NULL,
  version VARCHAR(32) NOT NULL DEFAULT '',
  schema_min INT UNSIGNED NOT NULL DEFAULT 0,
  schema_max INT UNSIGNED NOT NULL DEFAULT 0,
  configuration_hash VARCHAR(64) NOT NULL DEFAULT '',
  load_transactions INT UNSIGNED NOT NULL DEFAULT 0,
  draining TINYINT UNSIGNED NOT NULL DEFAULT 0,
  started_at BIGINT UNSIGNED NOT NULL,
  beat_at BIGINT UNSIGNED NOT NULL,
  INDEX beat_idx (beat_at)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE {names};
