"""The log on Apache Kafka: the port streams.log.Log, and the state of the tasks of a worker."""
