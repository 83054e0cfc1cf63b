-- Which parts has the engine put aside because it could not read them?
SELECT DISTINCT assumeNotNull(table) AS table, replaceRegexpOne(name, '^broken[a-z-]*_', '') AS part
FROM system.detached_parts
WHERE database = currentDatabase() AND startsWith(name, 'broken')
