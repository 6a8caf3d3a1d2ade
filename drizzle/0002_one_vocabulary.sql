ALTER TABLE `api_keys` RENAME COLUMN `lineage` TO `root_key_id`;--> statement-breakpoint
ALTER TABLE `tokens` RENAME COLUMN `claims` TO `credential_rights`;--> statement-breakpoint
ALTER TABLE `tokens` RENAME COLUMN `forget_after` TO `purge_after`;--> statement-breakpoint
DROP INDEX `tokens_to_forget`;--> statement-breakpoint
CREATE INDEX `tokens_to_purge` ON `tokens` (`purge_after`);
