"""The words that other packages have for what varnn does, and what to write here instead.

One row a word; `guide` answers calls from these tables and docs/habits.md is written from them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

Translate = Callable[[Any], Any]


@dataclass(frozen=True)
class Option:
    """An argument that goes by another name here.

    Attributes
    ----------
    said : str           what other packages call it
    here : tuple of str  what varnn calls it, the likeliest first; empty where it has nothing like it
    by : str             who says so
    note : str           what to know besides, or what to do where there is nothing like it
    translate : callable or None    turns the value into varnn's; None where it stays
    """

    said: str
    here: tuple[str, ...]
    by: str
    note: str = ""
    translate: Translate | None = None

    def translated(self, value: Any) -> Any:
        """Return the value as varnn writes it; one that makes no sense stays as it is."""
        if self.translate is None:
            return value
        try:
            return self.translate(value)
        except (TypeError, ValueError, IndexError, KeyError):
            return value


@dataclass(frozen=True)
class Name:
    """A method, attribute, class or function that goes by another name here.

    Attributes
    ----------
    of : str        the class or module that lacks it
    said : str      its name elsewhere
    by : str        who has it
    remedy : str    what to write, ready to follow a colon
    """

    of: str
    said: str
    by: str
    remedy: str


VALUES = {
    ("trend", "const"): "c", ("trend", "constant"): "c", ("trend", "drift"): "c", ("trend", "none"): "n",
    ("trend", "nc"): "n", ("trend", "both"): "ct", ("trend", "trend"): "ct", ("trend", "linear"): "ct",
    ("lags", "sc"): "bic", ("lags", "SC"): "bic", ("lags", "hq"): "hqic", ("lags", "HQ"): "hqic",
    ("engine", "ols"): "qr", ("engine", "numpy"): "qr", ("sharing", "pooled"): "global",
    ("sharing", "separate"): "local", ("shocks", "normal"): "gaussian", ("shocks", "t"): "student",
    ("shocks", "bootstrap"): "residuals", ("weights", "mean"): "equal", ("device", "gpu"): "cuda",
    ("missing", "drop"): "filter", ("missing", "none"): "raise", ("missing", "interpolate"): "filter",
}
"""Values of options under other packages' names, and what they are called here."""


def _share(value: Any) -> Any:
    """Read per cent as shares, one or several."""
    if isinstance(value, (list, tuple)):
        return tuple(_share(one) for one in value)
    return round(value / 100, 6) if value > 1 else value


def _outside(value: Any) -> Any:
    """Turn the probability of missing an interval into that of hitting it."""
    if isinstance(value, (list, tuple)):
        return tuple(_outside(one) for one in value)
    return round(1 - float(value), 6)


def _last(value: Any) -> Any:
    """Return how far a list of steps ahead reaches."""
    return max(value) if isinstance(value, (list, tuple, range)) else value


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, (list, tuple)) else value


def _lower(value: Any) -> Any:
    text = str(value).lower()
    return {"hq": "hqic", "sc": "bic", "aicc": "aic"}.get(text.removesuffix("(n)"), text.removesuffix("(n)"))


def _trend(value: Any) -> Any:
    return {None: "n", True: "c", False: "n"}.get(value) or VALUES.get(("trend", value), value)


def _rows(said: str, here: str, by: str, note: str = "", translate: Translate | None = None) -> list[Option]:
    return [Option(one, tuple(here.split()), by, note, translate) for one in said.split()]


_OPTIONS: Iterable[Option] = (
    # --- how many lags, how large, which terms ---
    *_rows("quantile prob probability", "q", "pandas, scipy"),
    *_rows("p order k_ar ar_order n_lags", "lags", "statsmodels, R vars", translate=_first),
    *_rows("input_chunk_length input_size context_length seq_len window_length look_back n_prev", "lags lookback",
           "darts, Nixtla, sktime"),
    *_rows("lags", "lookback", "varnn's VAR, darts"),
    *_rows("maxlags maxlag lag_max max_order max_p nlag_max", "max_lags nlags", "statsmodels, R vars, pmdarima"),
    *_rows("ic criterion information_criterion", "lags", "statsmodels, R vars, pmdarima",
           "the criterion stands in place of a number", _lower),
    *_rows("type deterministic with_intercept intercept fit_intercept include_mean", "trend", "R vars, sklearn",
           "'c', 'n' or 'ct'", _trend),
    *_rows("hidden_size hidden_dim hidden_units n_hidden units num_units n_units n_neurons encoder_hidden_size "
           "hidden_layer_sizes k_states", "width", "torch, keras, darts, Nixtla, sklearn", translate=_first),
    *_rows("n_layers num_layers n_rnn_layers encoder_n_layers", "", "torch, darts, Nixtla",
           "a model has one layer, of width units; leave it out"),
    *_rows("dropout weight_decay l2 alpha_l2 regularization", "", "torch, darts, Nixtla",
           "weights are shrunk as strongly as the evidence says; leave it out"),
    *_rows("epochs n_epochs max_epochs maxiter max_iter n_iter", "max_steps", "torch, darts, statsmodels, sklearn",
           "fits run until they converge"),
    *_rows("lr learning_rate batch_size optimizer optimizer_kwargs loss loss_fn early_stopping patience", "",
           "torch, keras, darts, Nixtla", "fits are by full steps to the optimum, with nothing to tune; leave it out"),
    *_rows("n_init n_restarts restarts", "starts", "sklearn"),
    *_rows("activation nonlinearity", "", "torch, keras", "the class says it: LinearRNN or TanhRNN"),
    *_rows("method solver", "engine", "statsmodels"),
    *_rows("season_length seasonal_periods sp m K period", "season", "Nixtla, statsmodels, sktime, darts, R"),
    *_rows("estimator forecaster base_estimator regressor", "model", "sklearn, sktime"),
    *_rows("estimators models forecasters forecasting_models", "members", "sklearn, sktime, darts"),
    # --- data ---
    *_rows("endog data series df ts target y_train endogenous Y", "y data", "statsmodels, darts, Nixtla, sklearn"),
    *_rows("exog exog_future exogen dumvar xreg X_df X_train future_covariates past_covariates covariates newxreg "
           "exog_oos regressors", "X", "statsmodels, R vars, darts, Nixtla, sklearn"),
    *_rows("new_data y_update endog_new", "y_new", "statsmodels, sktime"),
    *_rows("id_col unique_id group_cols static_covariates", "by", "Nixtla, darts"),
    *_rows("time_col date_col", "time date", "Nixtla, darts"),
    *_rows("index_col parse_dates", "date", "pandas"),
    *_rows("usecols value_cols", "columns", "pandas, darts"),
    *_rows("freq dates", "", "statsmodels, Nixtla", "it is read from the index of y; leave it out"),
    *_rows("interpolate fill_missing", "missing", "darts", "'raise' or 'filter'"),
    # --- forecasts ---
    *_rows("n", "horizon periods replications draws n_paths", "darts, R", translate=_last),
    *_rows("steps n_ahead h fh forecast_horizon prediction_length output_chunk_length n_periods nsteps",
           "horizon periods", "statsmodels, R vars, Nixtla, sktime, darts, pmdarima", translate=_last),
    *_rows("alpha signif significance", "coverage signif", "statsmodels, sktime, pmdarima",
           "what an interval holds, 1 − alpha", _outside),
    *_rows("level ci conf_level confidence confidence_level conf_int", "coverage", "Nixtla, R vars",
           "a share such as 0.95", _share),
    *_rows("num_samples n_samples nsimulations simulations nsim npaths n_boot runs repl n_resamples", "n_paths "
           "replications draws", "darts, statsmodels, R vars"),
    *_rows("random_state seed random_seed rng", "rng seed", "sklearn, darts, Nixtla, numpy"),
    *_rows("boot bootstrap", "uncertainty", "R vars, sktime", "'full', 'bootstrap' or 'none'",
           lambda value: {True: "bootstrap", False: "none"}[value]),
    *_rows("quantiles", "coverage", "sktime, gluonts", "quantiles are asked of the forecast: outlook.quantile(0.1)"),
    # --- comparisons ---
    *_rows("n_splits n_windows windows num_origins", "origins", "sklearn, Nixtla"),
    *_rows("stride step_size step_length", "step", "darts, Nixtla, sktime"),
    *_rows("train_size max_train_size", "window", "sklearn, darts"),
    *_rows("retrain refit_every", "refit", "darts, Nixtla"),
    *_rows("metric metrics scoring measure", "", "sklearn, darts, sktime",
           "all scores are computed; read them in result.table"),
    *_rows("cv initial_window start", "origins", "sktime, darts", "the number of forecast origins"),
    *_rows("names model_names algorithms", "models", "Nixtla"),
    *_rows("n_jobs num_workers", "", "sklearn, Nixtla",
           "Python runs one process; `varnn benchmark run --workers` runs several"),
    *_rows("verbose disp show_warnings", "", "statsmodels, darts, sklearn", "nothing is printed; leave it out"),
    *_rows("filename file fname", "path", "pandas, statsmodels"),
)
OPTIONS: dict[str, Option] = {option.said: option for option in _OPTIONS}


def _names(of: str, by: str, **remedies: str) -> list[Name]:
    return [Name(of, said, by, remedy) for said, remedy in remedies.items()]


_INTERVAL = "write fit.forecast(horizon, coverage=0.95).interval()"
_SIMULATED = "write fit.forecast(horizon, n_paths=1000).paths"
_REFIT = "write fit.spec.fit(y) on other data, or fit.update(y_new) to go on without estimating again"
_AUTO = "write climb(y), or VAR(lags='aic')"
_VARMA = "write LinearRNN(lags=p), which is a VARMA(p, 1) in innovations form"
_WITHOUT = "there is no such model here; Naive, VAR, LinearRNN, TanhRNN, GRU, LSTM and Direct are the ones to compare"

_NAMES: Iterable[Name] = (
    *_names("Forecaster", "statsmodels", select_order="write VAR(lags='aic').fit(y).search", endog="a specification "
            "holds no data; write .fit(y)", from_formula="a specification takes no data; write VAR(lags=2).fit(y, X)"),
    *_names("Forecaster", "sklearn, sktime, darts", fit_predict="write .fit(y).forecast(horizon)",
            fit_transform="write .fit(y).fittedvalues",
            clone="a specification never changes, so it needs no copy", score="write varnn.compare(y, horizon=…)",
            is_fitted="a specification is never fitted; .fit(y) returns the fit",
            gridsearch="write varnn.compare(y, horizon=…, models={…})",
            historical_forecasts="write varnn.compare(y, horizon=…).ledger.forecasts",
            cross_validation="write varnn.compare(y, horizon=…)", backtest="write varnn.compare(y, horizon=…)"),
    *_names("Fitted", "sklearn, sktime, darts, Nixtla, R", predict="write fit.forecast(horizon)"),
    *_names("Fitted", "statsmodels", get_forecast="write fit.forecast(horizon)",
            get_prediction="write fit.forecast(horizon), or fit.fittedvalues inside the sample",
            plot_forecast="write fit.forecast(horizon).plot()", forecast_interval=_INTERVAL,
            forecast_cov="write fit.mse(horizon) of a VAR, or take it from fit.forecast(horizon).paths",
            conf_int="write fit.forecast(horizon, coverage=0.95).interval(); for coefficients take fit.params "
                     "and fit.bse", stderr="write fit.bse", zvalues="write fit.params / fit.bse",
            tvalues="write fit.params / fit.bse", cov_params="standard errors are fit.bse; fit.bootstrap() has draws "
            "of all coefficients", simulate=_SIMULATED, simulate_var=_SIMULATED, plotsim=_SIMULATED,
            append="write fit.update(y_new)", extend="write fit.update(y_new)", apply=_REFIT, initialize=_REFIT,
            neqs="write fit.series.k", names="write fit.series.names", endog_names="write fit.series.names",
            endog="write fit.series.to_frame()", y="write fit.series.to_frame()", data="write fit.series.to_frame()",
            exog_names="write fit.exog.names", model="write fit.spec", coef_="write fit.params",
            intercept="write fit.params.loc['const']", trendorder="write fit.spec.trend",
            resid_corr="write fit.resid.corr()", resid_acov="write fit.test_whiteness()",
            resid_acorr="write fit.plot_acorr(), or fit.test_whiteness()",
            sample_acov="write fit.series.to_frame().cov()", sample_acorr="write fit.series.to_frame().corr()",
            plot_sample_acorr="write fit.series.to_frame().corr()", acf="write fit.series.to_frame()[name].autocorr()",
            acorr="write fit.series.to_frame().corr()", cov_ybar="there is no such answer; fit.to_statsmodels() of a "
            "VAR has it", mean="write fit.series.to_frame().mean(); forecasts are fit.forecast(horizon).mean",
            detomega="write numpy.linalg.det(fit.sigma_u)", sigma="write fit.sigma_u", cov="write fit.sigma_u",
            info_criteria="write fit.aic, fit.bic or fit.hqic", aicc="write fit.aic, fit.bic or fit.hqic",
            loglike="write fit.llf", mse="write fit.sigma_u_mle; the VAR alone has mse(horizon)",
            mae="write fit.resid.abs().mean()", sse="write (fit.resid ** 2).sum()",
            impulse_responses="write fit.irf(periods)", irf_errband_mc="write fit.bootstrap(), or fit.irf().stderr",
            irf_resim="write fit.bootstrap()", orth_ma_rep="write fit.irf(periods).orth_irfs",
            ma_rep="write fit.irf(periods).irfs", long_run_effects="write fit.irf(periods).cum_effects[-1]",
            intercept_longrun="write fit.forecast(horizon).mean far ahead", states="write fit.weights",
            test_serial_correlation="write fit.test_whiteness()", plot_diagnostics="write fit.plot(), "
            "fit.plot_acorr(), fit.test_whiteness() and fit.test_normality()",
            test_heteroskedasticity="there is no such test here; "
            "forecast(shocks='wild') allows for it", k_exog="write fit.exog.k", k_trend="write fit.spec.trend",
            reorder="write fit.spec.fit(y[[…]]) with the columns in the other order",
            to_vecm="there is no error-correction form here; fit.to_statsmodels().to_vecm() of a VAR has it",
            get_eq_index="write fit.series.names.index(name)", remove_data="fits cannot forget their data; save them",
            params_ml="write fit.params", use_t="p-values are normal, as statsmodels' are",
            t_test="write fit.test_causality(caused, causing), or compare fit.params with fit.bse",
            f_test="write fit.test_causality(caused, causing)", wald_test="write fit.test_causality(caused, causing)",
            news="write fit.update(y_new).forecast(horizon) and subtract the older forecast",
            save="write varnn.save(fit, path)", load="write varnn.load(path)", to_pickle="write varnn.save(fit, path)",
            pvalues="a VAR has them; other fits have fit.params, fit.bse and fit.bootstrap()",
            test_causality="only a VAR has it; compare models with and without the column, or fit.bootstrap()",
            coefs="a VAR has them; here they are rows of fit.params", roots="only a VAR has them; see fit.is_stable()",
            k_ar="write fit.lags where the model has lags; fit.spec says what was asked for"),
    *_names("Fitted", "sklearn, sktime", fit=_REFIT, score="write varnn.compare(y, horizon=…)",
            transform="write fit.fittedvalues or fit.resid", predict_interval=_INTERVAL,
            predict_quantiles="write fit.forecast(horizon).quantile(0.1)", predict_proba="write fit.forecast(horizon)"
            ".paths", predict_var="write fit.forecast(horizon).paths.var(axis=0)",
            predict_residuals="write fit.resid", update_predict="write fit.update(y_new).forecast(horizon)",
            get_fitted_params="write fit.params", get_params="write fit.spec.get_params()",
            cutoff="write fit.seen.index[-1]", fh="give the horizon to fit.forecast(horizon)",
            feature_importances_="write fit.params"),
    *_names("Fitted", "darts, Nixtla", residuals="write fit.resid", historical_forecasts="write varnn.compare(y, "
            "horizon=…).ledger.forecasts", backtest="write varnn.compare(y, horizon=…)",
            cross_validation="write varnn.compare(y, horizon=…)", training_series="write fit.series.to_frame()",
            forecast_fitted_values="write fit.fittedvalues", forward="write fit.forecast(horizon)",
            plot_components="write fit.plot()", explain="write fit.summary()"),
    *_names("Fitted", "R", coef="write fit.params", Acoef="write fit.coefs", Bcoef="write fit.params",
            Phi="write fit.irf(periods).irfs", Psi="write fit.irf(periods).orth_irfs",
            causality="write fit.test_causality(caused, causing)", serial_test="write fit.test_whiteness()",
            normality_test="write fit.test_normality()", stability="write fit.is_stable()",
            arch_test="there is no such test here; forecast(shocks='wild') allows for it", fitted="write "
            "fit.fittedvalues", logLik="write fit.llf", AIC="write fit.aic", BIC="write fit.bic",
            vcov="standard errors are fit.bse", accuracy="write varnn.compare(y, horizon=…)"),
    *_names("Forecast", "statsmodels", predicted_mean="write outlook.mean", conf_int="write outlook.interval(0.95)",
            summary_frame="write outlook.to_frame()", se_mean="write outlook.paths.std(axis=0)",
            var_pred_mean="write outlook.paths.var(axis=0)"),
    *_names("Forecast", "R, Nixtla, gluonts", lower="write outlook.interval()[0]", upper="write outlook.interval()[1]",
            fcst="write outlook.to_frame()", samples="write outlook.paths", median="write outlook.quantile(0.5)"),
    *_names("Forecast", "darts, pandas", pd_dataframe="write outlook.to_frame()", to_dataframe="write "
            "outlook.to_frame()", values="write outlook.point", all_values="write outlook.paths",
            quantiles="write outlook.quantile(0.1)", to_csv="write outlook.to_frame().to_csv(path)",
            iloc="write outlook.mean.iloc[…]", loc="write outlook.mean.loc[…]", head="write outlook.mean.head()",
            columns="write outlook.names", to_numpy="write outlook.point", std="write outlook.paths.std(axis=0)"),
    *_names("Comparison", "sklearn, Nixtla, darts", cv_results_="write result.table", results="write result.table",
            best_estimator_="write result.table['rmsse'].idxmin(), then fit that model", best="write "
            "result.table['rmsse'].idxmin()", winner="write result.table['rmsse'].idxmin()", leaderboard="write "
            "result.table", forecasts="write result.ledger.forecasts", summary="write result.verdict, a list of "
            "sentences", evaluate="write result.table", plot="write result.report('out/')", to_frame="write "
            "result.table", head="write result.table.head()", to_html="write result.report('out/')",
            save="write result.report('out/'), read back by Comparison.read('out/')"),
    *_names("FittedPanel", "darts, Nixtla, sktime", predict="write fits.forecast(horizon)",
            fit="write fits.spec.fit(data)", cross_validation="write varnn.compare for each series"),
    *_names("Panel", "sklearn, Nixtla", predict="write .fit(data).forecast(horizon)",
            fit_predict="write .fit(data).forecast(horizon)"),
    *_names("Dataset", "pandas, sklearn", data="write dataset.frame", target="write dataset.frame",
            DESCR="write dataset.describe()", df="write dataset.frame", head="write dataset.frame.head()",
            values="write dataset.frame.to_numpy()", columns="write dataset.frame.columns",
            index="write dataset.frame.index", y="write dataset.frame", X="write dataset.exog", endog="write "
            "dataset.frame", plot="write dataset.frame.plot()", load_pandas="write dataset.frame"),
    *_names("varnn", "statsmodels", VARMAX=_VARMA, VARMA=_VARMA, VECM="write VAR(lags=2).fit(y) on the levels",
            ARIMA=f"for one series {_VARMA}", SARIMAX=f"for one series {_VARMA}", ARMA=f"for one series {_VARMA}",
            AutoReg="write VAR(lags=2), which takes one series as well", AR="write VAR(lags=2), which takes one series "
            "as well", SVAR="write VAR(lags=2).fit(y).irf(periods).orth_irfs", VARProcess="write data.simulate",
            ExponentialSmoothing=_WITHOUT, UnobservedComponents=_WITHOUT, DynamicFactor=_WITHOUT,
            ThetaModel=_WITHOUT, MarkovRegression=_WITHOUT, DynamicVAR="write compare(y, horizon=…, window=…)",
            datasets="write data.load('macrodata')", tsa="write VAR; the models are in varnn itself"),
    *_names("varnn", "R", ar="write VAR(lags='aic')", arima=f"for one series {_VARMA}", auto_arima=_AUTO,
            VARselect="write VAR(lags='aic').fit(y).search", ets=_WITHOUT, tbats=_WITHOUT, accuracy="write "
            "compare(y, horizon=…).table", dm_test="write varnn.evaluate.significance.pairwise.diebold_mariano",
            snaive="write SeasonalNaive(season=12)", rwf="write Drift()", meanf="write Mean()", irf="write fit.irf()",
            forecast="write VAR(lags=2).fit(y).forecast(horizon)", nnetar="write TanhRNN()"),
    *_names("varnn", "pmdarima, Prophet", AutoARIMA=_AUTO, Prophet=_WITHOUT, NeuralProphet=_WITHOUT),
    *_names("varnn", "torch, keras", RNN="write TanhRNN(), LinearRNN(), GRU() or LSTM()", SimpleRNN="write TanhRNN()",
            Linear="write LinearRNN() or Direct()", RNNCell="write TanhRNN()", Transformer=_WITHOUT),
    *_names("varnn", "darts", LSTMModel="write LSTM()", GRUModel="write GRU()", RNNModel="write TanhRNN(), GRU() or "
            "LSTM()", BlockRNNModel="write TanhRNN(), GRU() or LSTM()", NBEATSModel=_WITHOUT, TCNModel=_WITHOUT,
            TFTModel=_WITHOUT, TransformerModel=_WITHOUT, NaiveSeasonal="write SeasonalNaive(season=12), or Naive()",
            NaiveDrift="write Drift()", NaiveMean="write Mean()", DLinearModel="write Direct()",
            NLinearModel="write Direct()", LinearRegressionModel="write VAR(lags=2)", TimeSeries="pass a DataFrame "
            "with dates to .fit(y)", historical_forecasts="write compare(y, horizon=…)", ConformalNaiveModel="write "
            "Conformal(Naive())", NaiveEnsembleModel="write Ensemble([VAR(), TanhRNN()])"),
    *_names("varnn", "sktime, sklearn", NaiveForecaster="write Naive(), SeasonalNaive(season=12), Mean() or Drift()",
            AutoETS=_WITHOUT, EnsembleForecaster="write Ensemble([VAR(), TanhRNN()])",
            BaggingForecaster="write fit.bootstrap()",
            ForecastingGridSearchCV="write compare(y, horizon=…, models={…})",
            GridSearchCV="write compare(y, horizon=…, models={…})", TimeSeriesSplit="write compare(y, horizon=…, "
            "origins=…)", cross_val_score="write compare(y, horizon=…)", train_test_split="write compare(y, "
            "horizon=…), which splits by date", ForecastingHorizon="give the horizon as a number: fit.forecast(8)",
            temporal_train_test_split="write compare(y, horizon=…), which splits by date", LinearRegression="write "
            "VAR(lags=2)", Ridge="write Direct()", MLPRegressor="write TanhRNN()", DummyRegressor="write Mean()",
            evaluate="import varnn.evaluate; comparisons are made by compare(y, horizon=…)"),
    *_names("varnn", "Nixtla", StatsForecast="write Panel(model=VAR(lags=2)).fit(data)", NeuralForecast="write "
            "Panel(model=TanhRNN()).fit(data)", MLForecast="write Panel(model=VAR(lags=2)).fit(data)",
            HistoricAverage="write Mean()", RandomWalkWithDrift="write Drift()", WindowAverage="write Mean()",
            DLinear="write Direct()", NLinear="write Direct()", NBEATS=_WITHOUT, NHITS=_WITHOUT, TFT=_WITHOUT,
            AutoETS=_WITHOUT, AutoTheta=_WITHOUT, AutoLSTM="write LSTM()", AutoRNN="write TanhRNN()", AutoGRU="write "
            "GRU()", TCN=_WITHOUT, DilatedRNN="write TanhRNN()", cross_validation="write compare(y, horizon=…)"),
    *_names("varnn", "other packages", backtest="write compare(y, horizon=…)", benchmark="run `varnn benchmark run` "
            "on the command line", read_csv="write data.read_table(path)", load_dataset="write data.load(name)",
            load_data="write data.load(name)", fit="write VAR(lags=2).fit(y)", predict="write "
            "VAR(lags=2).fit(y).forecast(horizon)", plot="write fit.forecast(horizon).plot()",
            Model="write VAR(lags=2)",
            RandomWalk="write Naive()", Persistence="write Naive()", Average="write Mean()"),
)
NAMES: dict[tuple[str, str], Name] = {(name.of, name.said): name for name in _NAMES}
