"""Counting: Kneser–Ney against its formula by hand, the n-gram regression and the moments against brute force."""

from __future__ import annotations

from collections import Counter
from itertools import product
from math import log

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import multivariate_normal

from varnn.data.sequences import load_sequences
from varnn.data.sequences._tasks import hamilton_kim
from varnn.sequence.kneser_ney import fit_kneser_ney
from varnn.sequence.linear_parts import fit_ngrams, folds, logistic, moments
from varnn.sequence.symbols import BEGIN, NO_OUTCOME, Sequences


def by_hand(rows, order, codes):
    """Chen & Goodman's equations in dictionaries; returns p(outcome | past)."""
    grams = [Counter() for _ in range(order + 1)]
    for row in rows:
        padded = (BEGIN,) * (order - 1) + tuple(row)
        for i in range(order - 1, len(padded)):
            grams[order][padded[i - order + 1:i + 1]] += 1
    for n in range(order - 1, 0, -1):
        for gram in grams[n + 1]:
            grams[n][gram[1:]] += 1
    discounts = [None]
    for n in range(1, order + 1):
        of = Counter(grams[n].values())
        y = of[1] / max(1, of[1] + 2 * of[2])
        discounts.append([min(max(k - (k + 1) * y * of[k + 1] / max(1, of[k]), 0.05), k - 0.05) for k in (1, 2, 3)])

    def probability(past, symbol, n):
        if n == 0:
            return 1 / (codes - NO_OUTCOME)
        context = past[len(past) - n + 1:]
        own = {gram[-1]: count for gram, count in grams[n].items() if gram[:-1] == context}
        shorter = probability(past, symbol, n - 1)
        if not own:
            return shorter
        total, d = sum(own.values()), discounts[n]
        taken = sum(d[min(count, 3) - 1] for count in own.values())
        count = own.get(symbol, 0)
        return (count - (d[min(count, 3) - 1] if count else 0)) / total + taken / total * shorter

    return probability


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_kneser_ney_is_its_formula_by_hand(order):
    rng = np.random.default_rng(order)
    codes = 8
    rows = [rng.integers(2, codes, rng.integers(1, 30)) for _ in range(12)]
    counted, probability = fit_kneser_ney(rows, order, codes), by_hand(rows, order, codes)
    for row in [rows[0], rng.integers(2, codes, 9), np.zeros(0, dtype=np.int64)]:
        table = counted.of_contexts(counted.contexts(row))
        assert_allclose(table.sum(1), 1, atol=1e-12)
        for t in range(len(row) + 1):
            past = (BEGIN,) * (order - 1) + tuple(row[:t])
            expected = [probability(past, symbol, order) for symbol in range(NO_OUTCOME, codes)]
            assert_allclose(table[t], expected, atol=1e-12)


def test_kneser_ney_of_one_symbol_and_of_nothing_new_still_sums_to_one():
    counted = fit_kneser_ney([np.array([4])], 3, 6)
    assert_allclose(counted.of_contexts(counted.contexts(np.array([5, 5, 5]))).sum(1), 1)


def test_the_regression_is_at_the_lowest_point_of_its_objective():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((60, 4)), rng.integers(0, 3, 60)
    weights = logistic(x, y, 3, 2.0)

    def objective(w):
        scores = x @ w[:-1] + w[-1]
        return -(scores[np.arange(60), y] - np.log(np.exp(scores).sum(1))).sum() + (w[:-1] ** 2).sum() / 4

    lowest = objective(weights)
    for _ in range(50):
        assert objective(weights + 1e-3 * rng.standard_normal(weights.shape)) > lowest


def test_moments_are_normal_densities_frame_by_frame():
    rng = np.random.default_rng(0)
    rows = tuple(rng.standard_normal((rng.integers(3, 9), 2)) + 2 * (i % 2) for i in range(20))
    data, y = Sequences("numbers", rows, 2), np.arange(20) % 2
    found = moments(data, y, 2, frames=5.0)
    raw = found.raw(data)
    for i, row in enumerate(rows):
        for c in (0, 1):
            each = multivariate_normal(found.means[c], np.linalg.inv(found.precisions[c])).logpdf(row)
            assert raw[i, c] == pytest.approx(each.sum() + len(row) * log(2 * np.pi))


def test_rows_of_one_group_are_in_one_fold():
    groups = np.array([0, 0, 1, 2, 2, 2, 3])
    fold = folds(groups, np.random.default_rng(0), 3)
    assert all(len(set(fold[groups == g])) == 1 for g in range(4))


def test_the_order_and_strength_of_the_regression_are_those_of_least_validation_loss():
    names = ["aab", "aba", "abb", "bba", "bab", "baa"] * 3
    train = Sequences("characters", tuple(names))
    y = np.array([name[0] == "b" for name in names], dtype=np.int64)
    chosen = fit_ngrams(train, y, 2, train, y)
    assert chosen.order >= 2  # single letters do not show which comes first
    assert (chosen.log_proba(train).argmax(1) == y).all()


def test_filter_and_smoother_are_those_of_all_paths_enumerated():
    rng = np.random.default_rng(3)
    y, a, c = rng.standard_normal((2, 7)), np.array([0.9, -0.4]), np.array([0.6, 1.0])
    chain = np.array([[0.9, 0.1], [0.3, 0.7]])
    filtered, smoothed = hamilton_kim(y, a, c, chain)
    for row in range(2):
        for last in range(7):
            weight = np.zeros((last + 1, 2))
            for path in product((0, 1), repeat=last + 1):
                p = 0.5
                for t in range(1, last + 1):
                    s = path[t]
                    p *= chain[path[t - 1], s] * np.exp(-0.5 * ((y[row, t] - a[s] * y[row, t - 1]) / c[s]) ** 2) / c[s]
                for t, s in enumerate(path):
                    weight[t, s] += p
            assert filtered[row, last] == pytest.approx(weight[last, 1] / weight[last].sum(), abs=1e-12)
            if last == 6:
                assert_allclose(smoothed[row], weight[:, 1] / weight.sum(1), atol=1e-12)


def test_no_sum_of_a_function_of_the_first_and_one_of_the_last_names_more_than_three_of_four():
    # f(0,0) + f(1,1) = f(0,1) + f(1,0) for every additive logit, so that not all four can have the right sign
    rng = np.random.default_rng(0)
    best = 0
    for first, last in rng.standard_normal((2000, 2, 2)):
        best = max(best, sum((first[i] + last[j] > 0) == (i != j) for i in (0, 1) for j in (0, 1)))
    assert best == 3


def test_drawn_tasks_ask_what_they_say():
    xor = load_sequences("xor", n=50, length=7, seed=1)
    assert [int(row[0, 0] != row[-1, 0]) for row in xor.x] == xor.y
    adding = load_sequences("adding", n=50, length=9, seed=1)
    assert_allclose([(row[:, 0] * row[:, 1]).sum() for row in adding.x], adding.y)
    assert all(row[:, 1].sum() == 2 for row in adding.x)
    recall = load_sequences("recall", n=20, length=5, seed=1)
    assert [row[0] for row in recall.x] == recall.y
