-- HA1s of the login name username@domain, which some phones use: H(username@domain:realm:password). OpenSIPS had `ha1b` in `subscriber`
-- until 3.1. '': unknown.

ALTER TABLE strowger_subscriber ADD COLUMN ha1b CHAR(32) NOT NULL DEFAULT '';

ALTER TABLE strowger_subscriber ADD COLUMN ha1b_sha256 CHAR(64) NOT NULL DEFAULT '';
