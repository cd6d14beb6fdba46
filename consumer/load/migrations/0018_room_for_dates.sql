-- Checks that come again unchanged are dated: a page keeps room for the next version of all its rows,
-- so that no index has to be told. What is there already gets it as it is written anew.
-- Works with releases from schema 0010 on.

ALTER TABLE guest_checks SET (fillfactor = 50);
