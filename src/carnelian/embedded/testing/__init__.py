"""For tests of programs that use an engine: a clock that stands still, and the plugin of pytest."""
