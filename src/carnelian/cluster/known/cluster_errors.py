"""What is raised in a cluster."""


class ClusterError(Exception):
    """An administrator asked for something that cannot be; the text is Redis's, without ``ERR``."""


class UnknownNode(ClusterError):
    """There is no node with such an ID."""


class NodesFileError(Exception):
    """The file of the nodes cannot be read, or is damaged."""
