-- Which parts are the tables made of, how many rows has each, and when does the last of them expire?
SELECT table, name, rows, toInt64(toUnixTimestamp(delete_ttl_info_max)) AS expires_s
FROM system.parts
WHERE active AND database = currentDatabase()
