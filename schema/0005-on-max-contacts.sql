-- What happens when a user registers more contacts than max_contacts: ReplaceOldest or Reject. NULL: the node's default.
ALTER TABLE strowger_domain ADD COLUMN on_max_contacts VARCHAR(16) DEFAULT NULL;
