//! The 2×2 matrices of a butterfly layer: computes entries from parameters, and gradients of parameters from
//! gradients of entries.

use serde::{Deserialize, Serialize};

use crate::flow::bijector::ParameterSpec;
use crate::flow::error::FlowError;
use crate::num::real::Real;

/// How a 2×2 matrix is expressed by parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Parametrisation {
    /// The parameters are the four entries.
    Raw,
    /// The product of a rotation and an upper triangular matrix with positive diagonal.
    #[default]
    Rotation,
}

/// The matrices of a layer, without the values of their parameters.
#[derive(Debug, Clone)]
pub(super) struct Matrices {
    parametrisation: Parametrisation,
    /// Number of pairs that each matrix is applied to.
    uses: Vec<usize>,
}

struct Rotation<T> {
    sin: T,
    cos: T,
    scale_0: T,
    scale_1: T,
    shear: T,
}

fn determinant<T: Real>(m: &[T]) -> T {
    m[0] * m[3] - m[1] * m[2]
}

impl Matrices {
    pub(super) fn new(parametrisation: Parametrisation, uses: Vec<usize>) -> Self {
        Self { parametrisation, uses }
    }

    pub(super) fn len(&self) -> usize {
        self.uses.len()
    }

    pub(super) fn specs(&self) -> Vec<ParameterSpec> {
        let m = self.len();
        match self.parametrisation {
            Parametrisation::Raw => vec![ParameterSpec::new("matrix", &[m, 2, 2])],
            Parametrisation::Rotation => vec![
                ParameterSpec::new("angle", &[m]),
                ParameterSpec::new("log_diagonal", &[m, 2]),
                ParameterSpec::new("shear", &[m]),
            ],
        }
    }

    /// Sets a matrix to a rotation by `angle`. If `swap` is given and the parametrisation is raw, the matrix
    /// becomes an exact swap instead.
    pub(super) fn set<T: Real>(&self, parameters: &mut [T], matrix: usize, angle: f64, swap: bool) {
        let (sin, cos) = angle.sin_cos();
        match self.parametrisation {
            Parametrisation::Raw => {
                let entries = if swap { [0.0, 1.0, 1.0, 0.0] } else { [cos, -sin, sin, cos] };
                for (to, from) in parameters[4 * matrix..4 * matrix + 4].iter_mut().zip(entries) {
                    *to = T::from_f64(from);
                }
            }
            Parametrisation::Rotation => {
                let m = self.len();
                parameters[matrix] = T::from_f64(angle);
                parameters[m + 2 * matrix..m + 2 * matrix + 2].fill(T::zero());
                parameters[3 * m + matrix] = T::zero();
            }
        }
    }

    /// Writes the entries a, b, c, d of every matrix to `entries`.
    pub(super) fn entries<T: Real>(&self, parameters: &[T], entries: &mut [T]) {
        match self.parametrisation {
            Parametrisation::Raw => entries.copy_from_slice(parameters),
            Parametrisation::Rotation => {
                for (k, m) in entries.chunks_exact_mut(4).enumerate() {
                    let Rotation { sin, cos, scale_0, scale_1, shear } = self.rotation(parameters, k);
                    m[0] = cos * scale_0;
                    m[1] = cos * shear - sin * scale_1;
                    m[2] = sin * scale_0;
                    m[3] = sin * shear + cos * scale_1;
                }
            }
        }
    }

    fn rotation<T: Real>(&self, parameters: &[T], k: usize) -> Rotation<T> {
        let m = self.len();
        let (sin, cos) = parameters[k].sin_cos();
        let (scale_0, scale_1) = (parameters[m + 2 * k].exp(), parameters[m + 2 * k + 1].exp());
        Rotation { sin, cos, scale_0, scale_1, shear: parameters[3 * m + k] }
    }

    /// Writes the entries of the inverse of every matrix to `entries`.
    pub(super) fn inverse_entries<T: Real>(
        &self,
        parameters: &[T],
        entries: &mut [T],
    ) -> Result<(), FlowError> {
        self.entries(parameters, entries);
        for m in entries.chunks_exact_mut(4) {
            let reciprocal = T::one() / determinant(m);
            if !reciprocal.is_finite() {
                return Err(FlowError::Singular { layer: "butterfly".into() });
            }
            let [a, b, c, d] = [m[0], m[1], m[2], m[3]];
            m.copy_from_slice(&[d * reciprocal, -b * reciprocal, -c * reciprocal, a * reciprocal]);
        }
        Ok(())
    }

    /// The sum of log|det| over all pairs.
    pub(super) fn log_determinant<T: Real>(&self, parameters: &[T], entries: &[T]) -> T {
        let m = self.len();
        let uses = self.uses.iter().map(|&uses| T::from_f64(uses as f64));
        match self.parametrisation {
            Parametrisation::Raw => {
                uses.zip(entries.chunks_exact(4)).map(|(uses, e)| uses * determinant(e).abs().ln()).sum()
            }
            Parametrisation::Rotation => {
                uses.zip(parameters[m..3 * m].chunks_exact(2)).map(|(uses, p)| uses * (p[0] + p[1])).sum()
            }
        }
    }

    /// Takes ∂L/∂(a, b, c, d), which does not include the log-determinant, and adds ∂L/∂θ, which does, to
    /// `parameter_gradient`.
    pub(super) fn chain<T: Real>(
        &self,
        parameters: &[T],
        d_entries: &[T],
        d_ladj: T,
        parameter_gradient: &mut [T],
    ) {
        let m = self.len();
        match self.parametrisation {
            Parametrisation::Raw => {
                for (to, &from) in parameter_gradient.iter_mut().zip(d_entries) {
                    *to += from;
                }
                // ∂ log|ad − bc| / ∂(a, b, c, d) = (d, −c, −b, a) / (ad − bc)
                for (k, &uses) in self.uses.iter().enumerate() {
                    let at = 4 * k;
                    let factor = T::from_f64(uses as f64) * d_ladj / determinant(&parameters[at..]);
                    parameter_gradient[at] += factor * parameters[at + 3];
                    parameter_gradient[at + 1] -= factor * parameters[at + 2];
                    parameter_gradient[at + 2] -= factor * parameters[at + 1];
                    parameter_gradient[at + 3] += factor * parameters[at];
                }
            }
            Parametrisation::Rotation => {
                for (k, g) in d_entries.chunks_exact(4).enumerate() {
                    let Rotation { sin, cos, scale_0, scale_1, shear } = self.rotation(parameters, k);
                    // ∂M/∂θ = R(θ + 90°)·T = [[−c, −d], [a, b]]
                    let (a, b) = (cos * scale_0, cos * shear - sin * scale_1);
                    let (c, d) = (sin * scale_0, sin * shear + cos * scale_1);
                    parameter_gradient[k] += g[2] * a + g[3] * b - g[0] * c - g[1] * d;
                    parameter_gradient[m + 2 * k] += (g[0] * cos + g[2] * sin) * scale_0;
                    parameter_gradient[m + 2 * k + 1] += (g[3] * cos - g[1] * sin) * scale_1;
                    parameter_gradient[3 * m + k] += g[1] * cos + g[3] * sin;
                }
                for (to, &uses) in parameter_gradient[m..3 * m].chunks_exact_mut(2).zip(&self.uses) {
                    let d_uses = T::from_f64(uses as f64) * d_ladj;
                    to[0] += d_uses;
                    to[1] += d_uses;
                }
            }
        }
    }
}
