//! This cohort against an older one: feature by feature, and all at once by the likelihood under its models.

use std::collections::BTreeMap;

use super::cells::{Cells, of_numbers, p_of_numbers};
use super::context::{Context, NOT_MET};
use super::joint::{Older, joint};
use crate::features::Encoder;
use crate::num::moments::mean;
use crate::partial::PartialError;
use crate::report::Privacy;
use crate::report::data::{Drift, FeatureDrift, JointDrift};
use crate::report::format;
use crate::report::homogeneity::{chance, holm, homogeneity};
use crate::report::measure::{
    Z95, ks_distance, stability_index, standardised_difference, standardised_error,
};

/// Probability of any false alarm among all features, in values or missingness, when nothing changed.
const LEVEL: f64 = 0.05;
/// Cells of the stability index up to which rare ones stay by themselves.
const LEVELS: usize = 20;
/// Levels of one cohort alone that are named.
const NAMED: usize = 5;

/// Holds the cohort of the context against an older one.
///
/// # Errors
/// A model that has no likelihood of the features that both cohorts have.
pub(super) fn drift(
    context: &Context<'_>,
    older: &Older,
    subjects: Option<usize>,
) -> Result<Drift, PartialError> {
    // Thousands of samples of a curve say nothing one by one.
    let windows = !context.bundle.manifest.shape.has_separate_features();
    let independent = [
        independent(older.subjects, older.bundle.raw.nrows()),
        independent(subjects, context.bundle.raw.nrows()),
    ];
    let (new, old) = (&context.bundle.manifest.encoder, &older.bundle.manifest.encoder);
    let position = |encoder: &Encoder, name: &str| encoder.columns.iter().position(|c| c.meta.name == name);
    let label = |encoder: &Encoder, j: usize| {
        let meta = &encoder.columns[j].meta;
        if meta.label.is_empty() { meta.name.clone() } else { meta.label.clone() }
    };
    let labels = context.labels();
    let mut features: Vec<FeatureDrift> = (0..if windows { 0 } else { new.n_features() })
        .filter_map(|j| {
            let k = position(old, &new.columns[j].meta.name)?;
            Some(feature(context, older, independent, labels[j].clone(), j, k))
        })
        .collect();
    judge(&mut features);
    // They are sorted by what was measured relative to chance, which is on one scale for all kinds; what
    // cannot be compared comes last.
    let key = |f: &FeatureDrift| {
        let values =
            f.psi.zip(f.psi_chance).map_or(-1.0, |(psi, chance)| if psi > 0.0 { psi / chance } else { 0.0 });
        let missing = f.missing_difference.zip(f.missing_error);
        let missing = missing.map_or(-1.0, |(d, e)| if d == 0.0 { 0.0 } else { (d / (Z95 * e)).powi(2) });
        (f.beyond_chance, values.max(missing))
    };
    features.sort_by(|a, b| {
        let ((a_beyond, a), (b_beyond, b)) = (key(a), key(b));
        b_beyond.cmp(&a_beyond).then(b.total_cmp(&a))
    });
    let missing_from = |of: &Encoder, other: &Encoder| -> Vec<String> {
        let absent = (0..of.n_features()).filter(|&j| position(other, &of.columns[j].meta.name).is_none());
        // Windows are named by their channels.
        let mut names: Vec<String> =
            absent.map(|j| if windows { of.columns[j].meta.group.clone() } else { label(of, j) }).collect();
        names.dedup();
        if windows {
            names.sort_unstable();
            names.dedup();
        }
        names
    };
    let joint: Vec<Option<JointDrift>> =
        older.models.iter().map(|model| joint(context, older, model)).collect::<Result<_, _>>()?;
    Ok(Drift {
        old: older.name.clone(),
        n_old: context.privacy.count(older.bundle.raw.nrows() as u64),
        n_new: context.privacy.count(context.bundle.raw.nrows() as u64),
        same: older.bundle.fingerprint() == context.bundle.fingerprint(),
        repeated: independent.iter().any(|share| *share < 1.0),
        n_beyond_chance: features.iter().filter(|f| f.beyond_chance).count(),
        n_compared: features.iter().filter(|f| f.psi.is_some()).count(),
        only_old: missing_from(old, new),
        only_new: missing_from(new, old),
        joint: joint.into_iter().flatten().collect(),
        features,
    })
}

/// Share of the records that count as independent ones: records of one patient may be alike to any degree,
/// and are judged as if each patient had one, which never gives too many alarms.
fn independent(subjects: Option<usize>, records: usize) -> f64 {
    subjects.map_or(1.0, |n| (n as f64 / records.max(1) as f64).min(1.0))
}

/// A feature in both cohorts, with the probabilities by which it is judged; the family decides what is beyond
/// chance.
fn feature(
    context: &Context<'_>,
    older: &Older,
    independent: [f64; 2],
    label: String,
    j: usize,
    k: usize,
) -> FeatureDrift {
    let privacy = context.privacy;
    let (new, old) = (&context.bundle.manifest.encoder.columns[j], &older.bundle.manifest.encoder.columns[k]);
    let (a, b) = (Context::sorted(&older.bundle.raw, k), Context::sorted(&context.bundle.raw, j));
    let (n, m) = (older.bundle.raw.nrows(), context.bundle.raw.nrows());
    let categorical = !new.levels.is_empty() || !old.levels.is_empty();
    let told = privacy.allows(a.len() as u64) && privacy.allows(b.len() as u64);
    let number = |v: Option<f64>| v.filter(|v| told && v.is_finite());
    let mut notes = Vec::new();
    if new.meta.unit != old.meta.unit {
        let unit = if old.meta.unit.is_empty() { "none" } else { &old.meta.unit };
        notes.push(format!("unit was {unit}"));
    }
    if new.levels.is_empty() != old.levels.is_empty() {
        let was = if old.levels.is_empty() { "numbers" } else { "categories" };
        notes.push(format!("held {was} in the older cohort"));
    }
    let counts = if categorical {
        let levels = by_level(context, older, j, k, &a, &b);
        notes.extend(told.then(|| new_and_gone(privacy, &levels)).flatten());
        let mut cells = Cells::default();
        for (old, new) in levels.into_values() {
            cells.old.push(old);
            cells.new.push(new);
        }
        cells
    } else {
        of_numbers(&a, &b)
    };
    let cells = if counts.old.len() > LEVELS { counts.joined() } else { counts };
    let p_value = if categorical {
        let judged = cells.thinned(independent).joined();
        homogeneity(&judged.old, &judged.new)
    } else {
        p_of_numbers(&a, &b, independent)
    };
    let smd = number(if categorical { None } else { standardised_difference(&b, &a) });
    let psi = number(stability_index(&cells.old, &cells.new));
    let disjoint = told && (0..cells.old.len()).all(|i| cells.old[i] == 0 || cells.new[i] == 0);
    if disjoint {
        let note = "the cohorts have no value in common: without half a record added to each cell the index \
                    would be infinite";
        notes.push(note.into());
    }
    let size = |of: &[f64], share: f64| (of.len() as f64 * share).max(1.0);
    let both = size(&a, independent[0]).recip() + size(&b, independent[1]).recip();
    // Where nothing can vary, nothing is beyond 0.
    let psi_chance = psi.map(|_| chance(&cells.old, &cells.new).unwrap_or(0.0) * both);
    let (missing_old, missing_new) = (n - a.len(), m - b.len());
    let shares = (missing_old as f64 / n.max(1) as f64, missing_new as f64 / m.max(1) as f64);
    let open = privacy.percent(missing_old as u64, n as u64).exact().is_some()
        && privacy.percent(missing_new as u64, m as u64).exact().is_some();
    let error = (shares.0 * (1.0 - shares.0) / (n as f64 * independent[0]).max(1.0)
        + shares.1 * (1.0 - shares.1) / (m as f64 * independent[1]).max(1.0))
    .sqrt();
    let present = Cells {
        old: vec![missing_old as u64, a.len() as u64],
        new: vec![missing_new as u64, b.len() as u64],
    }
    .thinned(independent);
    FeatureDrift {
        label,
        unit: new.meta.unit.clone(),
        note: notes.join("; "),
        n_old: privacy.part(a.len() as u64, n as u64),
        n_new: privacy.part(b.len() as u64, m as u64),
        mean_old: number((!categorical).then(|| mean(&a))),
        mean_new: number((!categorical).then(|| mean(&b))),
        smd,
        smd_error: smd.and_then(|d| {
            standardised_error(d, size(&a, independent[0]) as usize, size(&b, independent[1]) as usize)
        }),
        ks: number((!categorical).then(|| ks_distance(&a, &b))),
        cells: cells.old.len(),
        psi,
        psi_chance,
        p_value: p_value.filter(|_| told),
        p_adjusted: None,
        values_beyond_chance: false,
        missing_old: privacy.percent(missing_old as u64, n as u64),
        missing_new: privacy.percent(missing_new as u64, m as u64),
        missing_difference: open.then_some(100.0 * (shares.1 - shares.0)),
        missing_error: open.then_some(100.0 * error),
        // Judged where the shares are hidden too: a yes or no tells nobody's number.
        missing_p_value: homogeneity(&present.old, &present.new),
        missing_p_adjusted: None,
        missing_beyond_chance: false,
        beyond_chance: false,
    }
}

/// Decides for all features together what is beyond chance: by Holm's procedure, over the values and the
/// missingness of all.
fn judge(features: &mut [FeatureDrift]) {
    let p: Vec<f64> = features.iter().flat_map(|f| [f.p_value, f.missing_p_value]).flatten().collect();
    let mut adjusted = holm(&p).into_iter();
    for f in features.iter_mut() {
        f.p_adjusted = f.p_value.and_then(|_| adjusted.next());
        f.missing_p_adjusted = f.missing_p_value.and_then(|_| adjusted.next());
        f.values_beyond_chance = f.p_adjusted.is_some_and(|p| p <= LEVEL);
        f.missing_beyond_chance = f.missing_p_adjusted.is_some_and(|p| p <= LEVEL);
        f.beyond_chance = f.values_beyond_chance || f.missing_beyond_chance;
        // A probability would tell how many values are missing where they are few.
        if f.missing_difference.is_none() {
            (f.missing_p_value, f.missing_p_adjusted) = (None, None);
        }
    }
}

/// Counts by level name; a name only one cohort has is a level of both.
fn by_level(
    context: &Context<'_>,
    older: &Older,
    j: usize,
    k: usize,
    old: &[f64],
    new: &[f64],
) -> BTreeMap<String, (u64, u64)> {
    let name = |encoder: &Encoder, column: usize, code: f64| match encoder.level_name(column, code) {
        Some(name) => name.to_owned(),
        None if encoder.columns[column].levels.is_empty() => format!("{code}"),
        None => NOT_MET.to_owned(),
    };
    let mut counts = BTreeMap::<String, (u64, u64)>::new();
    for run in old.chunk_by(|a, b| a == b) {
        counts.entry(name(&older.bundle.manifest.encoder, k, run[0])).or_default().0 += run.len() as u64;
    }
    for run in new.chunk_by(|a, b| a == b) {
        counts.entry(name(&context.bundle.manifest.encoder, j, run[0])).or_default().1 += run.len() as u64;
    }
    counts
}

/// Levels that only one cohort has, the most frequent first; those of few records are counted.
fn new_and_gone(privacy: Privacy, levels: &BTreeMap<String, (u64, u64)>) -> Option<String> {
    let said = |what: &str, only: Vec<(&String, u64)>| -> Option<String> {
        let n = only.len();
        let mut only = only;
        only.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        let named: Vec<String> = only
            .iter()
            .filter(|(_, n)| privacy.allows(*n))
            .take(NAMED)
            .map(|(name, n)| format!("{} ({})", format::shorten(name, 40), format::count(*n as f64)))
            .collect();
        let others = match (n - named.len(), named.is_empty()) {
            (0, _) => String::new(),
            (k, true) => format!("{k} of few records"),
            (k, false) => format!(" and {k} more"),
        };
        (n > 0).then(|| format!("{what}: {}{others}", named.join(", ")))
    };
    let only = |first: bool| {
        let of = levels.iter().filter(move |(_, (a, b))| if first { *b == 0 } else { *a == 0 });
        of.map(|(name, (a, b))| (name, a + b)).collect::<Vec<_>>()
    };
    let both: Vec<String> =
        [said("new levels", only(false)), said("levels gone", only(true))].into_iter().flatten().collect();
    (!both.is_empty()).then(|| both.join("; "))
}
