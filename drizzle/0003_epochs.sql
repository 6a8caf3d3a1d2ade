CREATE TABLE `log_epochs` (
	`project_id` text NOT NULL,
	`began_after` integer NOT NULL,
	`epoch` integer NOT NULL,
	PRIMARY KEY(`project_id`, `began_after`)
);
--> statement-breakpoint
INSERT INTO `log_epochs` (`project_id`, `began_after`, `epoch`) SELECT `project_id`, -1, `epoch` FROM `logs`;--> statement-breakpoint
ALTER TABLE `logs` DROP COLUMN `epoch`;
