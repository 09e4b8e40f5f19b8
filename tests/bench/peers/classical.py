"""Classical densities as references, written apart from cohort-flow's own: mixtures of multivariate t, the same after a smooth
Gaussianisation of each column, and autoregressive mixtures of t regressions.

Each `fit_*` takes standardised training and validation rows and a budget in seconds, chooses its settings by the mean
log-density of the validation rows, and returns a function of rows → log-densities and a number of parameters.
"""

import time

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve, cholesky, solve_triangular
from scipy.special import gammaln, log_ndtr, logsumexp, ndtri
from sklearn.cluster import KMeans


def t_terms(x, weights, means, scales, degrees):
    n, d = x.shape
    terms, distances = np.empty((n, len(weights))), np.empty((n, len(weights)))
    for k, (w, m, s) in enumerate(zip(weights, means, scales)):
        lower = cholesky(s, lower=True)
        white = solve_triangular(lower, (x - m).T, lower=True)
        distances[:, k] = q = (white**2).sum(axis=0)
        norm = gammaln((degrees + d) / 2) - gammaln(degrees / 2) - 0.5 * d * np.log(np.pi * degrees) - np.log(np.diag(lower)).sum()
        terms[:, k] = np.log(w) + norm - 0.5 * (degrees + d) * np.log1p(q / degrees)
    return terms, distances


def em_tmix(x, k, degrees, ridge, seed, iterations=200):
    n, d = x.shape
    labels = KMeans(k, n_init=1, random_state=seed).fit_predict(x) if k > 1 else np.zeros(n, int)
    r = np.eye(k)[labels]
    u, before = r, -np.inf
    for _ in range(iterations):
        count, mass = r.sum(axis=0), u.sum(axis=0)
        if (count < 1e-6).any():
            return None
        means = (u.T @ x) / mass[:, None]
        scales = [(u[:, c, None] * (x - means[c])).T @ (x - means[c]) / count[c] + ridge * np.eye(d) for c in range(k)]
        model = count / n, means, scales, degrees
        terms, distances = t_terms(x, *model)
        log_prob = logsumexp(terms, axis=1)
        r = np.exp(terms - log_prob[:, None])
        u = r * (degrees + d) / (degrees + distances)
        if abs(log_prob.mean() - before) < 1e-4:
            break
        before = log_prob.mean()
    return model


def fit_tmix(train, validation, budget, seed):
    started, best, d = time.perf_counter(), (-np.inf, None), train.shape[1]
    for k in (1, 2, 3, 4, 6, 8, 12, 16, 24):
        if 2 * k > len(train):
            break
        before = best[0]
        for degrees in (2.5, 4, 8, 16, 50):
            for ridge in (1e-6, 1e-4, 1e-3, 1e-2, 5e-2):
                if best[1] is not None and time.perf_counter() - started > budget:
                    break
                try:
                    model = em_tmix(train, k, degrees, ridge, seed)
                    value = -np.inf if model is None else logsumexp(t_terms(validation, *model)[0], axis=1).mean()
                except LinAlgError:
                    continue
                if value > best[0]:
                    best = value, model
        if best[0] <= before + 1e-3:
            break
    k = len(best[1][0])
    return (lambda x: logsumexp(t_terms(x, *best[1])[0], axis=1)), k - 1 + k * d + k * d * (d + 1) // 2 + 1


class Gaussianisation:
    """Column by column, Φ⁻¹ of the distribution function of a kernel density estimate, with a wide part for the tails."""

    WIDE = 0.02

    def __init__(self, train, most=2000):
        centres = train[np.linspace(0, len(train) - 1, min(most, len(train))).astype(int)]
        self.centres, self.means, self.spreads = centres, train.mean(axis=0), 3 * train.std(axis=0)
        quarters = np.quantile(train, [0.25, 0.75], axis=0)
        width = np.minimum(train.std(axis=0), np.where(quarters[1] > quarters[0], quarters[1] - quarters[0], np.inf) / 1.34)
        self.widths = 0.9 * np.maximum(width, 1e-3) * len(train) ** -0.2

    def __call__(self, x):
        y, log_det = np.empty_like(x), np.zeros(len(x))
        for j in range(x.shape[1]):
            for rows in np.array_split(np.arange(len(x)), max(1, len(x) // 2000)):
                z = (x[rows, j, None] - self.centres[:, j]) / self.widths[j]
                wide = (x[rows, j] - self.means[j]) / self.spreads[j]
                parts = np.log(1 - self.WIDE), np.log(self.WIDE)
                mean = lambda terms: logsumexp(terms, axis=1) - np.log(terms.shape[1])
                join = lambda near, far: np.logaddexp(parts[0] + near, parts[1] + far)
                normal = lambda z, width: -0.5 * z**2 - 0.5 * np.log(2 * np.pi) - np.log(width)
                below, above = join(mean(log_ndtr(z)), log_ndtr(wide)), join(mean(log_ndtr(-z)), log_ndtr(-wide))
                density = join(mean(normal(z, self.widths[j])), normal(wide, self.spreads[j]))
                lower = below < above
                y[rows, j] = np.where(lower, ndtri(np.exp(below)), -ndtri(np.exp(above)))
                log_det[rows] += density + 0.5 * y[rows, j] ** 2 + 0.5 * np.log(2 * np.pi)
        return y, log_det


def fit_gauss_tmix(train, validation, budget, seed):
    bend = Gaussianisation(train)
    log_prob, parameters = fit_tmix(bend(train)[0], bend(validation)[0], budget, seed)

    def of(x):
        y, log_det = bend(x)
        return log_prob(y) + log_det

    return of, parameters + 2 * train.shape[1]


def expert_terms(x, y, model):
    slopes, scales, degrees, gates = model
    logits = x @ gates
    residuals = y[:, None] - x @ slopes
    norm = gammaln((degrees + 1) / 2) - gammaln(degrees / 2) - 0.5 * np.log(np.pi * degrees) - np.log(scales)
    density = norm - 0.5 * (degrees + 1) * np.log1p((residuals / scales) ** 2 / degrees)
    return logits - logsumexp(logits, axis=1, keepdims=True) + density, residuals


def em_experts(x, y, k, ridge, degrees, seed, iterations=60):
    """Regressions towards a common one, gates by the bound of Böhning (1992)."""
    n, p = x.shape
    penalty = ridge * np.eye(p)
    penalty[0, 0] = 1e-8
    gram = x.T @ x
    common = np.linalg.solve(gram + penalty, x.T @ y)
    residual = y - x @ common
    spread = residual.std() + 1e-9
    factor = cho_factor(0.5 * gram + penalty + 1e-6 * np.eye(p))
    if k == 1:
        r = np.ones((n, 1))
    else:
        space = np.column_stack([x[:, 1:], residual / spread * np.sqrt(max(p - 1, 1))])
        r = 0.9 * np.eye(k)[KMeans(k, n_init=1, random_state=seed).fit_predict(space)] + 0.1 / k
    gates = np.zeros((p, k))
    gates[0] = np.log(r.mean(axis=0))
    slopes, u, before = np.tile(common[:, None], k), r, -np.inf
    for step in range(iterations):
        for c in range(k):
            weighted = x * u[:, c, None]
            slopes[:, c] = np.linalg.solve(weighted.T @ x + penalty, weighted.T @ y + penalty @ common)
        left = (u * (y[:, None] - x @ slopes) ** 2).sum(axis=0)
        scales = np.maximum(np.sqrt((left + 0.1 * spread**2) / (r.sum(axis=0) + 1)), 1e-3)
        for _ in range(2):
            share = np.exp(x @ gates - logsumexp(x @ gates, axis=1, keepdims=True))
            gates += cho_solve(factor, x.T @ (r - share) - penalty @ gates)
        terms, residuals = expert_terms(x, y, (slopes, scales, degrees, gates))
        log_prob = logsumexp(terms, axis=1)
        r = np.exp(terms - log_prob[:, None])
        u = r * (degrees + 1) / (degrees + (residuals / scales) ** 2)
        if step > 5 and log_prob.mean() - before < 1e-4:
            break
        before = log_prob.mean()
    return slopes.copy(), scales, degrees, gates


def fit_armix(train, validation, budget, seed):
    """Columns in the order of the table."""
    started, d = time.perf_counter(), train.shape[1]
    given = lambda x, j: np.column_stack([np.ones(len(x)), x[:, :j]])
    models, parameters = [], 0
    for j in range(d):
        # Every column may take an equal share of what is left.
        until = time.perf_counter() + max(budget - (time.perf_counter() - started), 0) / (d - j)
        x, y, held = given(train, j), train[:, j], given(validation, j)
        best, ridges, shapes = (-np.inf, None), (0.3, 3, 30), (4.0, 12.0, 50.0)
        for k in (1, 2, 3, 4, 6, 8):
            before = best[0]
            for ridge in ridges:
                for degrees in shapes:
                    if best[1] is not None and time.perf_counter() > until:
                        break
                    model = em_experts(x, y, k, ridge, degrees, seed)
                    value = logsumexp(expert_terms(held, validation[:, j], model)[0], axis=1).mean()
                    if value > best[0]:
                        best, chosen = (value, model), (ridge, degrees)
            if best[0] <= before + 2e-3 or time.perf_counter() > until:
                break
            # From here on only the neighbours of the best setting.
            ridges = [r for r in (0.3, 3, 30) if 0.05 < r / chosen[0] < 20]
            shapes = [s for s in (4.0, 12.0, 50.0) if 0.2 < s / chosen[1] < 5]
        models.append(best[1])
        parameters += sum(part.size for part in (best[1][0], best[1][1], best[1][3])) + 1

    def log_prob(x):
        return sum(logsumexp(expert_terms(given(x, j), x[:, j], m)[0], axis=1) for j, m in enumerate(models))

    return log_prob, parameters


CLASSICAL = {"tmix": fit_tmix, "gauss + tmix": fit_gauss_tmix, "armix": fit_armix}
