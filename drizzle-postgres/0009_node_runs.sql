-- A migration of its own, before that of the channels: in one transaction with it, it would wait for an append, which uses the nodes and
-- then the channels, or for a change of a channel, which uses them in the other order, while that waits for the migration.
--
-- The run in which a node registered last; null before the first one.
ALTER TABLE server_runs ADD COLUMN server_run timestamptz;
--> statement-breakpoint
-- The registrations of a run of the server end with it: what a restored copy, or a promoted standby, holds of them is void.
ALTER TABLE nodes ADD COLUMN server_run timestamptz NOT NULL DEFAULT pg_postmaster_start_time();
--> statement-breakpoint
-- Like `register_node_v2`, but every run of the server counts as one in which commits may be missing: an older copy may have been put
-- in its place, with or without the tables that a crash empties. Each log begins another epoch at its next append, so no position of a
-- lost message is valid; positions that the log holds stay valid. It makes nodes wait as after a crash.
CREATE FUNCTION register_node_v3(
  in_node text, in_version text, lease_ms bigint, fresh_ms bigint, keeps_commits boolean,
  OUT last_signal bigint, OUT history bigint, OUT wait_ms bigint, OUT now_ms bigint
) LANGUAGE plpgsql AS $$
DECLARE
  here text := server_v1();
  before text;
  run timestamptz := pg_postmaster_start_time();
  known record;
  began timestamptz;
BEGIN
  -- The lock orders the registrations among themselves and with the signals: the sender of a later one finds the node.
  SELECT head INTO last_signal FROM signal_log FOR UPDATE;
  SELECT number, server INTO history, before FROM database_history;
  IF before IS DISTINCT FROM here THEN
    IF before IS NOT NULL AND NOT keeps_commits THEN history := history + 1; END IF;
    UPDATE database_history SET number = history, server = here;
  END IF;
  SELECT began_at, server_run INTO known FROM server_runs;
  IF NOT FOUND THEN
    began := clock_timestamp();
    INSERT INTO server_runs (began_at, server_run) VALUES (began, run);
  ELSIF known.server_run IS DISTINCT FROM run THEN
    -- No node of this version has registered before the first one.
    began := CASE WHEN known.server_run IS NULL THEN known.began_at ELSE clock_timestamp() END;
    UPDATE server_runs SET began_at = began, server_run = run;
  ELSE
    began := known.began_at;
  END IF;
  IF known.server_run IS DISTINCT FROM run OR before IS DISTINCT FROM here THEN
    UPDATE lanes SET has_epoch = false WHERE has_epoch;
  END IF;
  wait_ms := CASE WHEN began = '-infinity' THEN 0
    ELSE greatest(0, ceil(extract(epoch FROM began - clock_timestamp()) * 1000) + fresh_ms) END;
  now_ms := extract(epoch FROM clock_timestamp()) * 1000;
  IF wait_ms > 0 THEN RETURN; END IF;
  INSERT INTO nodes (id, lease_until, signals_through, version)
    VALUES (in_node, clock_timestamp() + lease_ms * interval '1 millisecond', last_signal, in_version);
END $$;
