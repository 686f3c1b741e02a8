-- What an anonymous caller of the domain's users gets (RFC 5079): Allow, or Reject for a 433. NULL: the node's default.

ALTER TABLE strowger_domain ADD COLUMN anonymous_callers VARCHAR(16) DEFAULT NULL;
