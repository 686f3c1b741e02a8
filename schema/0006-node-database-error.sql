-- The error of a node that cannot open a new connection to the database, while its open connections still work. '': no error.

ALTER TABLE strowger_node ADD COLUMN database_error VARCHAR(255) NOT NULL DEFAULT '';
