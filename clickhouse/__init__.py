"""History: ClickHouse in process (chDB) or as a server; migrations, queries, writer, reader."""
