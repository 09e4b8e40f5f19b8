"""Values that autoregressive mixtures are held against, computed with SciPy's densities and its general optimiser.

    pip install numpy==2.4.6 scipy==1.17.1
    python make.py

density.json  log-densities of made-up mixtures of three coordinates, from scipy.stats.t and scipy.special.logsumexp
optimum.json  the largest penalised log-likelihood of one and of two experts, found by L-BFGS-B on all coefficients at once
              (src/baseline/armix/em.rs has the formula and its own algorithm, expectation maximisation)
"""

import json
from pathlib import Path

import numpy as np
import scipy
from scipy.optimize import minimize
from scipy.special import log_softmax, logsumexp
from scipy.stats import t

HERE = Path(__file__).parent
VERSIONS = {"numpy": np.__version__, "scipy": scipy.__version__}


def write(name, content):
    (HERE / name).write_text(json.dumps({"versions": VERSIONS, **content}) + "\n")


def experts(x, y, gates, slopes, scales, degrees):
    """log p(y | x) of each row; the first column of x is 1."""
    joint = log_softmax(x @ gates, axis=1) + t.logpdf(y[:, None], degrees, x @ slopes, scales)
    return logsumexp(joint, axis=1)


def density():
    rng = np.random.default_rng(7)
    centre, scale = np.array([1.0, -2.0, 0.5]), np.array([0.5, 3.0, 1.0])
    links = []
    for coordinate, given, k, degrees in ((2, [], 2, 4.0), (0, [2], 3, 7.5), (1, [0, 2], 1, 30.0)):
        q = 1 + len(given)
        links.append(
            {
                "coordinate": coordinate,
                "given": given,
                "degrees": degrees,
                "gates": rng.normal(size=(q, k)).tolist(),
                "slopes": rng.normal(size=(q, k)).tolist(),
                "scales": rng.uniform(0.2, 1.5, size=k).tolist(),
            }
        )
    rows = centre + scale * rng.normal(size=(12, 3)) * np.repeat([1.0, 3.0, 30.0], 4)[:, None]
    z = (rows - centre) / scale
    log_prob = np.full(len(rows), -np.log(scale).sum())
    for link in links:
        x = np.column_stack([np.ones(len(z)), z[:, link["given"]]])
        of = [np.array(link[name]) for name in ("gates", "slopes", "scales")]
        log_prob += experts(x, z[:, link["coordinate"]], *of, link["degrees"])
    write(
        "density.json",
        {"centre": centre.tolist(), "scale": scale.tolist(), "links": links, "rows": rows.tolist(), "log_prob": log_prob.tolist()},
    )


def optimum():
    rng = np.random.default_rng(3)
    n, degrees, ridge = 240, 5.0, 0.7
    given = rng.normal(size=(n, 2))
    regime = (given[:, 0] + 0.4 * rng.normal(size=n) > 0).astype(int)
    y = np.where(regime == 1, 1.0 + 0.8 * given[:, 1], -1.0 - 0.5 * given[:, 0]) + 0.3 * rng.standard_t(degrees, size=n)
    x = np.column_stack([np.ones(n), given])

    # One expert: slopes drawn to 0 in units of the scale of ridge regression, scale free.
    pull = ridge * np.diag([0.0, 1.0, 1.0])
    start = np.linalg.solve(x.T @ x + pull, x.T @ y)
    unit = np.sqrt(np.mean((y - x @ start) ** 2))

    def one(p):
        slopes, s = p[:3], np.exp(p[3])
        fit = t.logpdf(y, degrees, x @ slopes, s).sum()
        return -(fit - 0.5 * ridge / unit**2 * (slopes[1:] ** 2).sum()) / n

    found = minimize(one, np.r_[start, np.log(unit)], method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-9})
    common, s0 = found.x[:3], float(np.exp(found.x[3]))

    def two(p):
        gates, slopes, s = p[:6].reshape(3, 2), p[6:12].reshape(3, 2), np.exp(p[12:])
        fit = experts(x, y, gates, slopes, s, degrees).sum()
        penalty = 0.5 * ridge * (gates[1:] ** 2).sum()
        penalty += 0.5 * ridge / s0**2 * ((slopes - common[:, None])[1:] ** 2).sum()
        penalty += (np.log(s) + 0.05 * s0**2 / s**2).sum()
        return -(fit - penalty) / n

    best = min(
        (
            minimize(two, rng.normal(size=14), method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-8, "maxiter": 5000, "maxfun": 200000})
            for _ in range(30)
        ),
        key=lambda result: result.fun,
    )
    write(
        "optimum.json",
        {
            "x": given.tolist(),
            "y": y.tolist(),
            "labels": regime.tolist(),
            "degrees": degrees,
            "ridge": ridge,
            "one": {"slopes": common.tolist(), "scale": s0, "value": -found.fun},
            "two": {"value": -best.fun, "scales": sorted(np.exp(best.x[12:]).tolist())},
        },
    )


density()
optimum()
