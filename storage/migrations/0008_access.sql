-- Who may come in: keys by their hash, and the sessions of pages that have shown one.

CREATE TABLE api_keys (
    name       text PRIMARY KEY,
    key_sha256 bytea NOT NULL UNIQUE CHECK (octet_length(key_sha256) = 32),
    source     text NOT NULL CHECK (source IN ('settings', 'made')),
    created_at timestamptz NOT NULL DEFAULT now()
);

-- A key that is replaced or taken away takes its sessions with it.
CREATE TABLE api_sessions (
    id_sha256  bytea PRIMARY KEY CHECK (octet_length(id_sha256) = 32),
    key_sha256 bytea NOT NULL REFERENCES api_keys (key_sha256) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX api_sessions_of_key ON api_sessions (key_sha256, created_at DESC);
