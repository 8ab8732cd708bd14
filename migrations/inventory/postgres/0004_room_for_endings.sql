-- Every reservation is changed once at least: committed, released or expired. A batch's reservations stand side by side and end
-- together, so a page needs room for a second version of all its rows; with less, more than half of them moved to another page,
-- each with a new entry in the key's index, and ending a thousand took nearly twice as long.
ALTER TABLE inventory_service_schema.reservations SET (fillfactor = 45);
