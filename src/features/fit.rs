//! Fitting an encoder on the rows of the training split.

use std::collections::HashMap;

use rayon::prelude::*;

use crate::ingest::{Cells, Column, RecordTable};
use crate::num::moments::Moments;
use crate::num::quantile::quantile_sorted;
use crate::schema::{Kind, Pipeline, Split, TransformKind};

use super::noise::{self, Tally};
use super::rare::Named;
use super::warning::FeatureWarning;
use super::{
    Absence, ColumnMeta, Encoder, FeatureError, FittedColumn, Indicator, Levels, Noise, QUANTILE_LEVELS,
    Rare, Support, Transform,
};

/// Rows of a column that are looked at together.
const BLOCK: usize = 1 << 14;
/// Counts and ordinals with at most so many training values are discrete; with more they are rounded numbers.
const MAX_LEVELS: usize = 20;
/// A text column with more levels than this is hardly a category.
const MANY_LEVELS: usize = 50;
/// Features missing in fewer training rows than this share, or observed in fewer, get no indicator.
const INDICATOR_SHARE: f64 = 0.01;
/// A column that is passed through untouched is moved to its middle where that is so many standard
/// deviations, and so much, away from zero: single precision keeps seven digits, of which the spread should
/// have four.
const FAR_FROM_ZERO: f64 = 1e3;
/// Coordinates of training values beyond this overflow when single precision squares them.
const LARGEST_COORDINATE: f64 = 1e15;
/// A spread below this is lost among the constants of a network in single precision.
const SMALLEST_SPREAD: f64 = 1e-15;

impl Encoder {
    /// Fits on the training rows of `table`; other rows are not looked at.
    ///
    /// # Errors
    /// [`FeatureError::NoFeatures`] when every column is left out; columns of wrong length or with
    /// infinities.
    ///
    /// # Panics
    /// Where `splits` has not one entry per record.
    pub fn fit(
        table: &RecordTable,
        splits: &[Split],
        pipeline: &Pipeline,
    ) -> Result<(Self, Vec<FeatureWarning>), FeatureError> {
        assert_eq!(splits.len(), table.n_records(), "one split per record");
        let n_train = splits.iter().filter(|split| **split == Split::Train).count();
        let fitted: Vec<Result<Outcome, FeatureError>> =
            table.columns.par_iter().map(|column| fit_column(column, table, splits, pipeline)).collect();
        let (mut columns, mut missing, mut warnings) = (Vec::new(), Vec::new(), Vec::new());
        for outcome in fitted {
            let outcome = outcome?;
            warnings.extend(outcome.warnings);
            if let Some((column, pattern)) = outcome.fitted {
                columns.push(column);
                missing.push(pattern);
            }
        }
        if columns.is_empty() {
            // Those that ingestion gave another role come first, then those without enough values.
            let others =
                table.audit.columns.iter().filter(|c| !table.columns.iter().any(|f| f.name == c.column));
            let mut left_out: Vec<String> =
                others.map(|c| format!("`{}` ({}): {}", c.column, c.role, c.why)).collect();
            left_out.extend(warnings.iter().map(ToString::to_string));
            return Err(FeatureError::NoFeatures { left_out });
        }
        let (indicators, absences) = fit_indicators(&mut columns, &missing, n_train);
        Ok((Self { columns, indicators, absences }, warnings))
    }
}

struct Outcome {
    /// The column and which training rows lack it; `None` when it is left out.
    fitted: Option<(FittedColumn, Pattern)>,
    warnings: Vec<FeatureWarning>,
}

/// Which training rows lack a value, as bits.
type Pattern = Vec<u64>;

fn fit_column(
    column: &Column,
    table: &RecordTable,
    splits: &[Split],
    pipeline: &Pipeline,
) -> Result<Outcome, FeatureError> {
    let name = || column.name.clone();
    let n_train = splits.iter().filter(|split| **split == Split::Train).count();
    let (n, found) = (splits.len(), column.cells.len());
    if found != n {
        return Err(FeatureError::ColumnLength { column: name(), found, expected: n });
    }
    let least = pipeline.min_level_patients as usize;
    let named = match &column.cells {
        Cells::Text(texts) => Some(Named::of(texts, table, splits, least)),
        Cells::Number(_) => None,
    };
    let mut warnings = Vec::new();
    if let Some(Named { names, rare, rare_records }) = &named
        && *rare > 0
    {
        let (levels, records, none) = (*rare, *rare_records, names.is_empty());
        warnings.push(FeatureWarning::RareLevels { column: name(), levels, records, least, none });
        if none {
            return Ok(Outcome { fitted: None, warnings });
        }
    }
    let is_text = named.is_some();
    let (levels, rare_levels) = named.map_or((Vec::new(), 0), |named| (named.names, named.rare));
    let mut fitted = FittedColumn {
        meta: ColumnMeta {
            name: name(),
            label: column.label.clone(),
            group: column.group.clone(),
            unit: column.unit.clone(),
            kind: column.kind,
            range: column.range,
            spelling: column.spelling.clone(),
        },
        noise: Noise::None,
        transform: Transform::IDENTITY,
        support: Support::default(),
        levels,
        rare_levels,
        quantiles: Vec::new(),
        mean: 0.0,
        sd: 0.0,
        min: 0.0,
        max: 0.0,
        n_observed: 0,
        n_distinct: 0,
        missing_fraction: 1.0,
        indicator: None,
        context: false,
    };
    if is_text && fitted.levels.is_empty() {
        return Ok(Outcome { fitted: None, warnings: vec![FeatureWarning::Empty { column: name() }] });
    }
    let numbers = fitted.numbers(&column.cells)?;
    let mut pattern: Pattern = vec![0; n_train.div_ceil(64)];
    let (mut sorted, mut row) = (Vec::new(), 0);
    let mut some = vec![0.0; BLOCK.min(n)];
    for (block, splits) in splits.chunks(BLOCK).enumerate() {
        let some = &mut some[..splits.len()];
        numbers.read(block * BLOCK, some);
        for (x, _) in some.iter().zip(splits).filter(|(_, split)| **split == Split::Train) {
            if x.is_nan() {
                pattern[row / 64] |= 1 << (row % 64);
            } else {
                // −0 and 0 are one value, and must be one tally.
                sorted.push(x + 0.0);
            }
            row += 1;
        }
    }
    sorted.sort_unstable_by(f64::total_cmp);
    if sorted.is_empty() {
        return Ok(Outcome { fitted: None, warnings: vec![FeatureWarning::Empty { column: name() }] });
    }
    if (sorted.len() as f64) < pipeline.min_observed * n_train as f64 {
        let warning = FeatureWarning::Rare { column: name(), observed: sorted.len(), rows: n_train };
        return Ok(Outcome { fitted: None, warnings: vec![warning] });
    }
    if !(sorted[sorted.len() - 1] - sorted[0]).is_finite() {
        return Ok(Outcome { fitted: None, warnings: vec![FeatureWarning::Overflow { column: name() }] });
    }
    let tally = noise::tally(&sorted);
    fitted.describe(&sorted, tally.len(), n_train, is_text);
    let others = sorted.iter().filter(|x| **x != 0.0 && **x != 1.0).count();
    if column.kind == Kind::Binary && !is_text && others > 0 {
        warnings.push(FeatureWarning::NotBinary { column: name(), others });
    }
    if tally.len() == 1 {
        warnings.push(FeatureWarning::Constant { column: name() });
    }
    if is_text && tally.len() > MANY_LEVELS {
        warnings.push(FeatureWarning::ManyLevels { column: name(), levels: tally.len() });
    }
    if !is_text {
        fitted.support = Support::fit(&tally, &fitted.meta);
    }
    warnings.extend(fitted.fit_transform(&tally, column.resolution, pipeline));
    if fitted.noise == Noise::None
        && !matches!(fitted.transform, Transform::Levels(_))
        && has_point_mass(&tally, sorted.len())
    {
        warnings.push(FeatureWarning::Unbounded { column: name() });
    }
    Ok(Outcome { fitted: Some((fitted, pattern)), warnings })
}

fn has_point_mass(tally: &[Tally], n: usize) -> bool {
    tally.iter().any(|t| t.1 > 1 && t.1 as f64 > 0.01 * n as f64)
}

impl FittedColumn {
    fn describe(&mut self, sorted: &[f64], n_distinct: usize, n_rows: usize, is_text: bool) {
        let finite = |x: f64| x.clamp(f64::MIN, f64::MAX);
        let moments: Moments = sorted.iter().copied().collect();
        self.mean = finite(moments.mean());
        self.sd = if sorted.len() > 1 { finite(moments.variance().sqrt()) } else { 0.0 };
        (self.min, self.max) = (sorted[0], sorted[sorted.len() - 1]);
        if !is_text {
            self.quantiles = QUANTILE_LEVELS.iter().map(|&p| quantile_sorted(sorted, p)).collect();
        }
        self.n_observed = sorted.len();
        self.n_distinct = n_distinct;
        self.missing_fraction = 1.0 - sorted.len() as f64 / n_rows as f64;
    }

    /// Text is always discrete. Numbers are passed through by `none`; otherwise few ordered levels become
    /// cells and the rest is rounded or continuous. Without dequantisation numbers get neither cells nor
    /// noise.
    fn fit_transform(
        &mut self,
        tally: &[Tally],
        resolution: Option<f64>,
        pipeline: &Pipeline,
    ) -> Option<FeatureWarning> {
        let (values, counts): (Vec<f64>, Vec<u64>) = tally.iter().copied().unzip();
        if !self.levels.is_empty() {
            self.transform = Transform::Levels(Levels::fit(values, &counts, Rare::Apart));
            return None;
        }
        let discrete = self.meta.kind != Kind::Continuous;
        if discrete
            && tally.len() <= MAX_LEVELS
            && pipeline.dequantize
            && pipeline.transform != TransformKind::None
        {
            // Of two values neither is beyond the other; more have an order.
            let rare = if self.meta.kind == Kind::Binary { Rare::Apart } else { Rare::OthersApart };
            self.transform = Transform::Levels(Levels::fit(values, &counts, rare));
            return None;
        }
        if pipeline.dequantize {
            self.noise = Noise::fit(tally, resolution.filter(|d| *d > 0.0).or(discrete.then_some(1.0)));
        }
        let spread = self.noise.spread(tally);
        self.transform = Transform::fit_with_edges(pipeline.transform, &spread, &self.noise.edges(tally));
        let mut warning = None;
        let unit = if self.sd > 0.0 { self.sd } else { 1.0 };
        if self.transform == Transform::IDENTITY && self.mean.abs() >= FAR_FROM_ZERO * unit {
            // A number with few digits: subtracting it loses none.
            self.transform = Transform::Affine { shift: rounded_to(self.mean, unit), scale: 1.0 };
            warning = Some(FeatureWarning::Shifted { column: self.meta.name.clone() });
        }
        if self.holds(&spread) {
            return warning;
        }
        self.transform = Transform::fit(TransformKind::NormalScore, &spread);
        if !self.holds(&spread) {
            self.transform = Transform::through_ends(&spread);
        }
        (pipeline.transform != TransformKind::NormalScore)
            .then(|| FeatureWarning::Rescaled { column: self.meta.name.clone() })
    }

    /// Whether single precision holds the coordinates of training values: the extremes are not too large, the
    /// middle half not too close together, and derivatives are numbers.
    fn holds(&self, sorted: &[f64]) -> bool {
        let at = |p: f64| self.transform.forward(sorted[(p * (sorted.len() - 1) as f64) as usize]);
        let ends = [at(0.0), at(0.25), at(0.5), at(0.75), at(1.0)];
        let sound = |(v, log): &(f64, f64)| v.abs() <= LARGEST_COORDINATE && log.is_finite();
        let width = ends[4].0 - ends[0].0;
        ends.iter().all(sound) && (width >= SMALLEST_SPREAD || sorted[0] == sorted[sorted.len() - 1])
    }
}

/// `x` rounded to a multiple of a power of ten near `unit`.
fn rounded_to(x: f64, unit: f64) -> f64 {
    let step = 10f64.powi(unit.log10().floor() as i32);
    let rounded = (x / step).round() * step;
    if rounded.is_finite() { rounded } else { x }
}

/// One indicator per distinct pattern of missing training rows; one account of their absence for features
/// that have none.
fn fit_indicators(
    columns: &mut [FittedColumn],
    missing: &[Pattern],
    n_train: usize,
) -> (Vec<Indicator>, Vec<Absence>) {
    let mut by_pattern: HashMap<&[u64], usize> = HashMap::new();
    let mut indicators: Vec<Indicator> = Vec::new();
    let mut rare_patterns: HashMap<&[u64], usize> = HashMap::new();
    let mut absences: Vec<Absence> = Vec::new();
    for (j, pattern) in missing.iter().enumerate() {
        let absent: u64 = pattern.iter().map(|bits| u64::from(bits.count_ones())).sum();
        let share = absent as f64 / n_train as f64;
        if !(INDICATOR_SHARE..=1.0 - INDICATOR_SHARE).contains(&share) {
            // Those never missing have no pattern to share.
            let own = absences.len();
            let at = if absent == 0 { own } else { *rare_patterns.entry(pattern).or_insert(own) };
            if at == own {
                absences.push(Absence { columns: Vec::new(), missing: absent, records: n_train as u64 });
            }
            absences[at].columns.push(j);
            continue;
        }
        let k = *by_pattern.entry(pattern).or_insert_with(|| {
            let counts = [n_train as u64 - absent, absent];
            indicators.push(Indicator {
                columns: Vec::new(),
                levels: Levels::fit(vec![0.0, 1.0], &counts, Rare::InCells),
                records: n_train as u64,
            });
            indicators.len() - 1
        });
        indicators[k].columns.push(j);
        columns[j].indicator = Some(k);
    }
    (indicators, absences)
}
