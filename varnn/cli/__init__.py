"""The command line.

`app` (compare, forecast, climb …), `benchmark` (suites), `source` (what a command reads), `demo`, and `console` (how it
speaks).
"""
