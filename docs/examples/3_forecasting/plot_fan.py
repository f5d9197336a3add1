"""
A fan chart
===========

The fan begins at the last observation; its bands hold 50, 80 and 95 % of the sample paths.
"""

import varnn

y = varnn.data.load("elnino").frame
axes = varnn.VAR(lags=12).fit(y).forecast(24, rng=0).plot()
