CREATE TABLE `membership_removals` (
	`project_id` text NOT NULL,
	`token_id` text NOT NULL,
	`channel_id` text NOT NULL,
	`removed_at` integer NOT NULL,
	PRIMARY KEY(`project_id`, `token_id`, `channel_id`)
);
--> statement-breakpoint
CREATE TABLE `trimmed_events` (
	`project_id` text NOT NULL,
	`address` text NOT NULL,
	`event` text NOT NULL,
	`through` integer NOT NULL,
	PRIMARY KEY(`project_id`, `address`, `event`)
);
--> statement-breakpoint
ALTER TABLE `memberships` ADD `made_by` text DEFAULT 'BACKEND' NOT NULL;--> statement-breakpoint
UPDATE `memberships` SET `made_by` = 'TOKEN' WHERE EXISTS (SELECT 1 FROM `channels` WHERE `channels`.`project_id` = `memberships`.`project_id` AND `channels`.`id` = `memberships`.`channel_id` AND `channels`.`type` <> 'PRIVATE');--> statement-breakpoint
INSERT INTO `trimmed_events` (`project_id`, `address`, `event`, `through`) SELECT `project_id`, `address`, '*', `trimmed_through` FROM `addresses` WHERE `trimmed_through` > 0;
