-- The journal of InfuseWatch, schema version 1 (PRAGMA user_version), application_id 0x49465754 ("IFWT").
--
-- Append only. `seq` numbers inputs and records together, strictly increasing and without holes; a row of
-- `gap` stands for numbers whose entries could not be kept. `at_us` is engine time in microseconds: it
-- never runs backwards and is what durations are made of. `wall_ms` is the wall clock in milliseconds
-- since 1970-01-01T00:00:00Z, for people. Tables that grow every second are keyed by rowid and have no other
-- index, so that a commit touches few pages: that keeps an SD card alive.

-- Each start of the program, written before anything is replayed: a start that did not last must not be
-- replayed again.
CREATE TABLE start (
    id             INTEGER PRIMARY KEY,
    wall_ms        INTEGER NOT NULL,
    boot           TEXT NOT NULL,            -- the kernel's boot id
    program        TEXT NOT NULL,            -- version of the program
    engine_version INTEGER NOT NULL,         -- another version may decide differently
    profile_crc    TEXT NOT NULL,            -- CRC-64/XZ of the configured profile, hexadecimal
    offset_us      INTEGER NOT NULL,         -- engine time minus CLOCK_BOOTTIME, microseconds
    good           INTEGER NOT NULL DEFAULT 0 -- 1: ran for 30 s, or was stopped in order
) STRICT;

-- Where a replay can begin: the engine was fresh just before this input.
CREATE TABLE opening (
    seq     INTEGER PRIMARY KEY,             -- the input's number
    wall_ms INTEGER NOT NULL,
    session INTEGER,                         -- NULL in standby
    what    TEXT NOT NULL,                   -- start, open, carry-over; 'continued': this file begins inside
                                             -- a session, nothing before it is here and replay is impossible
    start   INTEGER,                         -- the `start` during which it was written
    profile TEXT                             -- name and check sum of the profile that judges, for people
) STRICT;

-- The feeds by their place in the configuration, as of this number.
CREATE TABLE feed (
    seq      INTEGER NOT NULL,
    place    INTEGER NOT NULL,
    name     TEXT NOT NULL,
    protocol TEXT NOT NULL,
    PRIMARY KEY (place, seq)
) STRICT, WITHOUT ROWID;

-- Names behind `input.parameter`.
CREATE TABLE parameter (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,               -- spo2, …; mdc:<code> or vendor:<protocol>:<code> when unknown
    unit TEXT                                -- /min, %, mmHg, degC; NULL when unknown
) STRICT;

-- Everything that entered the engine. A row with `parameter` is a reading; one with `detail` is any other
-- input as JSON; one with neither is a sign of life of its feed.
CREATE TABLE input (
    seq                INTEGER PRIMARY KEY,
    at_us              INTEGER NOT NULL,
    wall_ms            INTEGER NOT NULL,
    session            INTEGER,              -- NULL outside a session
    feed               INTEGER,              -- place in the configuration
    parameter          INTEGER,              -- parameter.id; not a foreign key: checking it costs each row
    mantissa           INTEGER,              -- the value is mantissa / 10^scale, in the parameter's unit;
    scale              INTEGER,              -- NULL: no number, see cause
    cause              TEXT,                 -- why there is no number; beside a number: why it is doubtful
    measured_ms        INTEGER,              -- when it was measured: the device's civil time, as ms since 1970
    message_ms         INTEGER,              -- when the device sent it, by the same clock
    mdc                INTEGER,              -- IEEE 11073-10101 code under which it came
    measured_offset    INTEGER,              -- minutes east of UTC, where the device told it
    message_offset     INTEGER,              -- the same for message_ms
    site               TEXT,                 -- impedance, airway, acoustic, core, skin
    finding            TEXT,                 -- asystole, no-breath
    detail             TEXT
) STRICT;

-- Everything that the engine decided.
CREATE TABLE record (
    seq     INTEGER PRIMARY KEY,
    at_us   INTEGER NOT NULL,
    wall_ms INTEGER NOT NULL,
    session INTEGER,
    late_us INTEGER,                         -- how much later than at_us it could be decided, after downtime
    kind    TEXT NOT NULL,                   -- alarm, audio, phase, refused, task, baseline, limit
    alarm   INTEGER,                         -- for an alarm: the occurrence
    event   TEXT,                            -- for an alarm: begin, escalate, deescalate, acknowledge,
                                             -- return, end, re-alarm
    text    TEXT,                            -- one line for people, where there is one
    detail  TEXT NOT NULL                    -- the whole record as JSON; verify compares this text
) STRICT;

-- Alarms are few: this index is touched only by the commits that carry one.
CREATE INDEX record_alarm ON record (alarm) WHERE kind = 'alarm';

-- Numbers whose entries were dropped because the record could not be written for too long.
CREATE TABLE gap (
    seq     INTEGER PRIMARY KEY,             -- the first
    to_seq  INTEGER NOT NULL,                -- the last
    wall_ms INTEGER NOT NULL                 -- of the first entry kept after it
) STRICT;

-- Waves: not part of the sequence, never judged.
CREATE TABLE channel (
    id         INTEGER PRIMARY KEY,
    feed       TEXT NOT NULL,
    label      TEXT NOT NULL,                -- ecg-<lead>, pleth, art, resp, co2
    rate_hz    INTEGER NOT NULL,             -- samples a second
    resolution TEXT NOT NULL,                -- what one count is worth, in unit
    unit       TEXT NOT NULL,                -- mV, mmHg, %; empty when unknown
    UNIQUE (feed, label, rate_hz, resolution, unit)
) STRICT;

CREATE TABLE wave (
    id      INTEGER PRIMARY KEY,
    channel INTEGER NOT NULL,
    session INTEGER,
    wall_ms INTEGER NOT NULL,                -- when the first sample was received
    samples INTEGER NOT NULL,                -- how many, missing ones included; one second's worth or less
    data    BLOB NOT NULL                    -- compressed; docs/journal.md describes the code
) STRICT;

-- ── Views for people ────────────────────────────────────────────────────────────────────────────────────

CREATE VIEW v_vitals (session, wall_time, parameter, value, unit, validity, cause, feed) AS
SELECT i.session,
       strftime('%Y-%m-%dT%H:%M:%S', i.wall_ms / 1000, 'unixepoch') || printf('.%03dZ', i.wall_ms % 1000),
       p.name,
       CASE i.scale WHEN 0 THEN i.mantissa WHEN 1 THEN i.mantissa / 10.0 WHEN 2 THEN i.mantissa / 100.0
                    WHEN 3 THEN i.mantissa / 1000.0 ELSE i.mantissa / CAST('1e' || i.scale AS REAL) END,
       p.unit,
       CASE WHEN i.mantissa IS NULL THEN 'invalid' WHEN i.cause IS NULL THEN 'valid' ELSE 'questionable' END,
       i.cause,
       (SELECT f.name FROM feed f WHERE f.place = i.feed AND f.seq <= i.seq ORDER BY f.seq DESC LIMIT 1)
FROM input i JOIN parameter p ON p.id = i.parameter;

-- One row per occurrence. `priority` is the peak; `limit_value` and `text` are those of the moment when the
-- peak was reached; `peak_value` is the most extreme value that an event of this alarm carries. An alarm that
-- was over and waited for its acknowledgement is acknowledged by its end.
CREATE VIEW v_alarms (session, alarm, rule, class, priority, began, ended, acknowledged, by, peak_value,
                      limit_value, text) AS
WITH life AS (
    SELECT alarm,
           min(seq) AS first_seq,
           max(seq) AS last_seq,
           max(CASE WHEN event IN ('begin', 'escalate') AND detail ->> 'priority' = detail ->> 'peak'
               THEN seq END) AS peak_seq,
           max(CASE event WHEN 'end' THEN seq END) AS end_seq,
           coalesce(min(CASE event WHEN 'acknowledge' THEN seq END),
                    CASE WHEN sum(event = 'return') > 0
                         THEN max(CASE event WHEN 'end' THEN seq END) END) AS acknowledged_seq,
           min(detail ->> 'value') AS lowest,
           max(detail ->> 'value') AS highest
    FROM record WHERE kind = 'alarm' GROUP BY alarm)
SELECT b.session,
       life.alarm,
       b.detail ->> 'rule',
       b.detail ->> 'class',
       l.detail ->> 'peak',
       strftime('%Y-%m-%dT%H:%M:%S', b.wall_ms / 1000, 'unixepoch') || printf('.%03dZ', b.wall_ms % 1000),
       strftime('%Y-%m-%dT%H:%M:%S', e.wall_ms / 1000, 'unixepoch') || printf('.%03dZ', e.wall_ms % 1000),
       strftime('%Y-%m-%dT%H:%M:%S', a.wall_ms / 1000, 'unixepoch') || printf('.%03dZ', a.wall_ms % 1000),
       a.detail ->> 'by',
       CASE WHEN b.detail ->> 'rule' LIKE '%-high' THEN life.highest
            WHEN b.detail ->> 'rule' LIKE '%-low' OR b.detail ->> 'rule' = 'oversedated' THEN life.lowest
            ELSE p.detail ->> 'value' END,
       p.detail ->> 'limit',
       coalesce(p.text, b.text)
FROM life
JOIN record b ON b.seq = life.first_seq
JOIN record l ON l.seq = life.last_seq
LEFT JOIN record p ON p.seq = coalesce(life.peak_seq, life.first_seq)
LEFT JOIN record e ON e.seq = life.end_seq
LEFT JOIN record a ON a.seq = life.acknowledged_seq;

-- Everything that is neither a reading nor a sign of life.
CREATE VIEW v_events (session, seq, wall_time, what, detail) AS
SELECT session, seq,
       strftime('%Y-%m-%dT%H:%M:%S', wall_ms / 1000, 'unixepoch') || printf('.%03dZ', wall_ms % 1000),
       what, detail
FROM (
    SELECT session, seq, wall_ms,
           coalesce(detail ->> '$.command.command', detail ->> 'kind') AS what,
           json_remove(detail, '$.kind', '$.setup', '$.started.setup') AS detail
    FROM input WHERE detail IS NOT NULL
    UNION ALL
    SELECT session, seq, wall_ms,
           CASE kind WHEN 'alarm' THEN 'alarm-' || event ELSE kind END,
           coalesce(text, json_remove(detail, '$.kind'))
    FROM record
    UNION ALL
    SELECT NULL, seq, wall_ms, 'gap', json_object('from', seq, 'to', to_seq) FROM gap
)
ORDER BY seq;

CREATE VIEW v_sessions (session, opened, infusion_started, infusion_ended, closed, profile, baseline) AS
WITH opened AS (
    SELECT session, min(seq) AS seq FROM opening WHERE session IS NOT NULL GROUP BY session),
phases AS (
    SELECT session,
           min(CASE detail ->> 'phase' WHEN 'infusion' THEN wall_ms END) AS started_ms,
           max(CASE detail ->> 'phase' WHEN 'recovery' THEN wall_ms END) AS ended_ms,
           max(CASE detail ->> 'phase' WHEN 'discharged' THEN wall_ms END) AS closed_ms
    FROM record WHERE kind = 'phase' GROUP BY session),
baselines AS (
    SELECT session, json_group_object(parameter, value) AS baseline
    FROM (SELECT session, detail ->> 'parameter' AS parameter, json_extract(detail, '$.value') AS value,
                 max(seq)
          FROM record WHERE kind = 'baseline' GROUP BY session, detail ->> 'parameter')
    GROUP BY session)
SELECT o.session,
       strftime('%Y-%m-%dT%H:%M:%S', o.wall_ms / 1000, 'unixepoch') || printf('.%03dZ', o.wall_ms % 1000),
       strftime('%Y-%m-%dT%H:%M:%S', p.started_ms / 1000, 'unixepoch')
           || printf('.%03dZ', p.started_ms % 1000),
       strftime('%Y-%m-%dT%H:%M:%S', p.ended_ms / 1000, 'unixepoch')
           || printf('.%03dZ', p.ended_ms % 1000),
       strftime('%Y-%m-%dT%H:%M:%S', p.closed_ms / 1000, 'unixepoch')
           || printf('.%03dZ', p.closed_ms % 1000),
       o.profile,
       b.baseline
FROM opened
JOIN opening o ON o.seq = opened.seq
LEFT JOIN phases p ON p.session = o.session
LEFT JOIN baselines b ON b.session = o.session;
