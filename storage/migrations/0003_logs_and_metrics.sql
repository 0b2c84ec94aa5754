-- What every process says (logs) and counts (metric_snapshots), as rows: one place for all nodes and replicas.

CREATE TABLE logs (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    timestamp   timestamptz NOT NULL,
    level       text NOT NULL CHECK (level IN ('DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL')),
    component   text NOT NULL,          -- the actor's or deployment's name; of a page, what it calls itself
    message     text NOT NULL,
    camera_id   text,                   -- no reference: a line may name a camera that was never made
    request_id  text,
    duration_ms double precision,
    extra       jsonb NOT NULL,
    source      text NOT NULL CHECK (source IN ('backend', 'frontend'))
);
-- Every filter has an index in the order of the list, so that a page walks it and sorts nothing.
CREATE INDEX logs_newest ON logs (timestamp DESC, id DESC);
CREATE INDEX logs_level ON logs (level, timestamp DESC, id DESC);
CREATE INDEX logs_component ON logs (component, timestamp DESC, id DESC);
CREATE INDEX logs_camera ON logs (camera_id, timestamp DESC, id DESC) WHERE camera_id IS NOT NULL;
CREATE INDEX logs_source ON logs (source, timestamp DESC, id DESC);

-- How many lines each quarter of an hour has: a day's figures are some hundred rows, however many lines it had.
-- A quarter, because zones lie up to 45 minutes beside the hour.
CREATE TABLE log_counts (
    quarter   timestamptz NOT NULL,
    component text NOT NULL,
    level     text NOT NULL,
    lines     bigint NOT NULL,
    PRIMARY KEY (quarter, component, level)
);

-- Kept by the database in the same transaction, so that the figures are the rows' whoever writes or deletes them.
-- Rows are taken in one order, so that two writers cannot deadlock.
CREATE FUNCTION logs_were_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO log_counts AS c (quarter, component, level, lines)
    SELECT date_bin('15 minutes', timestamp, '2000-01-01Z'), component, level, count(*)
    FROM touched GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (quarter, component, level) DO UPDATE SET lines = c.lines + excluded.lines;
    RETURN NULL;
END $$;

CREATE FUNCTION logs_were_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO log_counts AS c (quarter, component, level, lines)
    SELECT date_bin('15 minutes', timestamp, '2000-01-01Z'), component, level, -count(*)
    FROM touched GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (quarter, component, level) DO UPDATE SET lines = c.lines + excluded.lines;
    DELETE FROM log_counts c
    USING (SELECT DISTINCT date_bin('15 minutes', timestamp, '2000-01-01Z') AS quarter FROM touched) t
    WHERE c.quarter = t.quarter AND c.lines = 0;
    RETURN NULL;
END $$;

CREATE TRIGGER logs_added AFTER INSERT ON logs
    REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION logs_were_added();
CREATE TRIGGER logs_deleted AFTER DELETE ON logs
    REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION logs_were_deleted();

-- What each process has counted since it started, whole, so that a lost report loses nothing.
CREATE TABLE metric_snapshots (
    process     text PRIMARY KEY,       -- new with every start; 'retired' holds the sums of those that are gone
    component   text NOT NULL,
    started_at  timestamptz NOT NULL,
    reported_at timestamptz NOT NULL,
    samples     jsonb NOT NULL          -- schemas/metric.py
);
