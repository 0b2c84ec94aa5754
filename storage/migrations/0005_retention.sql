-- Clean-up: its runs, and the indexes by which it finds what has expired and deletes it without a scan.

CREATE TABLE cleanup_runs (
    id         uuid PRIMARY KEY,
    job_type   text NOT NULL CHECK (job_type IN ('cleanup', 'orphaned_files')),
    trigger    text NOT NULL CHECK (trigger IN ('schedule', 'request')),
    status     text NOT NULL CHECK (status IN ('running', 'completed', 'failed')),
    started_at timestamptz NOT NULL,
    ended_at   timestamptz,
    counts     jsonb NOT NULL DEFAULT '{}',
    error      text
);
CREATE INDEX cleanup_runs_newest ON cleanup_runs (job_type, started_at DESC);

CREATE INDEX media_age ON media (captured_at, id) WHERE state IN ('detected', 'duplicate', 'dead');
CREATE INDEX media_duplicates ON media (duplicate_of) WHERE duplicate_of IS NOT NULL;
CREATE INDEX batches_age ON batches (started_at, id) WHERE state IN ('assessed', 'dead');

-- Counting events by camera, level and review touches this index only.
CREATE INDEX events_figures ON events (started_at) INCLUDE (camera_id, risk_level, reviewed, risk_score);
