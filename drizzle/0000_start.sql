CREATE TABLE `addresses` (
	`project_id` text NOT NULL,
	`address` text NOT NULL,
	`last` integer NOT NULL,
	`trimmed_through` integer NOT NULL,
	PRIMARY KEY(`project_id`, `address`)
);
--> statement-breakpoint
CREATE TABLE `api_keys` (
	`id` text PRIMARY KEY NOT NULL,
	`project_id` text NOT NULL,
	`name` text NOT NULL,
	`operator` integer NOT NULL,
	`secret_hash` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer,
	`revoked_at` integer
);
--> statement-breakpoint
CREATE INDEX `api_keys_by_project` ON `api_keys` (`project_id`,`id`);--> statement-breakpoint
CREATE TABLE `channels` (
	`project_id` text NOT NULL,
	`id` text NOT NULL,
	`type` text NOT NULL,
	`state` text,
	`version` integer NOT NULL,
	`history_messages` integer,
	`history_seconds` integer,
	`created_after` integer NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`project_id`, `id`)
);
--> statement-breakpoint
CREATE TABLE `idempotency_keys` (
	`project_id` text NOT NULL,
	`key` text NOT NULL,
	`fingerprint` text NOT NULL,
	`message` text NOT NULL,
	`expires_at` integer NOT NULL,
	PRIMARY KEY(`project_id`, `key`)
);
--> statement-breakpoint
CREATE INDEX `idempotency_keys_by_expiry` ON `idempotency_keys` (`expires_at`);--> statement-breakpoint
CREATE TABLE `logs` (
	`project_id` text PRIMARY KEY NOT NULL,
	`epoch` integer NOT NULL,
	`head` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `memberships` (
	`project_id` text NOT NULL,
	`channel_id` text NOT NULL,
	`token_id` text NOT NULL,
	`began_after` integer NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`project_id`, `channel_id`, `token_id`)
);
--> statement-breakpoint
CREATE INDEX `memberships_by_token` ON `memberships` (`project_id`,`token_id`,`channel_id`);--> statement-breakpoint
CREATE TABLE `messages` (
	`project_id` text NOT NULL,
	`sequence` integer NOT NULL,
	`address` text NOT NULL,
	`previous` integer NOT NULL,
	`id` text NOT NULL,
	`event` text NOT NULL,
	`data` text,
	`sender` text NOT NULL,
	`published_at` integer NOT NULL,
	PRIMARY KEY(`project_id`, `sequence`)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `messages_by_address` ON `messages` (`project_id`,`address`,`sequence`);--> statement-breakpoint
CREATE TABLE `projects` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `secrets` (
	`name` text PRIMARY KEY NOT NULL,
	`value` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `signing_keys` (
	`id` text PRIMARY KEY NOT NULL,
	`algorithm` text NOT NULL,
	`secret` text NOT NULL,
	`created_at` integer NOT NULL,
	`retired_at` integer,
	`expires_at` integer
);
--> statement-breakpoint
CREATE TABLE `tokens` (
	`id` text PRIMARY KEY NOT NULL,
	`project_id` text NOT NULL,
	`identity` text,
	`role` text NOT NULL,
	`grants` text,
	`connection_data` text,
	`state` text,
	`created_at` integer NOT NULL,
	`expires_at` integer,
	`revoked_at` integer
);
--> statement-breakpoint
CREATE INDEX `tokens_by_project` ON `tokens` (`project_id`,`id`);--> statement-breakpoint
CREATE INDEX `tokens_by_identity` ON `tokens` (`project_id`,`identity`,`id`);