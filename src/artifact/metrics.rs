//! `metrics.json`: held-out likelihood, size and cost. The only file of a model folder that may differ
//! between equal runs.

use std::collections::BTreeMap;
use std::fs;

use serde::{Deserialize, Serialize};

use super::family::Family;
use crate::evaluate::{ScoreNoise, SplitMetrics};
use crate::message::Message;
use crate::schema::Split;

/// Figures of a model, for tables and for other programs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Family.
    pub model: Family,
    /// Columns of a record.
    pub n_features: usize,
    /// Coordinates of a vector: columns and missing indicators.
    pub n_coordinates: usize,
    /// Free parameters.
    pub n_parameters: usize,
    /// Seed of the fit.
    pub seed: u64,
    /// Wall-clock seconds of the fit.
    pub train_seconds: f64,
    /// Epochs run; null for mixtures.
    pub epochs: Option<u32>,
    /// Training rows per second; null for mixtures.
    pub rows_per_second: Option<f64>,
    /// Largest resident memory of the process so far; null where the system does not say.
    pub peak_memory_bytes: Option<u64>,
    /// Training records a trimmed fit left out as the most unusual of a first fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trimmed: Option<usize>,
    /// How much of a record's score is chance, and with how many noise draws.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score_noise: Option<ScoreNoise>,
    /// Of an ensemble, what each family holds of it, in the order of its members.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shares: Vec<FamilyShare>,
    /// What the user should know about the model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<Message>,
    /// Likelihoods by split; splits without records are left out.
    pub splits: BTreeMap<Split, SplitMetrics>,
}

/// What the members of one family hold of an ensemble together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FamilyShare {
    /// The family.
    pub family: Family,
    /// Number of members.
    pub members: usize,
    /// Sum of their weights.
    pub weight: f64,
}

/// Largest resident memory of this process so far, where `/proc` says so.
pub fn peak_memory_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_read_back_and_name_splits_in_order() {
        let mut m = Metrics { train_seconds: 0.1, ..Metrics::default() };
        m.splits.insert(Split::Test, SplitMetrics::default());
        m.splits.insert(Split::Train, SplitMetrics { n: 3, mean_log_prob: -1.0, ..SplitMetrics::default() });
        let json = serde_json::to_string(&m).unwrap();
        assert!(json.contains(r#""splits":{"train":{"n":3,"mean_log_prob":-1.0"#), "{json}");
        assert!(json.find(r#""train":"#).unwrap() < json.find(r#""test":"#).unwrap());
        assert_eq!(serde_json::from_str::<Metrics>(&json).unwrap(), m);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn peak_memory_is_plausible() {
        let peak = peak_memory_bytes().unwrap();
        assert!((1 << 20..1 << 40).contains(&peak), "{peak}");
    }
}
