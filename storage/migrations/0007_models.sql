-- The model zoo as its actor last saw it: one row a model of the registry.

CREATE TABLE models (
    name            text PRIMARY KEY,
    status          text NOT NULL CHECK (status IN ('loaded', 'unloaded', 'loading', 'disabled', 'error')),
    enabled         boolean NOT NULL,
    available       boolean NOT NULL,
    reason          text,
    vram_mb         integer NOT NULL CHECK (vram_mb >= 0),
    vram_measured   boolean NOT NULL,
    device          text,
    path            text NOT NULL,
    last_used       timestamptz,
    load_count      bigint NOT NULL CHECK (load_count >= 0),
    load_time_ms    integer,
    inference_count bigint NOT NULL CHECK (inference_count >= 0),
    updated_at      timestamptz NOT NULL
);
