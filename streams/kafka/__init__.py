"""The log on Apache Kafka: the port streams.log.Log, and Faust's transport."""
