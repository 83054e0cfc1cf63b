"""What holds for every test."""

from hypothesis import settings

from tests.kafka.fixtures import kafka as kafka
from tests.kafka.fixtures import kafka_cluster as kafka_cluster

# How long an example takes says more about the machine than about the property.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
