"""Questions to one fit under statsmodels' names: one line each, answered in `inference/`, imported when asked.

`Fitted` inherits `Questions`; a linear recursion whose standard errors nobody derived inherits `LinearQuestions`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from varnn.series import whole_number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from varnn.forecaster import Fitted
    from varnn.inference.bootstrap import Bootstrap
    from varnn.inference.decompose import VarianceDecomposition
    from varnn.inference.hypothesis import HypothesisTest
    from varnn.inference.impulse import ImpulseResponses
    from varnn.inference.scenario import Scenario


class Questions:
    """What every fit can be asked."""

    def scenario(self, horizon: int, hard: object = None, soft: object = None, X: object = None,
                 **options: Any) -> Scenario:
        """Forecast given fixed values or ranges of some future cells; see `varnn.inference.scenario.scenario`."""
        from varnn.inference.scenario import scenario

        return scenario(cast("Fitted", self), horizon, hard, soft, X, **options)

    def bootstrap(self, replications: int = 999, **options: Any) -> Bootstrap:
        """Refit on samples simulated from this fit; see `varnn.inference.bootstrap.bootstrap`."""
        from varnn.inference.bootstrap import bootstrap

        return bootstrap(cast("Fitted", self), replications, **options)

    def test_whiteness(self, nlags: int = 10, *, adjusted: bool = False) -> HypothesisTest:
        """Test that the residuals are not autocorrelated up to `nlags`; see `varnn.inference.residuals.whiteness`.

        The lags of the model count as estimated freely; where they were shrunk the test rejects a little too seldom.
        """
        from varnn.inference.residuals import whiteness

        lags = int(getattr(self, "k_ar", getattr(self, "lags", 0)))
        return whiteness(cast("Fitted", self).resid.to_numpy(), nlags, lags, adjusted=adjusted)

    def test_normality(self) -> HypothesisTest:
        """Test that the residuals are normal; see `varnn.inference.residuals.normality`."""
        from varnn.inference.residuals import normality

        return normality(cast("Fitted", self).resid.to_numpy())

    def plot(self) -> Figure:
        """Draw each series with its one-step predictions inside the sample; `forecast(…).plot()` draws what follows."""
        from varnn.inference.residuals import plot_fitted

        return plot_fitted(cast("Fitted", self))


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
