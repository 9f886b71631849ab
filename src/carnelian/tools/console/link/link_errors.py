"""What can go wrong between the console and the server."""

from __future__ import annotations


class LinkError(Exception):
    """The server cannot be reached, has hung up or says what is no reply."""


class ReplyTooLargeError(LinkError):
    """A reply is larger than the console takes."""


class LoginRefusedError(Exception):
    """The server does not let this user in, or not with this password; the text is its error."""


class RefusedError(Exception):
    """The server has answered with an error; the text is that error."""
