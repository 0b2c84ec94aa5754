-- How long each stage takes, and how the system does: samples by minute, snapshots, and when the system came up.

ALTER TABLE media ADD COLUMN settled_at timestamptz;   -- when the watcher found the file complete, before it was hashed
ALTER TABLE media ADD COLUMN found_at timestamptz;     -- when the detector had answered; detected_at is the commit after it

CREATE INDEX media_detected ON media (detected_at) WHERE state = 'detected';
CREATE INDEX events_created ON events (created_at);
CREATE INDEX deliveries_delivered ON deliveries (delivered_at) WHERE status = 'delivered';

-- Every sample of a series that ended in this minute. Packed, since a million rows of two numbers each cannot be read
-- in the time that an answer may take. Both columns hold as many big-endian numbers as there are samples, in one order.
CREATE TABLE latency_minutes (
    series    text NOT NULL,         -- a stage of the pipeline, or 'model:<name>'
    minute    timestamptz NOT NULL,
    moments   bytea NOT NULL,        -- int2: milliseconds from the middle of the minute
    durations bytea NOT NULL,        -- int4: twentieths of a millisecond
    PRIMARY KEY (series, minute)
);
ALTER TABLE latency_minutes ALTER COLUMN moments SET STORAGE EXTERNAL;    -- compression would cost more than it saves
ALTER TABLE latency_minutes ALTER COLUMN durations SET STORAGE EXTERNAL;
CREATE INDEX latency_minutes_minute ON latency_minutes (minute);

CREATE TABLE performance_snapshots (
    recorded_at timestamptz PRIMARY KEY,
    snapshot    jsonb NOT NULL
);

CREATE TABLE system_start (
    id          integer PRIMARY KEY CHECK (id = 1),
    started_at  timestamptz NOT NULL,
    reported_at timestamptz NOT NULL   -- an old one is from before the system was last stopped
);
