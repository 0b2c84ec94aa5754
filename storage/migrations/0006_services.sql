-- Services by hand, and dead letters that are put aside.

ALTER TABLE services
    ADD COLUMN restarts        integer NOT NULL DEFAULT 0,
    ADD COLUMN next_restart_at timestamptz;

-- What a person has switched off. A row is the wish, whatever runs at the moment.
CREATE TABLE disabled_services (
    name        text PRIMARY KEY,
    disabled_at timestamptz NOT NULL DEFAULT now()
);

-- A dead letter is a dead row that nobody has put aside. Its natural key stays, so that a file does not come again.
ALTER TABLE media
    ADD COLUMN died_at    timestamptz,   -- null for a row that died before this column was there
    ADD COLUMN cleared_at timestamptz;
ALTER TABLE batches
    ADD COLUMN died_at    timestamptz,
    ADD COLUMN cleared_at timestamptz;
ALTER TABLE deliveries
    ADD COLUMN died_at    timestamptz,
    ADD COLUMN cleared_at timestamptz;

CREATE INDEX media_dead_letters ON media (coalesce(died_at, received_at), id)
    WHERE state = 'dead' AND cleared_at IS NULL;
CREATE INDEX batches_dead_letters ON batches (coalesce(died_at, last_activity_at), id)
    WHERE state = 'dead' AND cleared_at IS NULL;
CREATE INDEX deliveries_dead_letters ON deliveries (coalesce(died_at, queued_at), id)
    WHERE status = 'dead' AND cleared_at IS NULL;
