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
--> statement-breakpoint
-- Moves the connections of a registration to the next one of the same node.
CREATE FUNCTION move_presence_v1(from_node text, to_node text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE present SET node = to_node WHERE node = from_node;
  DELETE FROM nodes WHERE id = from_node;
END $$;
--> statement-breakpoint
-- Removes a node that stops, with its connections.
CREATE FUNCTION remove_node_v1(in_node text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM entered USING present
    WHERE present.node = in_node AND entered.project_id = present.project_id
      AND entered.connection_id = present.connection_id;
  DELETE FROM present WHERE node = in_node;
  DELETE FROM nodes WHERE id = in_node;
END $$;
--> statement-breakpoint
-- Writes what happened to connections of a node in one turn: those that left, then joined, exited and entered channels. Returns for
-- each that joined with a token the number of live connections of the token.
CREATE FUNCTION write_presence_v1(
  in_node text,
  left_projects text[], left_connections text[],
  joined_projects text[], joined_connections text[], tokens text[], identities text[], transports text[], members text[],
  exited_projects text[], exited_connections text[], exited_channels text[],
  entered_projects text[], entered_connections text[], entered_channels text[]
) RETURNS TABLE (connection text, connections_of_token bigint)
LANGUAGE plpgsql AS $$
BEGIN
  IF cardinality(left_connections) > 0 THEN
    DELETE FROM entered USING unnest(left_projects, left_connections) AS l(project_id, connection_id)
      WHERE entered.project_id = l.project_id AND entered.connection_id = l.connection_id;
    DELETE FROM present USING unnest(left_projects, left_connections) AS l(project_id, connection_id)
      WHERE present.project_id = l.project_id AND present.connection_id = l.connection_id;
  END IF;
  IF cardinality(joined_connections) > 0 THEN
    INSERT INTO present (project_id, connection_id, node, token_id, identity, transport, member)
      SELECT j.project_id, j.connection_id, in_node, j.token_id, j.identity, j.transport, j.member::json
      FROM unnest(joined_projects, joined_connections, tokens, identities, transports, members)
        AS j(project_id, connection_id, token_id, identity, transport, member)
      ON CONFLICT (project_id, connection_id) DO UPDATE SET node = excluded.node, token_id = excluded.token_id,
        identity = excluded.identity, transport = excluded.transport, member = excluded.member;
  END IF;
  IF cardinality(exited_connections) > 0 THEN
    DELETE FROM entered USING unnest(exited_projects, exited_connections, exited_channels)
        AS x(project_id, connection_id, channel_id)
      WHERE entered.project_id = x.project_id AND entered.connection_id = x.connection_id
        AND entered.channel_id = x.channel_id;
  END IF;
  IF cardinality(entered_connections) > 0 THEN
    INSERT INTO entered (project_id, channel_id, connection_id)
      SELECT e.project_id, e.channel_id, e.connection_id
      FROM unnest(entered_projects, entered_connections, entered_channels) AS e(project_id, connection_id, channel_id)
      WHERE EXISTS (
        SELECT FROM present WHERE present.project_id = e.project_id AND present.connection_id = e.connection_id)
      ON CONFLICT DO NOTHING;
  END IF;
  RETURN QUERY SELECT j.connection_id, (
      SELECT count(*) FROM present JOIN nodes ON nodes.id = present.node AND nodes.lease_until > clock_timestamp()
      WHERE present.project_id = j.project_id AND present.token_id = j.token_id)
    FROM unnest(joined_projects, joined_connections, tokens) AS j(project_id, connection_id, token_id)
    WHERE j.token_id IS NOT NULL;
END $$;
--> statement-breakpoint
-- Removes the nodes whose lease has ended, and every connection without a node. Returns the connections: of two nodes that call
-- it at the same time, one gets them.
CREATE FUNCTION lapse_nodes_v1() RETURNS TABLE (lapsed_member json, lapsed_channels json)
LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM nodes WHERE lease_until <= clock_timestamp();
  RETURN QUERY
    WITH gone AS (
      DELETE FROM present WHERE NOT EXISTS (SELECT FROM nodes WHERE nodes.id = present.node)
      RETURNING present.project_id, present.connection_id, present.member
    ), channels AS (
      DELETE FROM entered USING gone
      WHERE entered.project_id = gone.project_id AND entered.connection_id = gone.connection_id
      RETURNING entered.project_id, entered.connection_id, entered.channel_id
    )
    SELECT gone.member, (
      SELECT coalesce(json_agg(channels.channel_id ORDER BY channels.channel_id), '[]') FROM channels
      WHERE channels.project_id = gone.project_id AND channels.connection_id = gone.connection_id)
    FROM gone ORDER BY gone.connection_id;
END $$;
