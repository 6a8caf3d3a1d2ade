ALTER TABLE "channels" ADD COLUMN "instance" text COLLATE "C";
--> statement-breakpoint
-- Like `append_messages_v3`, but with the instance of each channel; and a batch that was authorized before a change of rights that
-- is older than `in_unseen_ms` is refused with SB003, so that nothing of it follows the answer to that change.
CREATE FUNCTION append_messages_v4(
  in_node text, in_batch bigint, in_answered bigint, in_project text, in_epoch bigint,
  in_signals bigint, in_unseen_ms bigint,
  in_ids text[], in_addresses text[], in_events text[], in_data text[], in_senders text[], in_published bigint[],
  in_floors bigint[], in_created bigint[], in_instances text[], in_ephemeral boolean[], in_keys text[], in_fingerprints text[], in_expiries bigint[],
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
  SELECT batch, has_epoch, answer INTO lane FROM lanes WHERE node = in_node AND project_id = in_project;
  -- Before the check of the registration: a batch that was appended before the node was fenced is in the log.
  IF lane.batch = in_batch THEN RETURN lane.answer; END IF;
  IF NOT EXISTS (SELECT FROM nodes
    WHERE id = substr(current_setting('application_name'), length('signalbox:') + 1)
      AND NOT fenced AND lease_until > clock_timestamp() AND server_run = pg_postmaster_start_time())
  THEN
    RAISE EXCEPTION 'the node is not registered' USING ERRCODE = 'SB001';
  END IF;
  IF lane.batch > in_batch THEN
    RAISE EXCEPTION 'a later batch of the node was appended' USING ERRCODE = 'SB002';
  END IF;
  -- The publishers were authorized by the signals up to `in_signals`. Others that end rights were read by their node meanwhile, unless
  -- the batch has waited, and their answers wait for it no longer than a moment after `in_unseen_ms`.
  IF EXISTS (SELECT FROM signals s WHERE s.sequence > in_signals
      AND s.sent_at < clock_timestamp() - in_unseen_ms * interval '1 millisecond'
      AND coalesce(s.body ->> 'projectId', in_project) = in_project
      AND s.body ->> 'kind' NOT IN ('CHANNEL_STATE_UPDATED', 'MEMBERSHIP_BEGAN', 'CONNECTION_DISCONNECTED'))
  THEN
    RAISE EXCEPTION 'the rights of a publisher may have changed' USING ERRCODE = 'SB003';
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
      in_ids, in_addresses, in_events, in_data, in_senders, in_published, in_floors, in_created, in_instances, in_ephemeral,
      in_keys, in_fingerprints, in_expiries, in_chosen_keys
    ) WITH ORDINALITY AS d(
      id, address, event, data, sender, published_at, floor, created_at, instance, is_ephemeral, key, fingerprint,
      expires_at, chosen_key, nth)
  ), current AS (
    SELECT d.*, d.created_at IS NULL OR EXISTS (
      SELECT FROM channels c WHERE c.project_id = in_project AND c.id = substr(d.address, length('channel:') + 1)
        AND c.created_at = d.created_at AND c.created_after = d.floor AND c.instance IS NOT DISTINCT FROM d.instance) AS is_current
    FROM draft d
  ), judged AS (
    SELECT d.*, k.message AS first_message, k.fingerprint = d.fingerprint AS is_same,
      is_current AND k.key IS NULL AS is_fresh, is_current AND k.key IS NULL AND NOT d.is_ephemeral AS is_logged
    FROM current d LEFT JOIN idempotency_keys k
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
    WHEN NOT is_current THEN json_build_array('D')
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
