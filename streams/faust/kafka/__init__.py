"""Faust over Kafka: a transaction per task holds rows, outputs and offsets."""
