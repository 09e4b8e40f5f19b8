//! `model.json`: what a model is and how it came about.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::error::FORMAT_VERSION;
use super::estimator::{Account, Training};
use super::family::Family;
use super::metrics::FamilyShare;
use super::terms::Terms;
use crate::evaluate::{DRAWS, Score};
use crate::features::{Bundle, Encoder};
use crate::random::Seed;

/// Everything about a model that is neither a tensor nor a measurement of the clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Version of the folder's format.
    pub format_version: u32,
    /// Program that wrote it.
    pub program_version: String,
    /// Its family, with what only this family has.
    pub family: FamilyPart,
    /// Seed of the fit.
    pub seed: Seed,
    /// SHA-256 of the bundle's manifest and tensors.
    pub bundle_sha256: String,
    /// What its records are; absent in models of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<Terms>,
    /// Names of the coordinates, in order.
    pub coordinates: Vec<String>,
    /// Free parameters.
    pub n_parameters: usize,
    /// Noise draws behind each score.
    pub score_draws: usize,
    /// How calibration and new records are scored for flagging.
    pub score: Score,
    /// Features the density of the others is conditioned on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub condition_on: Vec<String>,
    /// Text column whose levels are calibrated each by themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibrate_by: Option<String>,
    /// Folds of the training and calibration records, for a cross-conformal calibration; absent for that on a
    /// split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration_folds: Option<u32>,
    /// How training went; absent for families that are not trained by epochs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<Training>,
    /// Its members, for an ensemble, which is named after the first; `training` is that of the first as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<MemberHeader>,
}

/// A family, and what only this family has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FamilyPart {
    /// The family.
    pub kind: Family,
    /// Its settings, its architecture, the account of a search: whatever its file says.
    #[serde(flatten)]
    pub details: Map<String, Value>,
}

/// One member of an ensemble.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemberHeader {
    /// Its share of the density.
    pub weight: f64,
    /// Its family, with what only this family has.
    pub family: FamilyPart,
    /// Seed of its fit.
    pub seed: Seed,
    /// How training went; absent for families that are not trained by epochs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<Training>,
}

impl From<Account> for FamilyPart {
    fn from(account: Account) -> Self {
        let kind = account.family.parse();
        let kind = kind.expect("invariant: a family that fits a model stands in the list of families");
        Self { kind, details: account.details }
    }
}

impl Header {
    /// What a model of `bundle` says about itself before it is judged.
    pub(super) fn of(bundle: &Bundle, account: Account, members: Vec<(f64, Account)>) -> Self {
        let member = |(weight, account): (f64, Account)| MemberHeader {
            weight,
            seed: account.seed,
            training: account.training,
            family: account.into(),
        };
        Self {
            format_version: FORMAT_VERSION,
            program_version: env!("CARGO_PKG_VERSION").to_string(),
            seed: account.seed,
            bundle_sha256: bundle.fingerprint(),
            terms: Some(Terms::of(&bundle.manifest)),
            coordinates: bundle.manifest.encoder.coordinate_names(),
            n_parameters: 0,
            score_draws: DRAWS,
            score: Score::default(),
            condition_on: Self::context_of(&bundle.manifest.encoder),
            calibrate_by: None,
            calibration_folds: None,
            training: account.training,
            members: members.into_iter().map(member).collect(),
            family: account.into(),
        }
    }

    /// What each family holds of an ensemble, in the order of its members; nothing of a single density.
    pub fn shares(&self) -> Vec<FamilyShare> {
        let mut shares: Vec<FamilyShare> = Vec::new();
        for member in &self.members {
            let family = member.family.kind;
            match shares.iter_mut().find(|share| share.family == family) {
                Some(share) => {
                    share.members += 1;
                    share.weight += member.weight;
                }
                None => shares.push(FamilyShare { family, members: 1, weight: member.weight }),
            }
        }
        shares
    }

    /// Names of the features that `encoder` gives.
    pub(super) fn context_of(encoder: &Encoder) -> Vec<String> {
        encoder.context().into_iter().map(|j| encoder.columns[j].meta.name.clone()).collect()
    }
}
