ALTER TABLE `api_keys` RENAME COLUMN `lineage` TO `root_key_id`;--> statement-breakpoint
ALTER TABLE `tokens` RENAME COLUMN `claims` TO `credential_rights`;
