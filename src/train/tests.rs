use super::*;

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::Hint;
use ndarray::{Array1, Array2, Axis, concatenate};
use rand::Rng;

use crate::flow::{Flow, FlowConfig};
use crate::num::special::normal_quantile;
use crate::random::Seed;

/// Vectors without noise.
struct Table {
    train: Array2<f64>,
    validation: Array2<f64>,
}

impl Table {
    fn draw(x: &Array2<f64>) -> Draw {
        Draw { values: x.clone(), log_noise: Array1::zeros(x.nrows()) }
    }
}

impl Source for Table {
    fn n_coordinates(&self) -> usize {
        self.train.ncols()
    }
    fn n_train(&self) -> usize {
        self.train.nrows()
    }
    fn n_validation(&self) -> usize {
        self.validation.nrows()
    }
    fn train(&self, rows: &[usize], _: Seed, _: u64) -> Draw {
        Self::draw(&self.train.select(ndarray::Axis(0), rows))
    }
    fn validation(&self, _: Seed, _: u64) -> Draw {
        Self::draw(&self.validation)
    }
    fn fingerprint(&self) -> String {
        format!("{:?}", self.train.dim())
    }
}

/// Standard normals. The second half of the columns follow the first half with correlation 0.9.
fn correlated(n: usize, d: usize, seed: u64) -> Array2<f64> {
    let mut rng = Seed(seed).stream("table", 0);
    let mut normal = || normal_quantile(((rng.next_u64() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64);
    let mut x = Array2::from_shape_fn((n, d), |_| normal());
    for mut row in x.rows_mut() {
        for j in d / 2..d {
            row[j] = 0.9 * row[j - d / 2] + (1.0_f64 - 0.81).sqrt() * row[j];
        }
    }
    x
}

fn table() -> Table {
    Table { train: correlated(900, 6, 1), validation: correlated(300, 6, 2) }
}

fn configs() -> (FlowConfig, TrainConfig) {
    let (mut flow, mut train) = preset(FlowKind::Butterfly, Preset::Small, 900, 6);
    flow.n_blocks = 2;
    flow.hidden = 16;
    train.max_epochs = 12;
    train.batch_size = 150;
    train.learning_rate = 5e-3;
    train.ema_decay = 0.9;
    train.checkpoint_epochs = 3;
    (flow, train)
}

fn train(source: &dyn Source, configs: &(FlowConfig, TrainConfig)) -> Result<Trained<Flow<f32>>, TrainError> {
    let flow = Flow::new(&configs.0, Seed(5)).unwrap();
    train_source(source, flow, &configs.1, None, false, &Silent)
}

fn bytes(trained: &Trained<Flow<f32>>) -> (Vec<u32>, Vec<HistoryRow>) {
    (trained.model.parameters().iter().map(|p| p.to_bits()).collect(), trained.history.clone())
}

/// Three pairs with correlation 0.9 carry −½·3·log(1 − 0.81) = 2.49 nats more than independent normals
/// (−8.51).
#[test]
fn likelihood_beats_independent_normals_on_correlated_columns() {
    let trained = train(&table(), &configs()).unwrap();
    let first = trained.history[0].validation_log_prob;
    let best = trained.history[trained.best_epoch as usize].validation_log_prob;
    assert!((-8.9..-8.2).contains(&first), "starts at independent normals: {first}");
    assert!(best > first + 1.5, "{first} → {best}");
    // The returned flow is the one whose value was recorded.
    let x = table().validation.mapv(|v| v as f32);
    let mean = trained.model.log_prob(x.t()).iter().map(|l| f64::from(*l)).sum::<f64>() / 300.0;
    assert!((mean - best).abs() < 1e-6, "{mean} {best}");
}

#[test]
fn one_and_two_threads_give_the_same_bytes() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| bytes(&train(&table(), &configs()).unwrap()))
    };
    assert_eq!(run(1), run(2));
}

/// Interrupts a run after a number of batches, and keeps the notes of the run.
struct Stopper {
    left: AtomicUsize,
    notes: Mutex<Vec<String>>,
}

impl Stopper {
    fn after(batches: usize) -> Self {
        Self { left: AtomicUsize::new(batches), notes: Mutex::default() }
    }
}

impl Progress for Stopper {
    fn interrupted(&self) -> bool {
        self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_err()
    }
    fn note(&self, text: &str) {
        self.notes.lock().unwrap().push(text.into());
    }
}

#[test]
fn resumed_run_ends_in_the_same_bytes() {
    let (source, configs) = (table(), configs());
    let whole = bytes(&train(&source, &configs).unwrap());
    let tmp = tempfile::tempdir().unwrap();
    let dir = checkpoint_dir(&tmp.path().join("model"));
    let run = |resume: bool, progress: &dyn Progress| {
        let flow = Flow::new(&configs.0, Seed(5)).unwrap();
        train_source(&source, flow, &configs.1, Some(&dir), resume, progress)
    };
    // An epoch has six batches, so these runs stop in the middle of epochs 1, 3 and 8.
    for (resume, batches, epoch) in [(false, 2, 0), (true, 15, 2), (true, 33, 7)] {
        match run(resume, &Stopper::after(batches)) {
            Err(TrainError::Interrupted { epoch: e, checkpoint: Some(_) }) => assert_eq!(e, epoch),
            other => panic!("not interrupted: {:?}", other.map(|t| t.stop)),
        }
    }
    assert_eq!(bytes(&run(true, &Silent).unwrap()), whole);
}

/// Is told to stop while the last step is under way, after which no step asks any more.
#[derive(Default)]
struct AtTheEnd(AtomicUsize);

impl Progress for AtTheEnd {
    fn end(&self) {
        self.0.store(1, Ordering::SeqCst);
    }
    fn interrupted(&self) -> bool {
        self.0.load(Ordering::SeqCst) > 0
    }
}

#[test]
fn an_interrupt_behind_the_last_step_is_heard_and_loses_nothing() {
    let (source, configs) = (table(), configs());
    let whole = train(&source, &configs).unwrap();
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path().join("c");
    let run = |resume: bool, progress: &dyn Progress| {
        let flow = Flow::new(&configs.0, Seed(5)).unwrap();
        train_source(&source, flow, &configs.1, Some(&dir), resume, progress)
    };
    match run(false, &AtTheEnd::default()) {
        Err(TrainError::Interrupted { epoch, checkpoint: Some(_) }) => assert_eq!(epoch, whole.epochs),
        other => panic!("not interrupted: {:?}", other.map(|t| t.stop)),
    }
    // The checkpoint holds the whole run: resumed, it takes no further step.
    assert_eq!(bytes(&run(true, &Stopper::after(1)).unwrap()), bytes(&whole));
}

/// Imitates a killed process: only the last regular checkpoint is left.
#[test]
fn run_continued_from_an_older_checkpoint_ends_in_the_same_bytes() {
    let (source, configs) = (table(), configs());
    let whole = bytes(&train(&source, &configs).unwrap());
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path().join("c");
    let run = |resume: bool, dir: &Path, progress: &dyn Progress| {
        let flow = Flow::new(&configs.0, Seed(5)).unwrap();
        train_source(&source, flow, &configs.1, Some(dir), resume, progress)
    };
    // The run was killed before anything was written. It starts again, and says so.
    let watcher = Stopper::after(usize::MAX);
    assert_eq!(bytes(&run(true, &dir, &watcher).unwrap()), whole);
    assert_eq!(watcher.notes.lock().unwrap().len(), 1);
    // The finished run left the checkpoint of its last regular epoch, which is epoch 12 or the one before.
    assert_eq!(bytes(&run(true, &dir, &Silent).unwrap()), whole);
    // A run with other settings refuses the checkpoint.
    let mut other = configs.clone();
    other.1.learning_rate = 1e-3;
    let flow = Flow::new(&other.0, Seed(5)).unwrap();
    let e = train_source(&source, flow, &other.1, Some(&dir), true, &Silent).unwrap_err();
    assert!(e.to_string().contains("`train.learning_rate` was 0.005, is 0.001"), "{e}");
}

/// A table that returns numbers which f32 cannot square, a few times or always, in the draws after that of
/// the first epoch.
struct Poisoned {
    table: Table,
    times: AtomicUsize,
}

impl Source for Poisoned {
    fn n_coordinates(&self) -> usize {
        self.table.n_coordinates()
    }
    fn n_train(&self) -> usize {
        self.table.n_train()
    }
    fn n_validation(&self) -> usize {
        self.table.n_validation()
    }
    fn train(&self, rows: &[usize], seed: Seed, draw: u64) -> Draw {
        let mut d = self.table.train(rows, seed, draw);
        let poison = |n: usize| n.checked_sub(1);
        if draw > 1 && self.times.fetch_update(Ordering::SeqCst, Ordering::SeqCst, poison).is_ok() {
            d.values[[7, 2]] = 1e30;
        }
        d
    }
    fn validation(&self, seed: Seed, draw: u64) -> Draw {
        self.table.validation(seed, draw)
    }
    fn fingerprint(&self) -> String {
        self.table.fingerprint()
    }
}

#[test]
fn a_step_that_is_not_finite_is_rolled_back_and_repeated_at_half_the_rate() {
    let poisoned = Poisoned { table: table(), times: AtomicUsize::new(1) };
    let trained = train(&poisoned, &configs()).unwrap();
    let undisturbed = train(&table(), &configs()).unwrap();
    assert_eq!(trained.history.len(), undisturbed.history.len());
    assert_eq!(trained.history[1], undisturbed.history[1]);
    for (a, b) in trained.history.iter().zip(&undisturbed.history).skip(2) {
        assert_eq!((a.rollbacks, a.learning_rate), (1, 0.5 * b.learning_rate));
        assert!(a.validation_log_prob.is_finite());
    }
}

#[test]
fn a_run_that_stays_not_finite_is_given_up_with_a_hint() {
    let poisoned = Poisoned { table: table(), times: AtomicUsize::new(usize::MAX) };
    let e = train(&poisoned, &configs()).unwrap_err();
    assert!(matches!(e, TrainError::Diverged { epoch: 2, rollbacks: 8, .. }), "{e}");
    assert!(e.hint().is_some());
}

#[test]
fn unusable_tables_are_clear_errors() {
    let configs = configs();
    let mut source = table();
    source.train[[3, 1]] = f64::NAN;
    let e = train(&source, &configs).unwrap_err();
    assert_eq!(e.to_string(), "train record 3 (from 0), coordinate 1 (from 0): not a finite number");
    let one = Table { train: correlated(1, 6, 1), validation: correlated(3, 6, 2) };
    assert!(matches!(
        train(&one, &configs),
        Err(TrainError::TooFewRows { split: "train", rows: 1, needed: 2 })
    ));
    let blind = Table { train: correlated(9, 6, 1), validation: correlated(0, 6, 2) };
    assert!(matches!(train(&blind, &configs), Err(TrainError::TooFewRows { split: "validation", .. })));
}

#[test]
fn fewer_records_than_coordinates_and_constant_columns_give_a_sound_model() {
    let wide = Table { train: correlated(4, 20, 1), validation: correlated(3, 20, 2) };
    let (flow, mut config) = preset(FlowKind::Butterfly, Preset::Auto, 4, 20);
    config.max_epochs = 5;
    let trained = train(&wide, &(flow, config)).unwrap();
    assert!(trained.history.iter().all(|r| r.validation_log_prob.is_finite()));
    let constant = Array2::<f64>::zeros((900, 1));
    let source = table();
    let source = Table {
        train: concatenate![Axis(1), source.train, constant],
        validation: concatenate![Axis(1), source.validation, constant.slice_axis(Axis(0), (0..300).into())],
    };
    let (mut flow, config) = configs();
    flow.n_features = 7;
    let trained = train(&source, &(flow, config)).unwrap();
    assert!(trained.model.parameters().iter().all(|p| p.is_finite()));
}

#[test]
fn time_budget_ends_a_run_in_time() {
    let mut configs = configs();
    configs.1.max_epochs = 1_000_000;
    configs.1.patience = 1_000_000;
    configs.1.time_budget_seconds = Some(0.5);
    let trained = train(&table(), &configs).unwrap();
    assert_eq!(trained.stop, Stop::TimeBudget);
    assert!(trained.seconds < 5.0, "{}", trained.seconds);
    // The schedule followed the clock down to its floor.
    assert!(trained.history.last().unwrap().learning_rate < 0.2 * configs.1.learning_rate);
}
