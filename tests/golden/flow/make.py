"""Values of public programs that the flow and the mixtures are held against.

    pip install jax flowjax scikit-learn
    python make.py

butterfly_layers.json           products of butterfly stages written as dense sums, gradients by JAX's automatic differentiation
rational_quadratic_spline.json  flowjax.bijections.RationalQuadraticSpline
gaussian_mixture.json           sklearn.mixture.GaussianMixture

All in double precision. A clone without this program's shared data runs the same tests on these files.
"""

import json
from pathlib import Path

import flowjax
import jax

jax.config.update("jax_enable_x64", True)

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import paramax
import sklearn
from flowjax.bijections import RationalQuadraticSpline
from sklearn.mixture import GaussianMixture

HERE = Path(__file__).parent


def write(name, content):
    (HERE / name).write_text(json.dumps(content) + "\n")


def stage(weights, x):
    """One butterfly stage (Dao et al. 2019): block b mixes its two halves at equal positions k.

    weights[b, p, k, q] is the coefficient from input half p to output half q; shared weights have one k.
    """
    blocks, _, ks, _ = weights.shape
    half = x.shape[0] // blocks // 2
    parts = x.reshape(blocks, 2, half)
    full = jnp.broadcast_to(weights, (blocks, 2, half, 2)) if ks == 1 else weights
    return jnp.einsum("bpk,bpkq->bqk", parts, full).reshape(-1)


def layer(stages, x):
    for weights in stages:
        x = stage(weights, x)
    return x


def butterfly_layers():
    rng = np.random.default_rng(20)
    cases = []
    for dim, layers, shared, coarsest_last, both in [
        (8, 3, False, True, False),
        (8, 3, True, False, True),
        (12, 2, False, False, False),
        (16, 4, False, True, True),
    ]:
        levels = list(range(layers))
        if both:
            levels = levels + levels[::-1]
        elif coarsest_last:
            levels = levels[::-1]
        stages = []
        for level in levels:
            blocks = 2**level
            ks = 1 if shared else dim // (2 * blocks)
            stages.append(rng.normal(size=(blocks, 2, ks, 2)) + np.eye(2)[None, :, None, :])
        n = 5
        x, grad_y, grad_ladj = rng.normal(size=(n, dim)), rng.normal(size=(n, dim)), rng.normal(size=n)

        def log_abs_det(stages):
            return jnp.linalg.slogdet(jax.jacobian(lambda x: layer(stages, x))(jnp.zeros(dim)))[1]

        def loss(stages, x):
            y = jax.vmap(lambda row: layer(stages, row))(x)
            return jnp.sum(y * grad_y) + jnp.sum(grad_ladj) * log_abs_det(stages)

        stages = [jnp.asarray(s) for s in stages]
        grad_weights, grad_x = jax.grad(loss, argnums=(0, 1))(stages, jnp.asarray(x))
        y = jax.vmap(lambda row: layer(stages, row))(x)
        cases.append(
            {
                "dim": dim,
                "layers": layers,
                "share_weights": shared,
                "order": "level 0 last" if coarsest_last else "level 0 first",
                "bi_direction": both,
                "stages": [{"level": l, "weights": np.asarray(s).tolist()} for l, s in zip(levels, stages)],
                "x": x.tolist(),
                "y": np.asarray(y).tolist(),
                "log_abs_det": [float(log_abs_det(stages))] * n,
                "grad_y": grad_y.tolist(),
                "grad_log_abs_det": grad_ladj.tolist(),
                "grad_x": np.asarray(grad_x).tolist(),
                "grad_weights": [np.asarray(g).tolist() for g in grad_weights],
            }
        )
    write("butterfly_layers.json", {"source": f"dense sums; gradients by JAX {jax.__version__}, float64", "cases": cases})


def splines():
    rng = np.random.default_rng(21)
    cases = []
    for bins, bound in [(4, 3.0), (8, 5.0), (16, 8.0)]:
        case = {"bins": bins, "bound": bound} | {k: [] for k in ["x", "knots_x", "knots_y", "slopes", "y", "ladj"]}
        for _ in range(40):
            spline = RationalQuadraticSpline(knots=bins - 1, interval=bound)
            leaves, tree = jax.tree_util.tree_flatten(eqx.filter(spline, eqx.is_inexact_array))
            noise = [0.7 * rng.normal(size=leaf.shape) for leaf in leaves]
            # The slopes, one more than bins, keep 1 at both ends, where the identity goes on.
            noise = [np.pad(n[1:-1], 1) if n.size == bins + 1 else n for n in noise]
            leaves = [leaf + n for leaf, n in zip(leaves, noise)]
            spline = eqx.combine(jax.tree_util.tree_unflatten(tree, leaves), spline)
            spline = paramax.unwrap(spline)
            x = rng.uniform(-1.2 * bound, 1.2 * bound)
            y, ladj = spline.transform_and_log_det(jnp.asarray(x))
            case["x"].append(x)
            case["y"].append(float(y))
            case["ladj"].append(float(ladj))
            case["knots_x"].append(np.asarray(spline.x_pos).tolist())
            case["knots_y"].append(np.asarray(spline.y_pos).tolist())
            case["slopes"].append(np.asarray(spline.derivatives).tolist())
        cases.append(case)
    write("rational_quadratic_spline.json", {"source": f"flowjax {flowjax.__version__}, JAX {jax.__version__}, float64", "cases": cases})


def mixtures():
    rng = np.random.default_rng(22)
    means = np.array([[0.0, 0, 0, 0], [4, 1, -2, 0], [-3, 3, 3, 1]])
    roots = [np.tril(rng.normal(scale=0.5, size=(4, 4))) + np.eye(4) for _ in range(3)]
    which = rng.choice(3, size=600, p=[0.5, 0.3, 0.2])
    train = np.stack([means[k] + roots[k] @ rng.normal(size=4) for k in which])
    gmm = GaussianMixture(3, covariance_type="full", reg_covar=1e-6, n_init=5, tol=1e-8, max_iter=1000, random_state=0).fit(train)
    x = np.concatenate([train[:18], rng.normal(scale=30, size=(4, 4))])
    content = {
        "source": f"scikit-learn {sklearn.__version__} GaussianMixture, full covariance, reg_covar 1e-6, best of 5 starts",
        "train": train.tolist(),
        "weights": gmm.weights_.tolist(),
        "means": gmm.means_.tolist(),
        "covariances": gmm.covariances_.tolist(),
        "mean_log_prob_train": float(gmm.score(train)),
        "x": x.tolist(),
        "log_prob": gmm.score_samples(x).tolist(),
    }
    write("gaussian_mixture.json", content)


butterfly_layers()
splines()
mixtures()
