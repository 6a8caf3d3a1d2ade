-- What several nodes on one database share besides rows and log: who is there, what changed, and who is connected.

-- The nodes that use the database. A node has a lease on the clock of the database and renews it; a fenced one may do
-- nothing any more. Each registration has an id of its own, `<node>.<count>`. The table is empty after a crash of the server and
-- on a promoted standby; the nodes then register again.
CREATE UNLOGGED TABLE nodes (
  id text COLLATE "C" PRIMARY KEY,
  lease_until timestamptz NOT NULL,
  fenced boolean NOT NULL DEFAULT false,
  -- The node has applied the signals up to this number.
  signals_through bigint NOT NULL,
  version text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);
--> statement-breakpoint
-- The signals that tell of changed rows, in the order of the commits, for an hour.
CREATE TABLE signals (
  sequence bigint PRIMARY KEY,
  -- The registration of the node that changed the rows.
  node text COLLATE "C" NOT NULL,
  body json NOT NULL,
  sent_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
--> statement-breakpoint
CREATE INDEX signals_by_age ON signals (sent_at);
--> statement-breakpoint
-- The number of the last signal. Its row is locked until the commit, so that the order of the numbers is that of the commits.
CREATE TABLE signal_log (
  is_single boolean PRIMARY KEY DEFAULT true CHECK (is_single),
  head bigint NOT NULL
) WITH (fillfactor = 50);
--> statement-breakpoint
INSERT INTO signal_log (head) VALUES (0);
--> statement-breakpoint
-- The live connections, and the channels that they are in. Each node writes its own, again after they were lost.
CREATE UNLOGGED TABLE present (
  project_id text COLLATE "C" NOT NULL,
  connection_id text COLLATE "C" NOT NULL,
  node text COLLATE "C" NOT NULL,
  token_id text COLLATE "C",
  identity text COLLATE "C",
  transport text COLLATE "C" NOT NULL,
  member json NOT NULL,
  PRIMARY KEY (project_id, connection_id)
);
--> statement-breakpoint
CREATE INDEX present_by_token ON present (project_id, token_id, connection_id);
--> statement-breakpoint
CREATE INDEX present_by_node ON present (node);
--> statement-breakpoint
CREATE UNLOGGED TABLE entered (
  project_id text COLLATE "C" NOT NULL,
  channel_id text COLLATE "C" NOT NULL,
  connection_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (project_id, channel_id, connection_id)
);
--> statement-breakpoint
CREATE INDEX entered_by_connection ON entered (project_id, connection_id);
--> statement-breakpoint
-- Registers a node for `lease_ms` milliseconds. Returns the number of the last signal, whose rows the node may have read. The lock
-- orders the registration and the signals: the sender of a later one finds the node.
CREATE FUNCTION register_node_v1(in_node text, in_version text, lease_ms bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  last bigint;
BEGIN
  SELECT head INTO last FROM signal_log FOR UPDATE;
  INSERT INTO nodes (id, lease_until, signals_through, version)
    VALUES (in_node, clock_timestamp() + lease_ms * interval '1 millisecond', last, in_version);
  RETURN last;
END $$;
--> statement-breakpoint
-- Numbers signals and keeps them. Returns the number of the last one and the nodes that must apply them: those with a lease.
CREATE FUNCTION append_signals_v1(in_node text, in_bodies text[], OUT last bigint, OUT live text[])
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE signal_log SET head = head + cardinality(in_bodies) RETURNING head INTO last;
  INSERT INTO signals (sequence, node, body)
    SELECT last - cardinality(in_bodies) + nth, in_node, body::json
    FROM unnest(in_bodies) WITH ORDINALITY AS s(body, nth);
  -- A statement of its own sees the registrations that were committed before the lock was taken.
  SELECT coalesce(array_agg(id), '{}') INTO live FROM nodes WHERE NOT fenced AND lease_until > clock_timestamp();
END $$;
