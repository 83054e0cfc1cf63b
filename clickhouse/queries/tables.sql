-- Which tables and views are there?
SELECT name FROM system.tables WHERE database = currentDatabase()
