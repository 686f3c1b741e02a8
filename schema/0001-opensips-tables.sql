-- Tables of OpenSIPS and its tools, with the columns and version numbers of OpenSIPS 4.0. An existing table is not changed:
-- a database of an older OpenSIPS, or with another charset, is used as it is.
-- The migrator replaces {names} by the collation of names (SIP user parts are case-sensitive, and trailing spaces are significant).

CREATE TABLE IF NOT EXISTS version (
  table_name CHAR(32) NOT NULL PRIMARY KEY,
  table_version INT UNSIGNED NOT NULL DEFAULT 0
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE {names};

CREATE TABLE IF NOT EXISTS domain (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  domain CHAR(64) NOT NULL DEFAULT '',
  attrs CHAR(255) DEFAULT NULL,
  accept_subdomain INT UNSIGNED NOT NULL DEFAULT 0,
  last_modified DATETIME NOT NULL DEFAULT '1900-01-01 00:00:01',
  CONSTRAINT domain_idx UNIQUE (domain)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE {names};

CREATE TABLE IF NOT EXISTS subscriber (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  username CHAR(64) NOT NULL DEFAULT '',
  domain CHAR(64) NOT NULL DEFAULT '',
  password CHAR(25) NOT NULL DEFAULT '',
  ha1 CHAR(64) NOT NULL DEFAULT '',
  ha1_sha256 CHAR(64) NOT NULL DEFAULT '',
  ha1_sha512t256 CHAR(64) NOT NULL DEFAULT '',
  CONSTRAINT account_idx UNIQUE (username, domain),
  INDEX username_idx (username)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE {names};

-- OpenSIPS does not have the index on the address of record: it keeps locations in memory. Strowger reads them by address of record.
CREATE TABLE IF NOT EXISTS location (
  contact_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  username CHAR(64) NOT NULL DEFAULT '',
  domain CHAR(64) DEFAULT NULL,
  contact TEXT NOT NULL,
  received CHAR(255) DEFAULT NULL,
  path CHAR(255) DEFAULT NULL,
  expires INT UNSIGNED NOT NULL,
  q FLOAT(10,2) NOT NULL DEFAULT 1.0,
  callid CHAR(255) NOT NULL DEFAULT 'Default-Call-ID',
  cseq INT NOT NULL DEFAULT 13,
  last_modified DATETIME NOT NULL DEFAULT '1900-01-01 00:00:01',
  flags INT NOT NULL DEFAULT 0,
  cflags CHAR(255) DEFAULT NULL,
  user_agent CHAR(255) NOT NULL DEFAULT '',
  socket CHAR(64) DEFAULT NULL,
  methods INT DEFAULT NULL,
  sip_instance CHAR(255) DEFAULT NULL,
  kv_store TEXT(512) DEFAULT NULL,
  attr CHAR(255) DEFAULT NULL,
  INDEX account_idx (username, domain),
  INDEX expires_idx (expires)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE {names};

CREATE TABLE IF NOT EXISTS dbaliases (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  alias_username CHAR(64) NOT NULL DEFAULT '',
  alias_domain CHAR(64) NOT NULL DEFAULT '',
  username CHAR(64) NOT NULL DEFAULT '',
  domain CHAR(64) NOT NULL DEFAULT '',
  CONSTRAINT alias_idx UNIQUE (alias_username, alias_domain),
  INDEX target_idx (username, domain)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE {names};

CREATE TABLE IF NOT EXISTS acc (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  method CHAR(16) NOT NULL DEFAULT '',
  from_tag CHAR(64) NOT NULL DEFAULT '',
  to_tag CHAR(64) NOT NULL DEFAULT '',
  callid CHAR(64) NOT NULL DEFAULT '',
  sip_code CHAR(3) NOT NULL DEFAULT '',
  sip_reason CHAR(32) NOT NULL DEFAULT '',
  time DATETIME NOT NULL,
  duration INT UNSIGNED NOT NULL DEFAULT 0,
  ms_duration INT UNSIGNED NOT NULL DEFAULT 0,
  setuptime INT UNSIGNED NOT NULL DEFAULT 0,
  created DATETIME DEFAULT NULL,
  INDEX callid_idx (callid)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE {names};

CREATE TABLE IF NOT EXISTS missed_calls (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  method CHAR(16) NOT NULL DEFAULT '',
  from_tag CHAR(64) NOT NULL DEFAULT '',
  to_tag CHAR(64) NOT NULL DEFAULT '',
  callid CHAR(64) NOT NULL DEFAULT '',
  sip_code CHAR(3) NOT NULL DEFAULT '',
  sip_reason CHAR(32) NOT NULL DEFAULT '',
  time DATETIME NOT NULL,
  setuptime INT UNSIGNED NOT NULL DEFAULT 0,
  created DATETIME DEFAULT NULL,
  INDEX callid_idx (callid)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE {names};
