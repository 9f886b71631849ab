"""Which way replies are written, and with what between them."""

from __future__ import annotations

from typing import NamedTuple

from carnelian.tools.cli.forms import raw_form

STANDARD, RAW, CSV, JSON, QUOTED_JSON = "standard", "raw", "csv", "json", "quoted-json"


class Style(NamedTuple):
    """How to write replies.

    ``form`` is one of the names above; ``between`` stands between the elements of a raw list,
    ``after`` after a raw reply.
    """

    form: str = STANDARD
    between: bytes = b"\n"
    after: bytes = b"\n"

    def write(self, reply: object) -> bytes:
        """The reply, with the end of its line."""
        form = self.form
        if form == RAW:
            return raw_form.write(reply, self.between) + self.after
        # One of them is used at all.
        from carnelian.tools.cli.forms import csv_form, json_form, terminal_form

        if form == STANDARD:
            return terminal_form.write(reply)
        if form == CSV:
            return csv_form.write(reply) + b"\n"
        return json_form.write(reply, form == QUOTED_JSON) + b"\n"
