-- The processes that were nodes, so that a question about the past can name those that have ended: what only they knew is lost. The
-- newest 1,000 that have ended are kept. If an older one would be asked for, so would all of those.
CREATE TABLE node_processes (
  -- `<node>`, as in the ids of its registrations: `<node>.<count>`.
  id text COLLATE "C" PRIMARY KEY,
  -- The process has delivered nothing after this moment; null while one of its registrations is there, and after a crash of the server
  -- until the next registration of any node.
  ended_at timestamptz
);
--> statement-breakpoint
CREATE INDEX node_processes_by_end ON node_processes (ended_at);
--> statement-breakpoint
-- A trigger, so that the nodes of the version before are recorded, too.
CREATE FUNCTION note_node_start_v1() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO node_processes (id) VALUES (split_part(NEW.id, '.', 1)) ON CONFLICT (id) DO UPDATE SET ended_at = NULL;
  -- A crash of the server removed registrations without a trace. Those of them that continue register again.
  UPDATE node_processes SET ended_at = clock_timestamp()
    WHERE ended_at IS NULL AND NOT EXISTS (SELECT FROM nodes WHERE split_part(nodes.id, '.', 1) = node_processes.id);
  DELETE FROM node_processes WHERE id IN (
    SELECT id FROM node_processes WHERE ended_at IS NOT NULL ORDER BY ended_at DESC OFFSET 1000);
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER nodes_start AFTER INSERT ON nodes FOR EACH ROW EXECUTE FUNCTION note_node_start_v1();
--> statement-breakpoint
CREATE FUNCTION note_node_end_v1() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  -- The other tables of these transactions are unlogged, so before this note they did not wait for a synchronous standby. While it is
  -- lost, nodes must still end, lapse and move their connections; a promoted standby that lacks the note ends the node by its next registration.
  PERFORM set_config('synchronous_commit', 'local', true);
  -- A process that has registered again has not ended. One whose lease has ended delivers nothing any more.
  UPDATE node_processes SET ended_at = least(clock_timestamp(), OLD.lease_until)
    WHERE id = split_part(OLD.id, '.', 1)
      AND NOT EXISTS (SELECT FROM nodes WHERE split_part(nodes.id, '.', 1) = node_processes.id);
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER nodes_end AFTER DELETE ON nodes FOR EACH ROW EXECUTE FUNCTION note_node_end_v1();
--> statement-breakpoint
-- After the triggers: they have waited for the registrations that were in flight, and record the later ones.
INSERT INTO node_processes (id) SELECT DISTINCT split_part(id, '.', 1) FROM nodes ON CONFLICT DO NOTHING;
