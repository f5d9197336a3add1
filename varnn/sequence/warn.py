"""What a reader of predictions must know of the symbols they were made from."""

from __future__ import annotations

import warnings

from varnn.errors import UnknownSymbolsWarning
from varnn.sequence.symbols import Sequences, Vocabulary


def warn_of_unknown(vocabulary: Vocabulary | None, sequences: Sequences, unknown: float, argument: str) -> None:
    """Refuse new symbols where the fit never learnt the unknown one; warn of sequences that hold no known symbol.

    Parameters
    ----------
    vocabulary : Vocabulary or None
        None for numbers: nothing to do.
    sequences : Sequences
    unknown : float
        Share of the symbols that training read as unknown.
    argument : str
    """
    if vocabulary is None:
        return
    if unknown == 0.0:
        vocabulary.refuse_unknown(sequences.rows, argument)
        return
    known = vocabulary.numbers
    lost = [i for i, row in enumerate(sequences.rows) if len(row) and not any(symbol in known for symbol in row)]
    if lost and len(lost) > len(sequences) / 2:
        warnings.warn(f"{len(lost)} of {len(sequences)} sequences of {argument} (first: number {lost[0]}, "
                      f"{str(sequences.rows[lost[0]])[:40]!r}) hold no symbol that the fit has seen, so that it says "
                      "the same of all of one length; it was fitted to symbols such as "
                      f"{', '.join(vocabulary.symbols[:8])}",
                      UnknownSymbolsWarning, stacklevel=4)
