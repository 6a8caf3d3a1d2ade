CREATE TABLE `issuer_keys` (
	`project_id` text NOT NULL,
	`issuer_id` text NOT NULL,
	`id` text NOT NULL,
	`sealed_secret` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer,
	PRIMARY KEY(`issuer_id`, `id`)
);
--> statement-breakpoint
CREATE TABLE `issuers` (
	`id` text PRIMARY KEY NOT NULL,
	`project_id` text NOT NULL,
	`kind` text NOT NULL,
	`name` text NOT NULL,
	`account` text,
	`service` text,
	`provider` text,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `issuers_by_project` ON `issuers` (`project_id`,`id`);--> statement-breakpoint
CREATE TABLE `restrictions` (
	`id` text NOT NULL,
	`project_id` text NOT NULL,
	`kind` text NOT NULL,
	`subject` text NOT NULL,
	`channel_id` text NOT NULL,
	`reason` text,
	`created_at` integer NOT NULL,
	`until` integer,
	PRIMARY KEY(`project_id`, `subject`, `kind`, `channel_id`)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `restrictions_by_id` ON `restrictions` (`project_id`,`id`);--> statement-breakpoint
CREATE INDEX `restrictions_by_channel` ON `restrictions` (`project_id`,`channel_id`,`id`);--> statement-breakpoint
CREATE INDEX `restrictions_by_until` ON `restrictions` (`until`);--> statement-breakpoint
CREATE TABLE `revocations` (
	`project_id` text NOT NULL,
	`scope` text NOT NULL,
	`subject` text NOT NULL,
	`issued_before` integer NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`project_id`, `scope`, `subject`)
);
--> statement-breakpoint
ALTER TABLE `api_keys` ADD `sealed_secret` text;--> statement-breakpoint
ALTER TABLE `api_keys` ADD `lineage` text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE `channels` ADD `kind` text;--> statement-breakpoint
ALTER TABLE `projects` ADD `settings` text DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE `tokens` ADD `origin` text DEFAULT 'MINTED' NOT NULL;--> statement-breakpoint
ALTER TABLE `tokens` ADD `issuer_id` text;--> statement-breakpoint
ALTER TABLE `tokens` ADD `subject` text;--> statement-breakpoint
ALTER TABLE `tokens` ADD `custom_role` text;--> statement-breakpoint
ALTER TABLE `tokens` ADD `claims` text;--> statement-breakpoint
ALTER TABLE `tokens` ADD `forget_after` integer;--> statement-breakpoint
CREATE UNIQUE INDEX `tokens_by_subject` ON `tokens` (`project_id`,`issuer_id`,`subject`);--> statement-breakpoint
CREATE INDEX `tokens_to_forget` ON `tokens` (`forget_after`);