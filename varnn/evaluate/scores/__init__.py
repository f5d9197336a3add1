"""What a forecast is worth at one origin.

`point`, `density` and `joint` hold the formulas, `at_origin` what the backtest writes into the ledger, `registry` the
list by name.
"""
