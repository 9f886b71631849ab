"""The data set on the disk: RDB files and payloads, snapshots, the append-only file.

From the ground up: ``bytes`` moves bytes to files and back; ``forms`` knows how the values of each
type stand in them; ``rdb`` puts forms together to payloads and files; ``background`` writes them
beside other work; ``saving`` and ``aof`` decide when, and where to.
"""
