//! Where a flow starts: at its base, adapted to a first batch, arranged by data.

use super::*;

#[test]
fn a_new_flow_is_its_base() {
    let config = FlowConfig { elementwise_spline: true, ..FlowConfig::new(6) };
    let flow = Flow::<f64>::new(&config, Seed(1)).unwrap();
    let x = random_batch(6, 50);
    let (z, ladj) = flow.forward(x.view());
    assert!((&z - &x).iter().all(|e| e.abs() < 1e-12));
    assert!(ladj.iter().all(|l| l.abs() < 1e-11));
}

#[test]
fn a_flow_with_a_mixture_base_starts_as_that_mixture() {
    let weights = Array1::from(vec![0.2, 0.5, 0.3]);
    let means = random_batch(3, 2);
    let mut covariances = Array3::zeros((3, 2, 2));
    for k in 0..3 {
        let c = 0.3 * k as f64;
        covariances.index_axis_mut(Axis(0), k).assign(&ndarray::arr2(&[[1.0 + c, c], [c, 0.5]]));
    }
    let x = random_batch(2, 40);
    for covariance in [Covariance::Full, Covariance::Diagonal] {
        let base = BaseKind::Mixture { n_components: 3, covariance };
        for linear in [Linear::default(), Linear::PluDense] {
            let mut flow =
                Flow::<f64>::new(&FlowConfig { linear, base, ..FlowConfig::new(2) }, Seed(1)).unwrap();
            flow.set_mixture(weights.view(), means.view(), covariances.view()).unwrap();
            flow.initialize(x.view());
            let log_prob = flow.log_prob(x.view());
            for (column, got) in x.columns().into_iter().zip(&log_prob) {
                let terms: Vec<f64> = (0..3)
                    .map(|k| {
                        let (a, d) = (covariances[(k, 0, 0)], covariances[(k, 1, 1)]);
                        let b = if covariance == Covariance::Full { covariances[(k, 0, 1)] } else { 0.0 };
                        let (u, v) = (column[0] - means[(k, 0)], column[1] - means[(k, 1)]);
                        let det = a * d - b * b;
                        let square = (d * u * u - 2.0 * b * u * v + a * v * v) / det;
                        weights[k] * (-0.5 * square).exp() / (std::f64::consts::TAU * det.sqrt())
                    })
                    .collect();
                assert!((got - terms.iter().sum::<f64>().ln()).abs() < 1e-10);
            }
        }
    }
    let mut flow = Flow::<f64>::new(
        &FlowConfig {
            base: BaseKind::Mixture { n_components: 3, covariance: Covariance::Full },
            ..FlowConfig::new(2)
        },
        Seed(1),
    )
    .unwrap();
    covariances[(1, 0, 0)] = -1.0;
    let error = flow.set_mixture(weights.view(), means.view(), covariances.view()).unwrap_err();
    assert!(matches!(error, FlowError::Mixture { component: 1, .. }), "{error}");
    assert!(
        Flow::<f64>::new(&FlowConfig::new(2), Seed(1))
            .unwrap()
            .set_mixture(weights.view(), means.view(), covariances.view())
            .is_err()
    );
}

#[test]
fn initialisation_standardises_what_each_actnorm_sees() {
    let mut flow = Flow::<f32>::new(&FlowConfig::new(4), Seed(2)).unwrap();
    let x = random_batch(4, 500).mapv(|v| (3.0 * v + 10.0) as f32);
    flow.initialize(x.view());
    let (z, _) = flow.forward(x.view());
    for row in z.rows() {
        let row: Vec<f64> = row.iter().map(|&v| f64::from(v)).collect();
        let (mean, error) = mean_and_standard_error(&row);
        assert!(mean.abs() < 1e-4 && (error * 500f64.sqrt() - 1.0).abs() < 1e-3);
    }
}

#[test]
fn a_permutation_is_routed_through_a_block() {
    let mut flow = Flow::<f64>::new(&FlowConfig::new(5), Seed(0)).unwrap();
    let order = [3, 0, 4, 1, 2];
    flow.route_permutation(1, &order).unwrap();
    let matrix = flow.linear_matrix(1).unwrap();
    for (i, &from) in order.iter().enumerate() {
        assert!((matrix[(i, from)].abs() - 1.0).abs() < 1e-14);
    }
    assert!(flow.route_permutation(9, &order).is_err());
    assert!(flow.route_permutation(0, &[0, 1]).is_err());
    let config = FlowConfig { linear: Linear::PluDense, ..FlowConfig::new(5) };
    assert!(Flow::<f64>::new(&config, Seed(0)).unwrap().route_permutation(0, &order).is_err());
}

#[test]
fn arrangement_by_data_separates_what_depends_and_keeps_the_mixture() {
    let d = 6;
    // Coordinates 0 and 1, 2 and 3, and 4 and 5 are nearly equal. Halves of neighbouring coordinates would
    // not cut these pairs.
    let noise = random_batch(d, 500);
    let x = Array2::from_shape_fn((d, 500), |(i, n)| noise[(i / 2, n)] + 0.2 * noise[(3 + i / 2, n)]);
    let x = &x + &(0.3 * &noise);
    let normal = FlowConfig { permutation: Permutation::Data, ..FlowConfig::new(d) };
    let mut flow = Flow::<f64>::new(&normal, Seed(0)).unwrap();
    flow.arrange(x.view()).unwrap();
    let transforms = normal.transforms(0);
    let first = &flow.inspect().unwrap()[0].nearest_permutation;
    let side = |coordinate: usize| transforms[first.iter().position(|&from| from == coordinate).unwrap()];
    assert!((0..3).all(|pair| side(2 * pair) != side(2 * pair + 1)), "{first:?}");

    for covariance in [Covariance::Diagonal, Covariance::Full] {
        let base = BaseKind::Mixture { n_components: 2, covariance };
        let before = Flow::<f64>::new(&FlowConfig { base, ..normal.clone() }, Seed(0)).unwrap();
        let mut after = before.clone();
        after.arrange(x.view()).unwrap();
        assert_ne!(before.parameters(), after.parameters());
        let difference = &before.log_prob(x.view()) - &after.log_prob(x.view());
        assert!(difference.iter().all(|e| e.abs() < 1e-9));
    }
    let random = FlowConfig { permutation: Permutation::Random, ..FlowConfig::new(d) };
    let found = Flow::<f64>::new(&random, Seed(0)).unwrap().inspect().unwrap();
    assert!(found.iter().any(|l| !l.is_identity) && found.iter().all(|l| l.distance < 1e-6));
    let dense = FlowConfig { linear: Linear::PluDense, ..random };
    assert!(matches!(Flow::<f64>::new(&dense, Seed(0)), Err(FlowError::Config { .. })));
}
