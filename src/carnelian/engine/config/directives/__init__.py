"""The declarations of all directives, a module per topic."""

from carnelian.engine.config.directive import Directive, Topic
from carnelian.engine.config.directives import (
    client_quotas,
    datatypes,
    diagnostics,
    general,
    maxmemory,
    network,
    persistence,
    replication,
    security,
    sharding,
    web_console,
)

TOPICS: tuple[Topic, ...] = (
    network.TOPIC,
    web_console.TOPIC,
    general.TOPIC,
    client_quotas.TOPIC,
    *security.TOPICS,
    *maxmemory.TOPICS,
    *diagnostics.TOPICS,
    datatypes.TOPIC,
    *persistence.TOPICS,
    *replication.TOPICS,
    sharding.TOPIC,
)

DIRECTIVES: tuple[Directive, ...] = tuple(
    directive for topic in TOPICS for directive in topic.directives
)
