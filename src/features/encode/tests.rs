//! Draws of the noise of records.

use super::*;

#[test]
fn stratified_draws_visit_every_part_once_in_orders_of_their_own() {
    let (draws, d) = (16, 5);
    let mut u = vec![0.0; draws * d];
    let key = RecordKey::of(ndarray::array![1.0, 2.0].view());
    stratify(&mut Seed(3).keyed("test", 0).stream(key.bytes()), &mut u, d);
    let parts = |j: usize| (0..draws).map(|s| (u[s * d + j] * draws as f64) as usize).collect::<Vec<_>>();
    for j in 0..d {
        let mut sorted = parts(j);
        sorted.sort_unstable();
        assert_eq!(sorted, (0..draws).collect::<Vec<_>>());
        assert!(j == 0 || parts(j) != parts(0));
    }
}
