"""Questions to one fit under statsmodels' names: one line each, answered in `inference/`, imported when asked.

`Fitted` inherits `Questions`; a linear recursion whose standard errors nobody derived inherits `LinearQuestions`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from varnn.guide import Guided
from varnn.series import whole_number

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from torch import Tensor

    from varnn.forecaster import Fitted
    from varnn.inference.bootstrap import Bootstrap
    from varnn.inference.decompose import VarianceDecomposition
    from varnn.inference.hypothesis import HypothesisTest
    from varnn.inference.impulse import ImpulseResponses
    from varnn.inference.scenario import Scenario
    from varnn.inference.system_linearity import SystemLinearity
    from varnn.picture import Picture
    from varnn.recursion.wiring import Layer
    from varnn.shocks import Shocks


class Questions(Guided):
    """What every fit can be asked."""

    def scenario(self, horizon: int, hard: object = None, soft: object = None, X: object = None,
                 **options: Any) -> Scenario:
        """Forecast given fixed values or ranges of some future cells; see `varnn.inference.scenario.scenario`."""
        from varnn.inference.scenario import scenario

        return scenario(cast("Fitted", self), horizon, hard, soft, X, **options)

    def bootstrap(self, replications: int = 999, *, shocks: Shocks = "residuals", corrected: bool = True,
                  rng: object = None) -> Bootstrap:
        """Refit on samples simulated from this fit; see `varnn.inference.bootstrap.bootstrap`."""
        from varnn.inference.bootstrap import bootstrap

        return bootstrap(cast("Fitted", self), replications, shocks=shocks, corrected=corrected, rng=rng)

    @property
    def _whiteness_samples(self) -> int:
        """Samples that `test_whiteness` simulates when `simulations` is left out; 0 takes the p-value from χ²."""
        return 0

    def test_whiteness(self, nlags: int | None = None, *, adjusted: bool = False, simulations: int | None = None,
                       rng: object = None) -> HypothesisTest:
        """Test that the residuals are not autocorrelated up to `nlags`; see `varnn.inference.residuals.whiteness`.

        Parameters
        ----------
        nlags : int, optional
            Longest autocorrelation; 10 when left out, twice the lags of a model that has ten or more.
        adjusted : bool
            Small-sample version of the statistic.
        simulations : int, optional
            Samples drawn from the fit, each refitted, that the p-value comes from; 0 takes it from χ², where the lags
            count as estimated freely. 99 for a linear RNN, whose memory χ² would forget, and 0 for others when left
            out: right for a VAR; for tanh and gated units, which fit away autocorrelation that χ² does not count, the
            test then rejects too seldom, and ``simulations=99`` mends it at the cost of 99 fits.
        rng : int or numpy Generator, optional
            Seed of the samples; None is seed 0.
        """
        from varnn.inference.residuals import simulated_whiteness, usual_nlags, whiteness

        fit = cast("Fitted", self)
        resid, lags = fit.resid.to_numpy(), int(getattr(self, "k_ar", getattr(self, "lags", 0)))
        nlags = usual_nlags(len(resid), lags) if nlags is None else nlags
        count = self._whiteness_samples if simulations is None else whole_number(simulations, "simulations", least=0)
        if count:
            return simulated_whiteness(fit, nlags, count, adjusted=adjusted, rng=rng)
        return whiteness(resid, nlags, lags, adjusted=adjusted)

    def test_normality(self) -> HypothesisTest:
        """Test that the residuals are normal; see `varnn.inference.residuals.normality`."""
        from varnn.inference.residuals import normality

        return normality(cast("Fitted", self).resid.to_numpy())

    def test_linearity(self, *, draws: int = 499, rng: object = None) -> SystemLinearity:
        """Test that a linear model with this fit's lags misses nothing, in all equations at once.

        The fit lends its sample, lags, trend and exogenous columns; a tanh fit is asked whether its units had anything
        to find. See `varnn.inference.system_linearity.linearity`. Rows next to missing values are left out.

        Parameters
        ----------
        draws : int
            Wild bootstrap draws.
        rng : int or numpy Generator, optional
            Seed of the signs; None is seed 0.
        """
        from varnn.inference.system_linearity import of_fit

        return of_fit(cast("Fitted", self), draws=draws, rng=rng)

    def plot(self) -> Picture:
        """Draw each series with its one-step predictions inside the sample; `forecast(…).plot()` draws what follows."""
        from varnn.inference.residuals import plot_fitted

        return plot_fitted(cast("Fitted", self))

    def plot_acorr(self, nlags: int | None = None) -> Picture:
        """Draw the autocorrelations of the residuals at lags 1 … nlags (20 when left out), one panel a series."""
        from varnn.inference.residuals import plot_autocorrelations

        return plot_autocorrelations(cast("Fitted", self), nlags)


    def layer(self, y: object = None, X: object = None, *, member: int = 0) -> Layer:
        """Return this fit as the one recursion: a `varnn.recursion.wiring.Layer` in the units of the series.

        `aligned(fit.layer(), fit.inputs())` are the one-step predictions; of a TanhRNN those of one member, whose
        weights are `fit.votes`.

        Parameters
        ----------
        y, X : DataFrame or array, optional
            Observations and exogenous columns whose recursion it is, for the states before their first row; the
            estimation sample when left out.
        member : int
            Which recursion of a mixture, the most probable one first.

        Raises
        ------
        ParameterError
            If the fit is no recursion with one set of weights.
        """
        from varnn.models.layers import layer

        return layer(cast("Fitted", self), y, X, member=member)

    def inputs(self, y: object = None, X: object = None, *, member: int = 0) -> Tensor:
        """Return rows x_t = (trend, z_t, y_{t-1} … y_{t-p}) that enter `layer`, (T − p, 1, q); arguments as there.

        Those of a LinearRNN with the exact likelihood begin at the first observation, and end with what its Kalman
        filter adds to the states while it does not know the start; that vanishes with time.
        """
        from varnn.models.layers import inputs

        return inputs(cast("Fitted", self), y, X, member=member)

    def ahead(self, horizon: int, X: object = None, shocks: object = None, **options: Any
              ) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """Return what `one_to_many` and `encode_decode` need to forecast: the first row (B, q), and the feed.

        Parameters
        ----------
        horizon : int
        X : DataFrame or array (h, q), optional
            Future exogenous columns.
        shocks : array (B, h, k), optional
            Innovations of B paths; one path of zeros when left out.
        **options
            y, X_past: observations and their exogenous columns to start from, those seen when left out; member.
        """
        from varnn.models.layers import ahead

        return ahead(cast("Fitted", self), horizon, X, shocks, **options)

    @property
    def states(self) -> pd.DataFrame:
        """What the recursion carries at each date: predictions, then hidden units; of the most probable member."""
        from varnn.models.layers import states

        return states(cast("Fitted", self))


class LinearQuestions(Questions):
    """What a linear recursion can be asked besides; it gives its responses Ψ_s as `ma_rep`."""

    def irf(self, periods: int = 10) -> ImpulseResponses:
        """Impulse responses at steps 0 … periods, without standard errors."""
        from varnn.inference.impulse import responses

        fit = cast("Any", self)
        fit._warn_unless_stable("its responses do not die out")
        return responses(fit.ma_rep(whole_number(periods, "periods", least=1)), fit.sigma_u, fit.series.names)

    def fevd(self, periods: int = 10) -> VarianceDecomposition:
        """Shares of the forecast error variance owed to each orthogonalised shock, at steps 1 … periods."""
        from varnn.inference.decompose import variance_decomposition

        return variance_decomposition(self.irf(periods).orth_irfs[:periods], cast("Fitted", self).series.names)

    def is_stable(self) -> bool:
        """Whether the recursion dies out: every root of the autoregressive part lies inside the unit circle."""
        return bool(cast("Any", self).stationary)
