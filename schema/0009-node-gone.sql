-- A node without a heartbeat for 10 s is marked gone by another node: from then on its commits are refused, until it joins again. 0: not gone.

ALTER TABLE strowger_node ADD COLUMN gone TINYINT UNSIGNED NOT NULL DEFAULT 0;
