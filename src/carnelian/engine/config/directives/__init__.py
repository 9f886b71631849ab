"""The declarations of all directives, a module per topic."""

from carnelian.engine.config.directive import Directive, Topic
from carnelian.engine.config.directives import (
    clients,
    cluster,
    datatypes,
    general,
    memory,
    monitoring,
    network,
    persistence,
    replication,
    security,
)

TOPICS: tuple[Topic, ...] = (
    network.TOPIC,
    general.TOPIC,
    clients.TOPIC,
    *security.TOPICS,
    *memory.TOPICS,
    *monitoring.TOPICS,
    datatypes.TOPIC,
    *persistence.TOPICS,
    *replication.TOPICS,
    cluster.TOPIC,
)

DIRECTIVES: tuple[Directive, ...] = tuple(
    directive for topic in TOPICS for directive in topic.directives
)
