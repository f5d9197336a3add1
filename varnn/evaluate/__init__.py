"""Questions to many forecasts: windows, scores, tests of equal accuracy, calibration; never imports a model.

Read `windows`, `backtest` (fills the `ledger`), `tables` (averages of a ledger), `verdict` (its sentences) and
`calibration`; formulas of scores are in `scores`, tests in `significance`.
"""
