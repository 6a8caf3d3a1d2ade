CREATE TABLE "addresses" (
	"project_id" text COLLATE "C" NOT NULL,
	"address" text COLLATE "C" NOT NULL,
	"last" bigint NOT NULL,
	"trimmed_through" bigint NOT NULL,
	"last_ordinal" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "addresses_project_id_address_pk" PRIMARY KEY("project_id","address")
);
--> statement-breakpoint
CREATE TABLE "api_keys" (
	"id" text COLLATE "C" PRIMARY KEY NOT NULL,
	"project_id" text COLLATE "C" NOT NULL,
	"name" text COLLATE "C" NOT NULL,
	"operator" boolean NOT NULL,
	"secret_hash" text COLLATE "C" NOT NULL,
	"sealed_secret" text COLLATE "C",
	"root_key_id" text COLLATE "C" DEFAULT '' NOT NULL,
	"created_at" bigint NOT NULL,
	"expires_at" bigint,
	"revoked_at" bigint,
	"scopes" json,
	"channels" text COLLATE "C",
	"lasts_until" bigint
);
--> statement-breakpoint
CREATE TABLE "channels" (
	"project_id" text COLLATE "C" NOT NULL,
	"id" text COLLATE "C" NOT NULL,
	"type" text COLLATE "C" NOT NULL,
	"kind" text COLLATE "C",
	"state" json,
	"version" bigint NOT NULL,
	"history_messages" bigint,
	"history_seconds" bigint,
	"created_after" bigint NOT NULL,
	"created_at" bigint NOT NULL,
	CONSTRAINT "channels_project_id_id_pk" PRIMARY KEY("project_id","id")
);
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"project_id" text COLLATE "C" NOT NULL,
	"key" text COLLATE "C" NOT NULL,
	"fingerprint" text COLLATE "C" NOT NULL,
	"message" json NOT NULL,
	"expires_at" bigint NOT NULL,
	CONSTRAINT "idempotency_keys_project_id_key_pk" PRIMARY KEY("project_id","key")
);
--> statement-breakpoint
CREATE TABLE "issuer_keys" (
	"project_id" text COLLATE "C" NOT NULL,
	"issuer_id" text COLLATE "C" NOT NULL,
	"id" text COLLATE "C" NOT NULL,
	"sealed_secret" text COLLATE "C" NOT NULL,
	"created_at" bigint NOT NULL,
	"expires_at" bigint,
	CONSTRAINT "issuer_keys_issuer_id_id_pk" PRIMARY KEY("issuer_id","id")
);
--> statement-breakpoint
CREATE TABLE "issuers" (
	"id" text COLLATE "C" PRIMARY KEY NOT NULL,
	"project_id" text COLLATE "C" NOT NULL,
	"kind" text COLLATE "C" NOT NULL,
	"name" text COLLATE "C" NOT NULL,
	"account" text COLLATE "C",
	"service" text COLLATE "C",
	"provider" json,
	"created_at" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "log_epochs" (
	"project_id" text COLLATE "C" NOT NULL,
	"began_after" bigint NOT NULL,
	"epoch" bigint NOT NULL,
	CONSTRAINT "log_epochs_project_id_began_after_pk" PRIMARY KEY("project_id","began_after")
);
--> statement-breakpoint
CREATE TABLE "logs" (
	"project_id" text COLLATE "C" PRIMARY KEY NOT NULL,
	"head" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "membership_removals" (
	"project_id" text COLLATE "C" NOT NULL,
	"token_id" text COLLATE "C" NOT NULL,
	"channel_id" text COLLATE "C" NOT NULL,
	"removed_at" bigint NOT NULL,
	CONSTRAINT "membership_removals_project_id_token_id_channel_id_pk" PRIMARY KEY("project_id","token_id","channel_id")
);
--> statement-breakpoint
CREATE TABLE "memberships" (
	"project_id" text COLLATE "C" NOT NULL,
	"channel_id" text COLLATE "C" NOT NULL,
	"token_id" text COLLATE "C" NOT NULL,
	"began_after" bigint NOT NULL,
	"made_by" text COLLATE "C" DEFAULT 'BACKEND' NOT NULL,
	"created_at" bigint NOT NULL,
	CONSTRAINT "memberships_project_id_channel_id_token_id_pk" PRIMARY KEY("project_id","channel_id","token_id")
);
--> statement-breakpoint
CREATE TABLE "messages" (
	"project_id" text COLLATE "C" NOT NULL,
	"sequence" bigint NOT NULL,
	"address" text COLLATE "C" NOT NULL,
	"previous" bigint NOT NULL,
	"id" text COLLATE "C" NOT NULL,
	"event" text COLLATE "C" NOT NULL,
	"data" json,
	"sender" json NOT NULL,
	"published_at" bigint NOT NULL,
	"ordinal" bigint DEFAULT 0 NOT NULL,
	"idempotency_key" text COLLATE "C",
	CONSTRAINT "messages_project_id_sequence_pk" PRIMARY KEY("project_id","sequence")
);
--> statement-breakpoint
CREATE TABLE "projects" (
	"id" text COLLATE "C" PRIMARY KEY NOT NULL,
	"name" text COLLATE "C" NOT NULL,
	"created_at" bigint NOT NULL,
	"settings" json DEFAULT '{}'::json NOT NULL
);
--> statement-breakpoint
CREATE TABLE "restrictions" (
	"id" text COLLATE "C" NOT NULL,
	"project_id" text COLLATE "C" NOT NULL,
	"kind" text COLLATE "C" NOT NULL,
	"subject" text COLLATE "C" NOT NULL,
	"channel_id" text COLLATE "C" NOT NULL,
	"reason" text COLLATE "C",
	"created_at" bigint NOT NULL,
	"until" bigint,
	CONSTRAINT "restrictions_project_id_subject_kind_channel_id_pk" PRIMARY KEY("project_id","subject","kind","channel_id")
);
--> statement-breakpoint
CREATE TABLE "revocations" (
	"project_id" text COLLATE "C" NOT NULL,
	"scope" text COLLATE "C" NOT NULL,
	"subject" text COLLATE "C" NOT NULL,
	"issued_before" bigint NOT NULL,
	"created_at" bigint NOT NULL,
	CONSTRAINT "revocations_project_id_scope_subject_pk" PRIMARY KEY("project_id","scope","subject")
);
--> statement-breakpoint
CREATE TABLE "secrets" (
	"name" text COLLATE "C" PRIMARY KEY NOT NULL,
	"value" text COLLATE "C" NOT NULL
);
--> statement-breakpoint
CREATE TABLE "signing_keys" (
	"id" text COLLATE "C" PRIMARY KEY NOT NULL,
	"algorithm" text COLLATE "C" NOT NULL,
	"secret" text COLLATE "C" NOT NULL,
	"created_at" bigint NOT NULL,
	"retired_at" bigint,
	"expires_at" bigint
);
--> statement-breakpoint
CREATE TABLE "tokens" (
	"id" text COLLATE "C" PRIMARY KEY NOT NULL,
	"project_id" text COLLATE "C" NOT NULL,
	"identity" text COLLATE "C",
	"origin" text COLLATE "C" DEFAULT 'MINTED' NOT NULL,
	"issuer_id" text COLLATE "C",
	"subject" text COLLATE "C",
	"role" text COLLATE "C" NOT NULL,
	"custom_role" text COLLATE "C",
	"credential_rights" json,
	"grants" json,
	"connection_data" text COLLATE "C",
	"state" json,
	"created_at" bigint NOT NULL,
	"expires_at" bigint,
	"revoked_at" bigint,
	"purge_after" bigint
);
--> statement-breakpoint
CREATE TABLE "trimmed_events" (
	"project_id" text COLLATE "C" NOT NULL,
	"address" text COLLATE "C" NOT NULL,
	"event" text COLLATE "C" NOT NULL,
	"through" bigint NOT NULL,
	CONSTRAINT "trimmed_events_project_id_address_event_pk" PRIMARY KEY("project_id","address","event")
);
--> statement-breakpoint
CREATE INDEX "api_keys_by_project" ON "api_keys" USING btree ("project_id","id");--> statement-breakpoint
CREATE INDEX "idempotency_keys_by_expiry" ON "idempotency_keys" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "issuers_by_project" ON "issuers" USING btree ("project_id","id");--> statement-breakpoint
CREATE INDEX "memberships_by_token" ON "memberships" USING btree ("project_id","token_id","channel_id");--> statement-breakpoint
CREATE UNIQUE INDEX "messages_by_address" ON "messages" USING btree ("project_id","address","sequence");--> statement-breakpoint
CREATE UNIQUE INDEX "restrictions_by_id" ON "restrictions" USING btree ("project_id","id");--> statement-breakpoint
CREATE INDEX "restrictions_by_channel" ON "restrictions" USING btree ("project_id","channel_id","id");--> statement-breakpoint
CREATE INDEX "restrictions_by_until" ON "restrictions" USING btree ("until");--> statement-breakpoint
CREATE INDEX "tokens_by_project" ON "tokens" USING btree ("project_id","id");--> statement-breakpoint
CREATE INDEX "tokens_by_identity" ON "tokens" USING btree ("project_id","identity","id");--> statement-breakpoint
CREATE UNIQUE INDEX "tokens_by_subject" ON "tokens" USING btree ("project_id","issuer_id","subject");--> statement-breakpoint
CREATE INDEX "tokens_to_purge" ON "tokens" USING btree ("purge_after");