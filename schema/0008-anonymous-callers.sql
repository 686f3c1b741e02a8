-- Treatment of anonymous callers of the domain's users (RFC 5079): Allow, or Reject (433). NULL: the node's default.

ALTER TABLE strowger_domain ADD COLUMN anonymous_callers VARCHAR(16) DEFAULT NULL;
