-- What somebody asked of a part outside the store: each is answered, none takes another's place. Secrets are never here.
CREATE TABLE request (
    id            INTEGER PRIMARY KEY,
    part          TEXT NOT NULL,                   -- who carries it out: source:anna
    step          TEXT NOT NULL,                   -- JSON of model.request.Step
    actor         TEXT NOT NULL,
    state         TEXT NOT NULL,                   -- accepted, started, done, refused
    asked_at_ms   INTEGER NOT NULL,
    expires_at_ms INTEGER,
    secret        TEXT,                            -- name of a file in secrets/requests, until it is taken
    result        TEXT                             -- JSON of model.sign_in.SignInResult
);
CREATE INDEX request_open ON request (part, id) WHERE state IN ('accepted', 'started');
