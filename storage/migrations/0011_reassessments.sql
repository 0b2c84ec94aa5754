-- Events that were stored provisionally, on their way to the language model: waiting → assessing → done · dead.

CREATE TABLE reassessments (
    id           bigint PRIMARY KEY REFERENCES events ON DELETE CASCADE,   -- the event's
    risk_score   integer NOT NULL,         -- the provisional one: the gravest are asked first
    state        text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'assessing', 'done', 'dead')),
    reason       text,
    queued_at    timestamptz NOT NULL DEFAULT now(),
    started_at   timestamptz,              -- the last claim
    finished_at  timestamptz,
    died_at      timestamptz,
    attempts     integer NOT NULL DEFAULT 0,
    claimable_at timestamptz NOT NULL DEFAULT now(),
    lease        text,
    lease_until  timestamptz
);
CREATE INDEX reassessments_waiting ON reassessments (risk_score DESC, id) WHERE state IN ('waiting', 'assessing');
