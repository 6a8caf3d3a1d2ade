-- Crashes and failovers of the server, as the nodes notice them when they register again.

-- The history of the database: another one begins where commits may be missing that clients have seen.
CREATE TABLE database_history (
  is_single boolean PRIMARY KEY DEFAULT true CHECK (is_single),
  number bigint NOT NULL,
  -- The server and its timeline; null before the first registration.
  server text COLLATE "C"
);
--> statement-breakpoint
INSERT INTO database_history (number) VALUES (0);
--> statement-breakpoint
-- When the nodes noticed the last crash of the server, or the promotion of a standby: both empty this table.
CREATE UNLOGGED TABLE server_runs (
  is_single boolean PRIMARY KEY DEFAULT true CHECK (is_single),
  began_at timestamptz NOT NULL
);
--> statement-breakpoint
INSERT INTO server_runs (began_at) VALUES ('-infinity');
--> statement-breakpoint
-- Identifies the server and its timeline, which a promotion or a restored backup changes. Empty where the server hides them.
CREATE FUNCTION server_v1() RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
  RETURN (SELECT system_identifier FROM pg_control_system()) || '.' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8);
EXCEPTION WHEN insufficient_privilege OR undefined_function OR feature_not_supported THEN
  RETURN '';
END $$;
--> statement-breakpoint
-- Like `register_node_v1`, but registers nothing and returns how long to wait, in milliseconds, while a node that was registered before
-- a crash of the server may still deliver: for `fresh_ms` after it noticed nothing. Nobody waits for its confirmations.
--
-- Returns the time of the database and the number of the history, too. Where a standby was promoted that may lack commits
-- (`keeps_commits` is false), another history begins, and with it another epoch of each log at its next append, so that no position of a lost message is valid.
CREATE FUNCTION register_node_v2(
  in_node text, in_version text, lease_ms bigint, fresh_ms bigint, keeps_commits boolean,
  OUT last_signal bigint, OUT history bigint, OUT wait_ms bigint, OUT now_ms bigint
) LANGUAGE plpgsql AS $$
DECLARE
  here text := server_v1();
  before text;
  began timestamptz;
BEGIN
  -- The lock orders the registrations among themselves and with the signals: the sender of a later one finds the node.
  SELECT head INTO last_signal FROM signal_log FOR UPDATE;
  SELECT number, server INTO history, before FROM database_history;
  IF before IS DISTINCT FROM here THEN
    IF before IS NOT NULL AND NOT keeps_commits THEN
      history := history + 1;
      UPDATE lanes SET has_epoch = false WHERE has_epoch;
    END IF;
    UPDATE database_history SET number = history, server = here;
  END IF;
  SELECT began_at INTO began FROM server_runs;
  IF NOT FOUND THEN
    began := clock_timestamp();
    INSERT INTO server_runs (began_at) VALUES (began);
  END IF;
  wait_ms := CASE WHEN began = '-infinity' THEN 0
    ELSE greatest(0, ceil(extract(epoch FROM began - clock_timestamp()) * 1000) + fresh_ms) END;
  now_ms := extract(epoch FROM clock_timestamp()) * 1000;
  IF wait_ms > 0 THEN RETURN; END IF;
  INSERT INTO nodes (id, lease_until, signals_through, version)
    VALUES (in_node, clock_timestamp() + lease_ms * interval '1 millisecond', last_signal, in_version);
END $$;
