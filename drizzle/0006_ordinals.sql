ALTER TABLE `addresses` ADD `last_ordinal` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `messages` ADD `ordinal` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `messages` ADD `idempotency_key` text;--> statement-breakpoint
UPDATE `messages` SET `ordinal` = `numbered`.`ordinal` FROM (SELECT `project_id`, `sequence`, row_number() OVER (PARTITION BY `project_id`, `address` ORDER BY `sequence`) AS `ordinal` FROM `messages`) AS `numbered` WHERE `messages`.`project_id` = `numbered`.`project_id` AND `messages`.`sequence` = `numbered`.`sequence`;--> statement-breakpoint
UPDATE `addresses` SET `last_ordinal` = coalesce((SELECT `ordinal` FROM `messages` WHERE `messages`.`project_id` = `addresses`.`project_id` AND `messages`.`address` = `addresses`.`address` ORDER BY `sequence` DESC LIMIT 1), 0);
