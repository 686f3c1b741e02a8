-- Why a node cannot sign in to the database anew, while its open connections go on; '': it can.

ALTER TABLE strowger_node ADD COLUMN database_error VARCHAR(255) NOT NULL DEFAULT '';
