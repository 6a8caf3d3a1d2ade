-- What the log on PostgreSQL needs besides its tables. A function keeps its meaning for ever: a change gets a new version
-- in its name, so that two versions of Signalbox can use one database while a node is replaced.

-- The node that may append. See node-lock.ts.
CREATE TABLE node_ownership (
  is_single boolean PRIMARY KEY DEFAULT true CHECK (is_single),
  node text COLLATE "C" NOT NULL
);
--> statement-breakpoint
-- The last batch of each node and project with its answer, so that a batch whose answer was lost can be repeated.
CREATE TABLE lanes (
  node text COLLATE "C" NOT NULL,
  project_id text COLLATE "C" NOT NULL,
  batch bigint NOT NULL,
  -- Whether the node has begun an epoch of this log.
  has_epoch boolean NOT NULL,
  answer json NOT NULL,
  PRIMARY KEY (node, project_id)
) WITH (fillfactor = 50);
--> statement-breakpoint
-- Rows that every append updates keep room on their page, so that an update changes no index.
ALTER TABLE logs SET (fillfactor = 50);
--> statement-breakpoint
ALTER TABLE addresses SET (fillfactor = 50);
--> statement-breakpoint
-- The epoch that a sequence belongs to: the newest one that began before it.
CREATE FUNCTION epoch_of_v1(of_project text, of_sequence bigint) RETURNS bigint
LANGUAGE sql STABLE AS $$
  SELECT coalesce(
    (SELECT epoch FROM log_epochs WHERE project_id = of_project AND began_after < of_sequence
      ORDER BY began_after DESC LIMIT 1),
    (SELECT epoch FROM log_epochs WHERE project_id = of_project ORDER BY began_after LIMIT 1),
    0)
$$;
--> statement-breakpoint
-- Begins a log with an epoch of the node, unless there is one.
CREATE FUNCTION begin_log_v1(in_node text, of_project text, new_epoch bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO logs (project_id, head) VALUES (of_project, 0) ON CONFLICT DO NOTHING;
  -- The first epoch includes position 0, before the first message.
  IF FOUND THEN
    INSERT INTO log_epochs (project_id, began_after, epoch) VALUES (of_project, -1, new_epoch) ON CONFLICT DO NOTHING;
    INSERT INTO lanes (node, project_id, batch, has_epoch, answer) VALUES (in_node, of_project, 0, true, 'null')
      ON CONFLICT DO NOTHING;
  END IF;
END $$;
--> statement-breakpoint
-- The position of the newest message. Begins the log if there is none.
CREATE FUNCTION log_head_v1(in_node text, of_project text, new_epoch bigint)
RETURNS TABLE (head_epoch bigint, head_sequence bigint)
LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY SELECT epoch_of_v1(of_project, head), head FROM logs WHERE project_id = of_project;
  IF FOUND THEN RETURN; END IF;
  PERFORM begin_log_v1(in_node, of_project, new_epoch);
  RETURN QUERY SELECT epoch_of_v1(of_project, head), head FROM logs WHERE project_id = of_project;
END $$;
--> statement-breakpoint
-- Begins an epoch after `after_sequence`. An epoch without a message is replaced: no cursor can lie in it.
CREATE FUNCTION begin_epoch_v1(of_project text, after_sequence bigint, new_epoch bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO log_epochs (project_id, began_after, epoch) VALUES (of_project, after_sequence, new_epoch)
    ON CONFLICT (project_id, began_after) DO UPDATE SET epoch = excluded.epoch;
  -- Of 1,000 epochs at most, the newest are kept.
  DELETE FROM log_epochs WHERE project_id = of_project AND began_after < (
    SELECT began_after FROM log_epochs WHERE project_id = of_project ORDER BY began_after DESC LIMIT 1 OFFSET 999);
END $$;
--> statement-breakpoint
-- Appends a batch of drafts, in order, and returns for each one ["A", sequence, previous, previous epoch or null, ordinal] if
-- it was appended (all null for an ephemeral one), ["R", first message] if its key repeats an earlier
-- publish, or ["C"] if its key was used for another message. No key occurs twice in a batch.
--
-- The lock of the row in `logs` is held until the commit is visible, so the order of the numbers is the order of the
-- commits. That needs READ COMMITTED and a volatile function: each statement below sees what was committed before it.
--
-- `in_batch` counts the batches of the node and project. A repeated number returns the first answer; `in_answered` is the
-- newest batch whose answer the node has. A database that does not know that batch was set back, so a new epoch begins.
CREATE FUNCTION append_messages_v1(
  in_node text, in_batch bigint, in_answered bigint, in_project text, in_epoch bigint,
  in_ids text[], in_addresses text[], in_events text[], in_data text[], in_senders text[], in_published bigint[],
  in_floors bigint[], in_ephemeral boolean[], in_keys text[], in_fingerprints text[], in_expiries bigint[],
  in_chosen_keys text[]
) RETURNS json
LANGUAGE plpgsql
-- The plans must not depend on statistics: those of a growing table are old. The switches add to the estimated costs, for
-- which PostgreSQL would compile the plan at each call, and that takes 50 ms.
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
DECLARE
  log_head bigint;
  lane record;
  knows_epoch boolean;
  current_epoch bigint;
  epoch_start bigint;
  result json;
BEGIN
  LOOP
    SELECT head INTO log_head FROM logs WHERE project_id = in_project FOR UPDATE;
    EXIT WHEN FOUND;
    PERFORM begin_log_v1(in_node, in_project, in_epoch);
  END LOOP;
  IF NOT EXISTS (SELECT FROM node_ownership WHERE node = in_node) THEN
    RAISE EXCEPTION 'another node owns the log' USING ERRCODE = 'SB001';
  END IF;
  SELECT batch, has_epoch, answer INTO lane FROM lanes WHERE node = in_node AND project_id = in_project;
  IF lane.batch = in_batch THEN RETURN lane.answer; END IF;
  IF lane.batch > in_batch THEN
    RAISE EXCEPTION 'a later batch of the node was appended' USING ERRCODE = 'SB002';
  END IF;
  knows_epoch := coalesce(lane.has_epoch AND lane.batch >= in_answered, false);
  IF NOT knows_epoch AND false = ANY (in_ephemeral) THEN
    PERFORM begin_epoch_v1(in_project, log_head, in_epoch);
    knows_epoch := true;
  END IF;
  SELECT epoch, began_after INTO current_epoch, epoch_start
    FROM log_epochs WHERE project_id = in_project ORDER BY began_after DESC LIMIT 1;

  WITH draft AS (
    SELECT * FROM unnest(
      in_ids, in_addresses, in_events, in_data, in_senders, in_published, in_floors, in_ephemeral, in_keys,
      in_fingerprints, in_expiries, in_chosen_keys
    ) WITH ORDINALITY AS d(
      id, address, event, data, sender, published_at, floor, is_ephemeral, key, fingerprint, expires_at,
      chosen_key, nth)
  ), judged AS (
    SELECT d.*, k.message AS first_message, k.fingerprint = d.fingerprint AS is_same,
      k.key IS NULL AS is_fresh, k.key IS NULL AND NOT d.is_ephemeral AS is_logged
    FROM draft d LEFT JOIN idempotency_keys k
      ON k.project_id = in_project AND k.key = d.key AND k.expires_at > d.published_at
  ), numbered AS (
    SELECT j.*, log_head + count(*) FILTER (WHERE is_logged) OVER (ORDER BY nth) AS sequence FROM judged j
  ), linked AS (
    SELECT n.*, coalesce(lag(n.sequence) OVER same_address, a.last, 0) AS last, coalesce(a.last, 0) AS last_before,
      coalesce(a.last_ordinal, 0) AS last_ordinal, row_number() OVER same_address AS nth_of_address
    FROM numbered n LEFT JOIN addresses a ON a.project_id = in_project AND a.address = n.address
    WINDOW same_address AS (PARTITION BY n.address, n.is_logged ORDER BY nth)
  ), placed AS (
    -- Messages of a deleted channel with the same id are no predecessors, and its ordinals begin again.
    SELECT l.*, CASE WHEN l.last > l.floor THEN l.last ELSE 0 END AS previous,
      CASE WHEN l.last_before > l.floor THEN l.last_ordinal ELSE 0 END + nth_of_address AS ordinal
    FROM linked l
  ), complete AS MATERIALIZED (
    SELECT p.*, CASE WHEN p.previous > 0 AND p.previous <= epoch_start
      THEN epoch_of_v1(in_project, p.previous) END AS previous_epoch
    FROM placed p
  ), inserted AS (
    INSERT INTO messages (project_id, sequence, address, previous, id, event, data, sender, published_at, ordinal,
      idempotency_key)
    SELECT in_project, sequence, address, previous, id, event, data::json, sender::json, published_at, ordinal, chosen_key
    FROM complete WHERE is_logged ORDER BY sequence
  ), touched AS (
    INSERT INTO addresses (project_id, address, last, last_ordinal, trimmed_through)
    SELECT in_project, address, max(sequence), max(ordinal), 0 FROM complete WHERE is_logged GROUP BY address ORDER BY address
    ON CONFLICT (project_id, address) DO UPDATE SET last = excluded.last, last_ordinal = excluded.last_ordinal
  ), remembered AS (
    INSERT INTO idempotency_keys (project_id, key, fingerprint, message, expires_at)
    SELECT in_project, key, fingerprint, json_build_object(
      'id', id,
      'logged', CASE WHEN is_logged THEN json_strip_nulls(json_build_object(
        'epoch', current_epoch, 'sequence', sequence, 'previous', previous, 'ordinal', ordinal,
        'previousEpoch', previous_epoch)) END,
      'sender', sender::json,
      'publishedAt', published_at), expires_at
    FROM complete WHERE is_fresh AND key IS NOT NULL ORDER BY key
    ON CONFLICT (project_id, key) DO UPDATE
      SET fingerprint = excluded.fingerprint, message = excluded.message, expires_at = excluded.expires_at
  ), moved AS (
    UPDATE logs SET head = (SELECT max(sequence) FROM complete) WHERE project_id = in_project
  )
  SELECT json_build_object('epoch', current_epoch, 'outcomes', json_agg(CASE
    WHEN is_logged THEN json_build_array('A', sequence, previous, previous_epoch, ordinal)
    WHEN is_fresh THEN json_build_array('A', NULL, NULL, NULL, NULL)
    WHEN is_same THEN json_build_array('R', first_message)
    ELSE json_build_array('C') END ORDER BY nth)) INTO result
  FROM complete;

  INSERT INTO lanes (node, project_id, batch, has_epoch, answer)
    VALUES (in_node, in_project, in_batch, knows_epoch, result)
    ON CONFLICT (node, project_id) DO UPDATE
      SET batch = excluded.batch, has_epoch = excluded.has_epoch, answer = excluded.answer;
  RETURN result;
END $$;
--> statement-breakpoint
-- Removes up to `max_rows` messages, the oldest first, of addresses through a sequence each. Returns the number removed.
CREATE FUNCTION trim_addresses_v1(in_projects text[], in_addresses text[], in_through bigint[], max_rows bigint)
RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  trim record;
  step record;
  removed bigint := 0;
BEGIN
  -- Appends lock the rows of addresses in this order, too.
  FOR trim IN SELECT * FROM unnest(in_projects, in_addresses, in_through) AS t(project_id, address, through)
    ORDER BY project_id COLLATE "C", address COLLATE "C"
  LOOP
    WITH gone AS (
      DELETE FROM messages WHERE project_id = trim.project_id AND sequence IN (
        SELECT sequence FROM messages
        WHERE project_id = trim.project_id AND address = trim.address AND sequence <= trim.through
        ORDER BY sequence LIMIT max_rows - removed)
      RETURNING sequence
    ) SELECT count(*) AS count, max(sequence) AS last INTO step FROM gone;
    CONTINUE WHEN step.count = 0;
    UPDATE addresses SET trimmed_through = greatest(trimmed_through, step.last)
      WHERE project_id = trim.project_id AND address = trim.address;
    removed := removed + step.count;
    EXIT WHEN removed >= max_rows;
  END LOOP;
  RETURN removed;
END $$;
--> statement-breakpoint
-- Removes up to `max_rows` messages of a project through a sequence, the oldest first. Returns the number removed.
CREATE FUNCTION trim_project_v1(in_project text, in_through bigint, max_rows bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  removed bigint;
BEGIN
  -- Keeps appends away, which lock the rows of addresses in another order.
  PERFORM FROM logs WHERE project_id = in_project FOR UPDATE;
  WITH gone AS (
    DELETE FROM messages WHERE project_id = in_project AND sequence IN (
      SELECT sequence FROM messages WHERE project_id = in_project AND sequence <= in_through
      ORDER BY sequence LIMIT max_rows)
    RETURNING address, sequence
  ), trimmed AS (
    UPDATE addresses SET trimmed_through = greatest(trimmed_through, newest.last)
    FROM (SELECT address, max(sequence) AS last FROM gone GROUP BY address) AS newest
    WHERE addresses.project_id = in_project AND addresses.address = newest.address
  )
  SELECT count(*) INTO removed FROM gone;
  RETURN removed;
END $$;
--> statement-breakpoint
-- The sequence through which messages were published before `before`; 0 when none were. Only messages after
-- `after_sequence` and up to `through_sequence` (null: the newest) are compared, of one address or (null) of all. A binary
-- search: the order of the log decides, so messages before one that has expired have expired too.
CREATE FUNCTION aged_through_v1(
  in_project text, in_address text, before bigint, after_sequence bigint, through_sequence bigint
) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
  expired bigint := after_sequence;
  young bigint;
  middle bigint;
  found_row record;
BEGIN
  IF in_address IS NULL THEN
    SELECT max(sequence) INTO young FROM messages WHERE project_id = in_project;
  ELSE
    SELECT last INTO young FROM addresses WHERE project_id = in_project AND address = in_address;
  END IF;
  young := least(coalesce(young, 0), through_sequence) + 1;
  WHILE expired + 1 < young LOOP
    middle := (expired + young) / 2;
    IF in_address IS NULL THEN
      SELECT sequence, published_at INTO found_row FROM messages
        WHERE project_id = in_project AND sequence >= middle ORDER BY sequence LIMIT 1;
    ELSE
      SELECT sequence, published_at INTO found_row FROM messages
        WHERE project_id = in_project AND address = in_address AND sequence >= middle ORDER BY sequence LIMIT 1;
    END IF;
    IF found_row.sequence < young AND found_row.published_at < before THEN
      expired := found_row.sequence;
    ELSE
      young := middle;
    END IF;
  END LOOP;
  RETURN CASE WHEN expired = after_sequence THEN 0 ELSE expired END;
END $$;
