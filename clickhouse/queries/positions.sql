-- Up to which offset of each partition is the log in history?
SELECT topic, partition, argMax(next, version) AS next_offset, max(version) AS newest
FROM positions
GROUP BY topic, partition
