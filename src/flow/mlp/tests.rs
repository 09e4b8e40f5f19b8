use super::*;
use crate::flow::bijector::Tape;
use crate::random::Seed;

#[test]
fn output_starts_at_zero_and_dropout_keeps_the_mean() {
    let shape = NetworkShape { hidden: 8, n_hidden_layers: 2, activation: Activation::Silu, dropout: 0.25 };
    let mlp = Mlp::new(3, 5, shape);
    let mut rng = Seed(1).stream("test", 0);
    let mut parameters = vec![1.0f64; mlp.n_parameters()];
    mlp.reset(&mut parameters, &mut rng);
    let n = 4000;
    let mut memory = Tape::default();
    let mut tape = MlpTape::new(memory.slots(mlp.tape_lengths(n)));
    let mut output = vec![1.0; 5 * n];
    mlp.forward(&parameters, &vec![0.7; 3 * n], &mut output, n, &mut tape, Some(&mut rng));
    assert!(output.iter().all(|&y| y == 0.0));
    // Before dropout, a unit of the first layer has the same value in every column.
    for row in tape.activations[..8 * n].chunks_exact(n) {
        let dropped = row.iter().filter(|&&a| a == 0.0).count() as f64 / n as f64;
        // The tolerance is five standard errors of a share of 0.25 among 4000.
        assert!((dropped - 0.25).abs() < 0.035, "{dropped}");
        let kept = row.iter().find(|&&a| a != 0.0).unwrap();
        assert!(row.iter().all(|a| *a == 0.0 || a == kept));
    }
}

/// Both residual paths, with masks and without, against central differences.
#[test]
fn the_gradient_is_that_of_the_output() {
    for (residual, zeros) in [
        (Residual::BeforeActivation, vec![]),
        (Residual::BeforeActivation, vec![1..3, 20..22]),
        (Residual::AfterActivation, vec![]),
        (Residual::AfterActivation, vec![0..4, 30..31]),
    ] {
        let shape =
            NetworkShape { hidden: 4, n_hidden_layers: 3, activation: Activation::Silu, dropout: 0.0 };
        let mlp = Mlp { residual, zeros, ..Mlp::new(3, 2, shape) };
        let number = |i: usize| (i as f64 * 0.77 + 0.3).sin();
        let n = 5;
        let parameters: Vec<f64> = (0..mlp.n_parameters()).map(number).collect();
        let input: Vec<f64> = (0..3 * n).map(|i| number(i + 1000)).collect();
        let weights: Vec<f64> = (0..2 * n).map(|i| number(i + 2000)).collect();
        let mut memory = Tape::default();
        let mut loss = |parameters: &[f64], input: &[f64]| -> f64 {
            let mut tape = MlpTape::new(memory.slots(mlp.tape_lengths(n)));
            let mut output = vec![0.0; 2 * n];
            mlp.forward(parameters, input, &mut output, n, &mut tape, None);
            output.iter().zip(&weights).map(|(y, w)| y * w).sum()
        };
        let difference = |f: &mut dyn FnMut(f64) -> f64| (f(1e-5) - f(-1e-5)) / 2e-5;
        let by_parameter: Vec<f64> = (0..parameters.len())
            .map(|i| {
                difference(&mut |h| {
                    let mut moved = parameters.clone();
                    moved[i] += h;
                    loss(&moved, &input)
                })
            })
            .collect();
        let by_input: Vec<f64> = (0..input.len())
            .map(|i| {
                difference(&mut |h| {
                    let mut moved = input.clone();
                    moved[i] += h;
                    loss(&parameters, &moved)
                })
            })
            .collect();
        loss(&parameters, &input);
        let mut tape = MlpTape::new(memory.slots(mlp.tape_lengths(n)));
        let (mut d_input, mut gradient) = (vec![9.0; 3 * n], vec![0.5; parameters.len()]);
        mlp.backward(&parameters, &input, &weights, Some(&mut d_input), n, &mut tape, &mut gradient);
        let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-7);
        gradient.iter_mut().for_each(|g| *g -= 0.5);
        assert!(close(&gradient, &by_parameter), "{residual:?} {gradient:?} {by_parameter:?}");
        assert!(close(&d_input, &by_input), "{residual:?} {d_input:?} {by_input:?}");
        for range in &mlp.zeros {
            assert!(gradient[range.clone()].iter().all(|g| *g == 0.0));
        }
    }
}
