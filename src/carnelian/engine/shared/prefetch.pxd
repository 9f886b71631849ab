from carnelian.engine.shared.client_state cimport Client
from carnelian.resp.parser cimport WORTH_FETCHING, Parser


# Looks at what a parser has next, if it is time for it, and fetches what its client needs for that.
cdef inline int fetch_ahead(Client client, Parser parser) except -1:
    if parser.taken == parser.made and parser.look_ahead() >= WORTH_FETCHING:
        client.db.prefetch(parser.ahead, parser.made)
    return 0
