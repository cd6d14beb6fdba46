-- Says that a consumer process is alive, and what it does; forgets those that were silent for a day.
WITH silent AS (
    DELETE FROM consumer_heartbeats
    WHERE beat_at < now() - interval '1 day' AND consumer_id <> %(consumer_id)s
)
INSERT INTO consumer_heartbeats (
    consumer_id, host, process_id, version, started_at, beat_at, beat_seconds, stopped_at,
    in_flight, oldest_sent_at, breaker
)
VALUES (
    %(consumer_id)s, %(host)s, %(process_id)s, %(version)s, now(), now(), %(beat_seconds)s,
    CASE WHEN %(stopped)s THEN now() END, %(in_flight)s,
    now() - %(oldest_seconds)s::double precision * interval '1 second', %(breaker)s
)
ON CONFLICT (consumer_id) DO UPDATE SET
    beat_at = excluded.beat_at,
    beat_seconds = excluded.beat_seconds,
    stopped_at = excluded.stopped_at,
    in_flight = excluded.in_flight,
    oldest_sent_at = excluded.oldest_sent_at,
    breaker = excluded.breaker
