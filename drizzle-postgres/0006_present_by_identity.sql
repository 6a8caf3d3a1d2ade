-- Finds the live connections of an identity, whatever the number of its tokens.
CREATE INDEX present_by_identity ON present (project_id, identity) WHERE identity IS NOT NULL;
