-- Each camera's usual view, so that a restart fires nothing and several detection workers agree; and the changes.

CREATE TABLE scene_references (
    camera_id  text PRIMARY KEY REFERENCES cameras ON DELETE CASCADE,
    view       bytea NOT NULL,           -- 64 × 36 grey levels, half precision: vision/scene.py
    frames     integer NOT NULL,
    covered    boolean NOT NULL,
    learnt_at  timestamptz NOT NULL,
    last_at    timestamptz NOT NULL,
    version    bigint NOT NULL           -- compare-and-set: what was decided on another version is not stored
);

CREATE TABLE scene_changes (
    id               uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    camera_id        text NOT NULL REFERENCES cameras ON DELETE CASCADE,
    detected_at      timestamptz NOT NULL,
    change_type      text NOT NULL CHECK (change_type IN ('view_changed', 'covered', 'view_restored')),
    similarity_score real NOT NULL,
    media_id         bigint REFERENCES media ON DELETE SET NULL
);
CREATE INDEX scene_changes_camera ON scene_changes (camera_id, detected_at DESC, id DESC);
CREATE INDEX scene_changes_media ON scene_changes (media_id);
