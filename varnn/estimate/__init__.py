"""How weights are found, one folder an estimator, one question each.

Read `least_squares` (the VAR), then `linear` (the linear RNN by likelihood), `tanh` (Gauss–Newton, evidence, search),
`gated` (torch cells), `panel` (many series under one set of weights), `missing` (gaps), `direct` (windows to horizons);
`numerics` holds what several share.  Arrays in standard units go in, estimates come out; no model is known here.
"""
