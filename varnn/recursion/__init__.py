"""The lecture's recursion on torch.

`loop` runs h_t = f(h_{t-1}, x_t) over time, `cells` are its f (linear, tanh, GRU, LSTM), `wiring` says what goes in and
what is read (aligned, many to one, one to many, encode and decode).
"""
