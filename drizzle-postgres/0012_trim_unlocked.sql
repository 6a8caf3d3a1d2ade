-- Like `trim_addresses_v1`, but waits for no row of `messages`: of each address it removes only what is older than the first row that
-- another transaction has locked. So two purges that meet do not wait for each other, and no message is removed, or counts as removed,
-- while an older one of its address may stay. `skipped` has the numbers of the addresses that keep such rows, counted from 1.
CREATE FUNCTION trim_addresses_v2(
  in_projects text[], in_addresses text[], in_through bigint[], max_rows bigint, OUT removed bigint, OUT skipped integer[]
) LANGUAGE plpgsql
-- As in `append_messages_v1`, no plan depends on statistics, and none is compiled: the oldest rows are read from the index, not all sorted.
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off
AS $$
DECLARE
  trim record;
  unlocked bigint[];
  oldest bigint[];
  last_unlocked bigint;
  step record;
BEGIN
  removed := 0;
  skipped := '{}';
  -- Appends lock the rows of addresses in this order, too.
  FOR trim IN
    SELECT * FROM unnest(in_projects, in_addresses, in_through) WITH ORDINALITY AS t(project_id, address, through, nth)
    ORDER BY project_id COLLATE "C", address COLLATE "C"
  LOOP
    SELECT coalesce(array_agg(sequence ORDER BY sequence), '{}') INTO unlocked FROM (
      SELECT sequence FROM messages
      WHERE project_id = trim.project_id AND address = trim.address AND sequence <= trim.through
      ORDER BY sequence LIMIT max_rows - removed FOR UPDATE SKIP LOCKED) AS u;
    -- A later statement, which does not see any more what the other transaction has removed meanwhile.
    SELECT coalesce(array_agg(sequence ORDER BY sequence), '{}') INTO oldest FROM (
      SELECT sequence FROM messages
      WHERE project_id = trim.project_id AND address = trim.address AND sequence <= trim.through
      ORDER BY sequence LIMIT max_rows - removed) AS o;
    -- Both lists are equal up to the first locked row.
    SELECT max(o) INTO last_unlocked FROM unnest(oldest, unlocked) AS pair(o, u) WHERE o = u;
    IF last_unlocked IS DISTINCT FROM oldest[cardinality(oldest)] THEN skipped := skipped || trim.nth::integer; END IF;
    CONTINUE WHEN last_unlocked IS NULL;
    WITH gone AS (
      DELETE FROM messages
      WHERE project_id = trim.project_id AND address = trim.address AND sequence <= last_unlocked RETURNING sequence
    ) SELECT count(*) AS count, max(sequence) AS last INTO step FROM gone;
    UPDATE addresses SET trimmed_through = greatest(trimmed_through, step.last)
      WHERE project_id = trim.project_id AND address = trim.address;
    removed := removed + step.count;
    EXIT WHEN removed >= max_rows;
  END LOOP;
END $$;
--> statement-breakpoint
-- Like `trim_project_v1`, but waits for no row of `messages`: it removes only what is older than the first row that another transaction
-- has locked.
CREATE FUNCTION trim_project_v2(in_project text, in_through bigint, max_rows bigint) RETURNS bigint
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off
AS $$
DECLARE
  unlocked bigint[];
  oldest bigint[];
  last_unlocked bigint;
  removed bigint;
BEGIN
  -- Keeps appends away, which lock the rows of addresses in another order.
  PERFORM FROM logs WHERE project_id = in_project FOR UPDATE;
  SELECT coalesce(array_agg(sequence ORDER BY sequence), '{}') INTO unlocked FROM (
    SELECT sequence FROM messages WHERE project_id = in_project AND sequence <= in_through
    ORDER BY sequence LIMIT max_rows FOR UPDATE SKIP LOCKED) AS u;
  SELECT coalesce(array_agg(sequence ORDER BY sequence), '{}') INTO oldest FROM (
    SELECT sequence FROM messages WHERE project_id = in_project AND sequence <= in_through
    ORDER BY sequence LIMIT max_rows) AS o;
  SELECT max(o) INTO last_unlocked FROM unnest(oldest, unlocked) AS pair(o, u) WHERE o = u;
  WITH gone AS (
    DELETE FROM messages WHERE project_id = in_project AND sequence <= last_unlocked RETURNING address, sequence
  ), trimmed AS (
    UPDATE addresses SET trimmed_through = greatest(trimmed_through, newest.last)
    FROM (SELECT address, max(sequence) AS last FROM gone GROUP BY address) AS newest
    WHERE addresses.project_id = in_project AND addresses.address = newest.address
  )
  SELECT count(*) INTO removed FROM gone;
  RETURN removed;
END $$;
