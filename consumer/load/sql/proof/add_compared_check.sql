-- The one check to compare.
INSERT INTO compared_checks (store_id, guest_check_id)
VALUES (%(store)s, %(check_id)s)
