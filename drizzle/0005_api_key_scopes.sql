ALTER TABLE `api_keys` ADD `scopes` text;--> statement-breakpoint
ALTER TABLE `api_keys` ADD `channels` text;--> statement-breakpoint
ALTER TABLE `api_keys` ADD `lasts_until` integer;