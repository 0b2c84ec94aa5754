-- The pipeline's rows: every image is a row before anything else happens to it, and every stage moves rows
-- from one state to the next in one transaction. States and their pictures: schemas/{media,batch,event,alert,delivery}.py

CREATE TABLE cameras (
    id            text PRIMARY KEY,
    name          text NOT NULL,
    folder_path   text NOT NULL UNIQUE,
    status        text NOT NULL DEFAULT 'unknown' CHECK (status IN ('online', 'offline', 'error', 'unknown')),
    status_reason text,
    enabled       boolean NOT NULL DEFAULT true,
    created_at    timestamptz NOT NULL DEFAULT now(),
    last_seen_at  timestamptz,
    deleted_at    timestamptz          -- a deleted camera's history stays; its folder is no longer looked at
);

CREATE TABLE media (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    camera_id     text NOT NULL REFERENCES cameras,
    path          bytea NOT NULL,      -- os.fsencode of the absolute path: file names need not be UTF-8
    size_bytes    bigint NOT NULL,
    modified_ns   bigint NOT NULL,
    content_hash  bytea NOT NULL,      -- SHA-256; empty when the file could not be read
    media_type    text NOT NULL CHECK (media_type IN ('image', 'video')),
    state         text NOT NULL CHECK (state IN ('queued', 'detecting', 'detected', 'duplicate', 'dead')),
    reason        text,
    duplicate_of  bigint REFERENCES media ON DELETE SET NULL,
    captured_at   timestamptz NOT NULL,
    received_at   timestamptz NOT NULL DEFAULT now(),
    started_at    timestamptz,         -- the last claim
    detected_at   timestamptz,
    width         integer,
    height        integer,
    frames        integer,
    attempts      integer NOT NULL DEFAULT 0,
    claimable_at  timestamptz NOT NULL DEFAULT now(),
    lease         text,                -- '<owner>/<token>' of the worker that holds the row
    lease_until   timestamptz
);
-- One file as it was at one moment is one row, however often it is seen.
CREATE UNIQUE INDEX media_identity ON media (camera_id, path, modified_ns, size_bytes);
CREATE INDEX media_waiting ON media (id) WHERE state IN ('queued', 'detecting');
CREATE INDEX media_content ON media (camera_id, content_hash, captured_at);
CREATE INDEX media_newest ON media (camera_id, id DESC) WHERE state <> 'dead';
CREATE INDEX media_dead ON media (id) WHERE state = 'dead';

CREATE TABLE batches (
    id               uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    camera_id        text NOT NULL REFERENCES cameras,
    state            text NOT NULL CHECK (state IN ('open', 'closed', 'assessing', 'assessed', 'dead')),
    reason           text,
    started_at       timestamptz NOT NULL,   -- when its first picture was taken
    ended_at         timestamptz NOT NULL,   -- when its newest picture was taken
    opened_at        timestamptz NOT NULL,   -- by our clock
    last_activity_at timestamptz NOT NULL,   -- by our clock
    closed_at        timestamptz,
    close_reason     text,
    analysis_started_at timestamptz,
    detection_count  integer NOT NULL DEFAULT 0,
    attempts         integer NOT NULL DEFAULT 0,
    claimable_at     timestamptz NOT NULL DEFAULT now(),
    lease            text,
    lease_until      timestamptz
);
CREATE UNIQUE INDEX batches_one_open ON batches (camera_id) WHERE state = 'open';
CREATE INDEX batches_waiting ON batches (closed_at) WHERE state IN ('closed', 'assessing');
CREATE INDEX batches_dead ON batches (id) WHERE state = 'dead';

CREATE TABLE detections (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    media_id     bigint NOT NULL REFERENCES media,
    camera_id    text NOT NULL,
    batch_id     uuid NOT NULL REFERENCES batches,
    object_type  text NOT NULL,
    confidence   real NOT NULL,
    x            real NOT NULL,
    y            real NOT NULL,
    width        real NOT NULL,
    height       real NOT NULL,
    frame_offset_seconds real NOT NULL DEFAULT 0,
    detected_at  timestamptz NOT NULL
);
CREATE INDEX detections_batch ON detections (batch_id, id);
CREATE INDEX detections_newest ON detections (detected_at DESC, id DESC);
CREATE INDEX detections_camera ON detections (camera_id, detected_at DESC, id DESC);
CREATE INDEX detections_media ON detections (media_id);

CREATE TABLE events (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    batch_id        uuid NOT NULL UNIQUE REFERENCES batches,   -- one event a batch, whoever tries twice
    camera_id       text NOT NULL REFERENCES cameras,
    started_at      timestamptz NOT NULL,
    ended_at        timestamptz NOT NULL,
    risk_score      integer NOT NULL CHECK (risk_score BETWEEN 0 AND 100),
    risk_level      text NOT NULL CHECK (risk_level IN ('low', 'medium', 'high', 'critical')),
    summary         text NOT NULL,
    reasoning       text NOT NULL,
    assessment      text NOT NULL CHECK (assessment IN ('provisional', 'final')),
    assessed_by     text NOT NULL,
    why             jsonb NOT NULL,      -- factors, unusualness, bands in force: what the score was made from
    reviewed        boolean NOT NULL DEFAULT false,
    notes           text,
    object_types    text[] NOT NULL,
    detection_count integer NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX events_newest ON events (started_at DESC, id DESC);
CREATE INDEX events_camera ON events (camera_id, started_at DESC, id DESC);
CREATE INDEX events_level ON events (risk_level, started_at DESC, id DESC);

CREATE TABLE baselines (
    camera_id   text NOT NULL REFERENCES cameras,
    object_type text NOT NULL,
    weekday     smallint NOT NULL CHECK (weekday BETWEEN 0 AND 6),   -- Monday is 0, in the house's zone
    hour        smallint NOT NULL CHECK (hour BETWEEN 0 AND 23),
    weight      double precision NOT NULL,    -- decayed number of appearances, as of updated_at
    samples     bigint NOT NULL,              -- appearances ever counted
    updated_at  timestamptz NOT NULL,
    PRIMARY KEY (camera_id, object_type, weekday, hour)
);

CREATE TABLE alert_rules (
    id                 uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name               text NOT NULL,
    description        text,
    enabled            boolean NOT NULL,
    severity           text NOT NULL CHECK (severity IN ('low', 'medium', 'high', 'critical')),
    risk_threshold     integer CHECK (risk_threshold BETWEEN 0 AND 100),
    object_types       text[],
    camera_ids         text[],
    min_confidence     double precision,
    zones              jsonb,
    schedule           jsonb,
    cooldown_seconds   integer NOT NULL CHECK (cooldown_seconds >= 0),
    dedup_key_template text NOT NULL,
    channels           text[] NOT NULL,
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE alerts (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    event_id        bigint NOT NULL REFERENCES events,
    rule_id         uuid REFERENCES alert_rules ON DELETE SET NULL,
    severity        text NOT NULL CHECK (severity IN ('low', 'medium', 'high', 'critical')),
    status          text NOT NULL DEFAULT 'pending'
                    CHECK (status IN ('pending', 'delivered', 'acknowledged', 'dismissed')),
    dedup_key       text NOT NULL,
    channels        text[] NOT NULL,
    metadata        jsonb NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    delivered_at    timestamptz,
    acknowledged_at timestamptz,
    dismissed_at    timestamptz
);
CREATE UNIQUE INDEX alerts_once ON alerts (rule_id, event_id);
CREATE INDEX alerts_dedup ON alerts (dedup_key, created_at DESC);
CREATE INDEX alerts_newest ON alerts (created_at DESC, id DESC);
CREATE INDEX alerts_event ON alerts (event_id);

CREATE TABLE deliveries (
    id                 uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    alert_id           uuid NOT NULL REFERENCES alerts ON DELETE CASCADE,
    channel            text NOT NULL,
    recipient          text NOT NULL,
    status             text NOT NULL CHECK (status IN ('queued', 'sending', 'delivered', 'suppressed', 'dead')),
    attempts           integer NOT NULL DEFAULT 0,
    error              text,
    suppressed_because text,
    receipt            text,
    queued_at          timestamptz NOT NULL DEFAULT now(),
    delivered_at       timestamptz,
    claimable_at       timestamptz NOT NULL DEFAULT now(),
    lease              text,
    lease_until        timestamptz
);
CREATE UNIQUE INDEX deliveries_once ON deliveries (alert_id, channel, recipient);
CREATE INDEX deliveries_waiting ON deliveries (claimable_at) WHERE status IN ('queued', 'sending');
CREATE INDEX deliveries_dead ON deliveries (id) WHERE status = 'dead';

CREATE TABLE notification_preferences (
    id                          integer PRIMARY KEY CHECK (id = 1),
    enabled                     boolean NOT NULL DEFAULT true,
    sound                       text NOT NULL DEFAULT 'default',
    risk_filters                text[] NOT NULL DEFAULT '{critical,high,medium}',
    critical_passes_quiet_hours boolean NOT NULL DEFAULT true
);
INSERT INTO notification_preferences (id) VALUES (1);

CREATE TABLE camera_notification_settings (
    id             integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    camera_id      text NOT NULL UNIQUE REFERENCES cameras,
    enabled        boolean NOT NULL DEFAULT true,
    risk_threshold integer NOT NULL DEFAULT 0 CHECK (risk_threshold BETWEEN 0 AND 100)
);

CREATE TABLE quiet_hours (
    id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    label      text NOT NULL,
    start_time text NOT NULL,
    end_time   text NOT NULL,
    days       text[] NOT NULL
);

CREATE TABLE runtime_config (
    id         integer PRIMARY KEY CHECK (id = 1),
    value      jsonb NOT NULL,        -- the changed fields only: an unchanged one keeps following the settings
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE services (
    name          text PRIMARY KEY,
    category      text NOT NULL,
    status        text NOT NULL,
    enabled       boolean NOT NULL DEFAULT true,
    failure_count integer NOT NULL DEFAULT 0,
    last_restart  timestamptz,
    message       text,
    detail        jsonb NOT NULL DEFAULT '{}',
    checked_at    timestamptz NOT NULL
);

CREATE TABLE gpu_stats (
    recorded_at   timestamptz NOT NULL,
    node          text NOT NULL,
    gpu_index     integer NOT NULL,
    gpu_name      text NOT NULL,
    utilization   real,
    memory_used   integer,             -- MB
    memory_total  integer,             -- MB
    temperature   real,                -- degrees Celsius
    power_usage   real,                -- watts
    inference_fps real,
    PRIMARY KEY (recorded_at, node, gpu_index)
);
