//! Random draws that stay the same with every version of the libraries, because they use only the generator's
//! 64-bit words.

use rand::Rng;

use crate::num::special::normal_quantile;
use crate::random::StreamRng;

/// A uniform number in the open interval (0, 1), with 53 random bits.
pub(crate) fn uniform(rng: &mut StreamRng) -> f64 {
    ((rng.next_u64() >> 11) as f64 + 0.5) * 2f64.powi(-53)
}

/// A standard normal number, computed by inversion: one word of the generator gives one number.
pub(crate) fn standard_normal(rng: &mut StreamRng) -> f64 {
    normal_quantile(uniform(rng))
}

/// A uniformly random permutation of 0..n (Fisher–Yates).
pub(crate) fn permutation(n: usize, rng: &mut StreamRng) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    for i in (1..n).rev() {
        let j = (uniform(rng) * (i + 1) as f64) as usize;
        order.swap(i, j.min(i));
    }
    order
}

/// Whether `order` is a permutation of 0..n.
pub(crate) fn is_permutation(order: &[usize], n: usize) -> bool {
    let mut seen = vec![false; n];
    order.len() == n && order.iter().all(|&i| i < n && !std::mem::replace(&mut seen[i], true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::num::moments::{mean, variance};
    use crate::random::Seed;

    #[test]
    fn normals_have_unit_moments() {
        let mut rng = Seed(3).stream("normal", 0);
        let x: Vec<f64> = (0..20_000).map(|_| standard_normal(&mut rng)).collect();
        // The tolerances are four standard errors, which are 1/√n for the mean and √(2/n) for the variance.
        assert!(mean(&x).abs() < 0.029, "{}", mean(&x));
        assert!((variance(&x) - 1.0).abs() < 0.04, "{}", variance(&x));
    }

    #[test]
    fn permutations_are_permutations_and_uniform() {
        let mut rng = Seed(3).stream("permutation", 0);
        let mut counts = [0u32; 3];
        for _ in 0..3000 {
            let p = permutation(3, &mut rng);
            assert!(is_permutation(&p, 3));
            counts[p[0]] += 1;
        }
        assert!(counts.iter().all(|&c| (900..1100).contains(&c)), "{counts:?}");
        assert!(permutation(0, &mut rng).is_empty());
        assert!(!is_permutation(&[0, 0], 2) && !is_permutation(&[0], 2) && !is_permutation(&[0, 2], 2));
    }
}
