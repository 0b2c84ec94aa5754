-- Who changed what: one row a change, written with the change itself, and none when nothing changed.

CREATE TABLE audit (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    timestamp     timestamptz NOT NULL DEFAULT now(),
    action        text NOT NULL,
    resource_type text NOT NULL,
    resource_id   text,
    actor         text NOT NULL,        -- the key's name, or 'local' where no key is asked for
    ip_address    text,
    details       jsonb NOT NULL,       -- {"changes": {field: {"old", "new"}}}, or what the action did
    status        text NOT NULL CHECK (status IN ('success', 'failure'))
);
CREATE INDEX audit_newest ON audit (timestamp DESC, id DESC);
CREATE INDEX audit_action ON audit (action, timestamp DESC, id DESC);
