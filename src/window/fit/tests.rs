use ndarray::Array2;

use super::*;
use crate::baseline::{VarConfig, fit_var};
use crate::density::Density;
use crate::train::Silent;

/// One channel whose noise is ten times as large for some samples after each large jump.
fn bursts(n: usize, length: usize, seed: u64) -> Array2<f64> {
    let mut rng = Seed(seed).stream("bursts", 0);
    let mut normal = move || crate::num::special::normal_quantile(rng.random_range(1e-9..1.0 - 1e-9));
    let mut out = Array2::zeros((n, length));
    for mut row in out.rows_mut() {
        let (mut x, mut left) = (0.0, 0u32);
        for t in 0..length {
            let e: f64 = normal() * if left > 0 { 1.0 } else { 0.1 };
            left = if left == 0 && normal() > 2.0 { 12 } else { left.saturating_sub(1) };
            x = 0.8 * x + e;
            row[t] = x;
        }
    }
    out
}

fn var(length: usize) -> (Var, Array2<f64>, Array2<f64>) {
    let (train, validation) = (bursts(60, length, 1), bursts(20, length, 2));
    let config = VarConfig { orders: vec![1, 2], components: vec![1, 2, 3], ..VarConfig::default() };
    (fit_var(train.view(), validation.view(), 1, &config).unwrap().0, train, validation)
}

fn config() -> WindowConfig {
    WindowConfig { hidden: 16, components: 4, max_epochs: 12, batch_samples: 512, ..WindowConfig::default() }
}

#[test]
fn what_the_past_tells_of_the_spread_is_learned() {
    let (var, train, validation) = var(96);
    let test = bursts(40, 96, 3);
    let before = var.log_prob(test.view()).mean().unwrap() / 96.0;
    let source = |_| train.clone();
    let longer = WindowConfig { max_epochs: 40, batch_samples: 256, ..config() };
    let Trained { model: flow, history, .. } =
        fit_window(var, None, &source, validation.view(), &longer, None, &Silent).unwrap();
    let after = flow.log_prob(test.view()).mean().unwrap() / 96.0;
    assert!(after > before + 0.1, "{before} {after}");
    assert!(history.last().unwrap().validation_log_prob > history[0].validation_log_prob);
    // Both are of whole windows, the linear layer included.
    let last = history.last().unwrap();
    let gap = last.train_log_prob.unwrap() - last.validation_log_prob;
    assert!(gap.abs() < 0.3 * 96.0, "{gap}");
    // Samples score about as data do; bursts make both vary, and 60 windows do not teach their length
    // exactly.
    let own = flow.log_prob(flow.sample(60, Seed(4)).view()).mean().unwrap() / 96.0;
    assert!((own - after).abs() < 0.3, "{own} {after}");
}

#[test]
fn training_is_a_function_of_the_seed() {
    let (var, train, validation) = var(48);
    let source = |_| train.clone();
    let short = WindowConfig { max_epochs: 2, ..config() };
    let run = || fit_window(var.clone(), None, &source, validation.view(), &short, None, &Silent).unwrap();
    let (Trained { model: a, history, .. }, Trained { model: b, .. }) = (run(), run());
    assert_eq!(a, b);
    assert_eq!(history.len(), 3);
    let threads = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert_eq!(a, threads.install(run).model);
    assert_eq!(a.sample(5, Seed(1)), b.sample(5, Seed(1)));
}

#[test]
fn the_start_is_the_autoregression() {
    let (var, train, validation) = var(48);
    let components = var.innovation().n_components();
    let none = WindowConfig { max_epochs: 0, components, ..config() };
    let source = |_| train.clone();
    let Trained { model: flow, .. } =
        fit_window(var.clone(), None, &source, validation.view(), &none, None, &Silent).unwrap();
    let (a, b) = (flow.log_prob(validation.view()), var.log_prob(validation.view()));
    // One channel: nothing is lost by components without correlation. Equal to f32.
    for (a, b) in a.iter().zip(&b) {
        assert!((a - b).abs() < 1e-3 * b.abs().max(1.0), "{a} {b}");
    }
}

#[test]
fn later_samples_leave_earlier_ones_alone_and_the_density_integrates_to_one() {
    let (var, train, validation) = var(6);
    let source = |_| train.clone();
    let Trained { model: flow, .. } =
        fit_window(var, None, &source, validation.view(), &config(), None, &Silent).unwrap();
    // The integral over the last of six samples is the density of the first five, whatever the last is
    // integrated from.
    let window = validation.row(0).to_vec();
    let integral = |shift: f64| {
        let h = 0.002;
        let grid = Array2::from_shape_fn((8001, 6), |(i, t)| {
            if t == 5 { shift + h * (i as f64 - 4000.0) } else { window[t] }
        });
        flow.log_prob(grid.view()).iter().map(|l| l.exp()).sum::<f64>() * h
    };
    let (a, b) = (integral(0.0), integral(0.3));
    assert!((a - b).abs() < 1e-4 * a, "{a} {b}");
    // And over the last two, of the first four: conditional densities integrate to one at every step.
    let inner: f64 = {
        let h = 0.04;
        let grid = Array2::from_shape_fn((401 * 401, 6), |(i, t)| match t {
            4 => h * ((i / 401) as f64 - 200.0),
            5 => h * ((i % 401) as f64 - 200.0),
            _ => window[t],
        });
        flow.log_prob(grid.view()).iter().map(|l| l.exp()).sum::<f64>() * h * h
    };
    let prefix: f64 = {
        let prepared = flow.prepare(validation.view());
        let each = flow.shape().log_prob(
            flow.parameters(),
            &prepared[0].inputs,
            &prepared[0].innovations,
            &[],
            6,
            &mut Tape::default(),
        );
        each[..4].iter().map(|x| f64::from(*x)).sum::<f64>()
    };
    let scale: f64 = flow.var().log_scale_of(0..4);
    assert!((inner.ln() - (prefix - scale)).abs() < 0.02, "{inner} {prefix} {scale}");
}

/// Of a digitised signal, each sample's steps share a probability of one, wherever on its step a sample lies.
#[test]
fn steps_of_digitised_signals_share_the_probability() {
    let step = 0.25;
    let digitised = |mut w: Array2<f64>| {
        w.mapv_inplace(|x| step * (x / step).round());
        w
    };
    let (train, validation) = (digitised(bursts(60, 6, 1)), digitised(bursts(20, 6, 2)));
    let lattice = Lattice::through(train.view(), &[step]).unwrap();
    let order = VarConfig { orders: vec![1, 2], components: vec![1, 2], ..VarConfig::default() };
    let var = fit_var(train.view(), validation.view(), 1, &order).unwrap().0;
    let source = |epoch: u32| {
        let mut rng = Seed(8).stream("noise", epoch.into());
        train.mapv(|x| x + step * (rng.random::<f64>() - 0.5))
    };
    let Trained { model: flow, .. } =
        fit_window(var, Some(lattice), &source, validation.view(), &config(), None, &Silent).unwrap();
    let window = validation.row(0).to_vec();
    let total = |t: usize, noise: f64| {
        let grid = Array2::from_shape_fn((801, 6), |(i, at)| match at {
            _ if at == t => window[t] + step * (i as f64 - 400.0) + noise,
            _ => window[at],
        });
        let prepared = flow.prepare(grid.view());
        let each = |w: &Prepared| {
            let shape = flow.shape();
            let all = shape.log_prob(
                flow.parameters(),
                &w.inputs,
                &w.innovations,
                flow.half(),
                6,
                &mut Tape::default(),
            );
            f64::from(all[t]) - flow.var().log_scale_of(t..t + 1)
        };
        prepared.iter().map(|w| each(w).exp() * step).sum::<f64>()
    };
    for t in 0..6 {
        assert!((total(t, 0.0) - 1.0).abs() < 1e-3, "{t}: {}", total(t, 0.0));
        assert!((total(t, 0.4 * step) - total(t, -0.4 * step)).abs() < 1e-6);
    }
    // Samples carry noise of a step, and score about as windows do.
    let mut rng = Seed(8).stream("test", 0);
    let test = digitised(bursts(200, 6, 3)).mapv(|x| x + step * (rng.random::<f64>() - 0.5));
    let of = |w: &Array2<f64>| flow.log_prob(w.view()).mean().unwrap() / 6.0;
    let (own, held_out) = (of(&flow.sample(400, Seed(4))), of(&test));
    assert!((own - held_out).abs() < 0.3, "{own} {held_out}");
}

#[test]
fn settings_out_of_range_are_refused() {
    let (var, train, validation) = var(6);
    let source = |_| train.clone();
    for wrong in [
        WindowConfig { hidden: 0, ..config() },
        WindowConfig { components: 0, ..config() },
        WindowConfig { learning_rate: f64::NAN, ..config() },
        WindowConfig { weight_decay: -1.0, ..config() },
        WindowConfig { batch_samples: 0, ..config() },
    ] {
        let error =
            fit_window(var.clone(), None, &source, validation.view(), &wrong, None, &Silent).unwrap_err();
        assert!(matches!(error, WindowError::Mixture(MixtureError::Setting { .. })), "{wrong:?}");
    }
    let none = Array2::zeros((0, 6));
    let error = fit_window(var, None, &source, none.view(), &config(), None, &Silent).unwrap_err();
    assert!(matches!(error, WindowError::Mixture(MixtureError::TooFewRows { .. })));
}

#[test]
fn given_its_past_a_window_has_the_density_of_the_whole_over_that_of_the_past() {
    let (var, train, validation) = var(64);
    let source = |_| train.clone();
    let short = WindowConfig { max_epochs: 2, ..config() };
    let Trained { model: whole, .. } =
        fit_window(var.clone(), None, &source, validation.view(), &short, None, &Silent).unwrap();
    let past = 40;
    // The same numbers, of windows of another length or given their start.
    let of = |var: Var| {
        WindowFlow::new(var, whole.sight(), whole.shape(), whole.parameters().to_vec(), None).unwrap()
    };
    let shorter =
        Var::new(past, 1, var.mean().to_owned(), var.covariance().to_owned(), var.innovation().clone());
    let (before, given) = (of(shorter.unwrap()), of(var.given(past).unwrap()));
    let first = validation.slice_axis(Axis(1), (0..past).into());
    let gap =
        &whole.log_prob(validation.view()) - &before.log_prob(first) - &given.log_prob(validation.view());
    assert!(gap.iter().all(|x| x.abs() < 1e-3), "{gap}");
    let drawn = given.sample_given(first, Seed(3));
    assert_eq!(drawn.slice_axis(Axis(1), (0..past).into()), first);
    let likelihood = |v: &Array2<f64>| given.log_prob(v.view()).mean().unwrap() / 24.0;
    assert!((likelihood(&drawn) - likelihood(&validation)).abs() < 0.4);
}

/// Interrupts at the third batch of an epoch.
struct Interrupting {
    epoch: u32,
    seen: std::sync::atomic::AtomicU32,
}

impl Progress for Interrupting {
    fn batch(&self, epoch: u32, batch: usize, _batches: usize) {
        self.seen.store(if batch == 1 { epoch } else { 0 }, std::sync::atomic::Ordering::Relaxed);
    }

    fn interrupted(&self) -> bool {
        self.seen.load(std::sync::atomic::Ordering::Relaxed) == self.epoch
    }
}

#[test]
fn an_interrupted_run_goes_on_where_it_was() {
    let (var, train, validation) = var(48);
    // Another noise in each epoch, as of digitised signals.
    let source = |epoch: u32| train.mapv(|x| x + 0.01 * (x * 100.0 + f64::from(epoch)).sin());
    let config = WindowConfig { max_epochs: 4, ..config() };
    let dir = tempfile::tempdir().unwrap();
    let run = serde_json::json!({ "run": 1 });
    let fit = |keep: Option<Keep<'_>>, progress: &dyn Progress| {
        fit_window(var.clone(), None, &source, validation.view(), &config, keep, progress)
    };
    let Trained { model: whole, history, .. } = fit(None, &Silent).unwrap();
    let keep = |resume| Some(Keep { dir: dir.path(), run: &run, resume });
    let interrupting = Interrupting { epoch: 3, seen: 0.into() };
    let error = fit(keep(false), &interrupting).unwrap_err();
    let WindowError::Train(TrainError::Interrupted { epoch: 2, checkpoint: Some(_) }) = error else {
        panic!("{error}")
    };
    let Trained { model: continued, history: rows, seconds, .. } = fit(keep(true), &Silent).unwrap();
    assert_eq!(continued, whole);
    assert_eq!(rows, history);
    assert!(seconds > 0.0);
    let other = serde_json::json!({ "run": 2 });
    let error = fit(Some(Keep { dir: dir.path(), run: &other, resume: true }), &Silent).unwrap_err();
    assert!(error.to_string().contains("belongs to another run: `run` was 1, is 2"), "{error}");
}

/// A window that no density is finite for, the first time that the second epoch draws its noise.
#[test]
fn a_step_that_is_not_finite_is_rolled_back() {
    let (var, train, validation) = var(48);
    let times = std::sync::atomic::AtomicU32::new(0);
    let source = |epoch: u32| {
        let mut windows = train.clone();
        if epoch == 2 && times.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0 {
            windows[[3, 7]] = f64::INFINITY;
        }
        windows
    };
    let short = WindowConfig { max_epochs: 3, ..config() };
    let fit = |source: &dyn WindowSource| {
        fit_window(var.clone(), None, source, validation.view(), &short, None, &Silent).unwrap()
    };
    let (disturbed, undisturbed) = (fit(&source), fit(&|_: u32| train.clone()));
    assert_eq!(disturbed.history[1], undisturbed.history[1]);
    for (a, b) in disturbed.history.iter().zip(&undisturbed.history).skip(2) {
        assert_eq!((a.rollbacks, a.learning_rate), (1, 0.5 * b.learning_rate));
        assert!(a.validation_log_prob.is_finite() && a.gradient_norm.is_some_and(f64::is_finite));
    }
}
