-- Where totals that somebody else summed are put, to be compared; the session's own.
CREATE TEMPORARY TABLE stage_totals (
    line bigint NOT NULL,
    store_id text NOT NULL,
    bus_dt date NOT NULL,
    net numeric,
    tax numeric,
    checks numeric
)
