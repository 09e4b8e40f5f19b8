//! The families of models, one file each. To add one, write its file, declare it, and name its definition in
//! the list below; the command line, the model folder and the report know it from there.

mod armix;
mod causal;
mod classical;
mod ensemble;
mod flow;
mod gmm;
mod join;
mod multi_scale;
mod patches;
mod pictures;
mod tmix;
mod trained_flow;
mod units;
mod var;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use armix::{ArmixDetails, ArmixEstimator};
pub use causal::CausalFlow;
pub use ensemble::{EnsembleConfig, FlowEnsemble};
pub use gmm::{MixtureDetails, MixtureEstimator};
pub use patches::PatchFlow;
pub use tmix::TMixture;
pub use trained_flow::{FlowDetails, TrainedFlow};
pub use var::Autoregression;

use super::estimator::{Definition, DensityEstimator, FitError, Options, Run};
use crate::features::Shape;

/// The options of `fit` that some families do not understand.
const EVERY_OPTION: &[&str] = &["--resume", "--ensemble", "--epochs", "--time-budget", "--set"];

/// The enum of families from the list of their definitions, in the order of `--help`.
macro_rules! families {
    ($($family:ident => $definition:path,)*) => {
        /// Family of a model.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Family {
            $(#[doc = concat!("The family that `", stringify!($definition), "` defines.")] $family,)*
        }

        impl Family {
            /// All families.
            pub const ALL: &[Self] = &[$(Self::$family,)*];

            /// What the family says about itself, and how it is fitted and read.
            pub const fn definition(self) -> &'static Definition {
                match self {
                    $(Self::$family => &$definition,)*
                }
            }
        }
    };
}

families! {
    Butterfly => flow::BUTTERFLY,
    GlowLu => flow::GLOW_LU,
    RealNvp => flow::REALNVP,
    Gmm => gmm::GMM,
    Tmix => tmix::TMIX,
    Armix => armix::ARMIX,
    Var => var::VAR,
    Causal => causal::CAUSAL,
}

impl Family {
    /// The family that serves records of a shape best: the causal flow for windows and pictures, which
    /// networks over all their coordinates at once cannot learn from as few, and butterflies for tables.
    pub fn best_for(shape: &Shape) -> Self {
        match shape {
            Shape::Table => Self::Butterfly,
            Shape::Windows { .. } | Shape::Grid { .. } => Self::Causal,
        }
    }

    /// Name in files and on the command line.
    pub const fn name(self) -> &'static str {
        self.definition().name
    }

    /// The estimator of this family for records of a shape, its options checked.
    ///
    /// # Errors
    /// [`FitError::Usage`] and [`FitError::Settings`] for options that the family does not have.
    pub fn estimator(
        self,
        shape: &Shape,
        options: &Options,
        run: &Run<'_>,
    ) -> Result<DensityEstimator, FitError> {
        let given = [
            run.resume,
            options.ensemble.is_some(),
            options.epochs.is_some(),
            run.time_budget.is_some(),
            !options.settings.is_empty(),
        ];
        let given = EVERY_OPTION.iter().zip(given).filter_map(|(option, given)| given.then_some(option));
        if let Some(option) = given.into_iter().find(|option| !self.definition().options.contains(option)) {
            return Err(FitError::usage(
                format!("{option} does not apply to `--model {self}`"),
                "leave it out; the family chooses its settings by itself",
            ));
        }
        (self.definition().estimator)(shape, options)
    }
}

impl Default for Family {
    fn default() -> Self {
        Self::best_for(&Shape::Table)
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Family {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL.iter().copied().find(|f| f.name() == s).ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(|f| f.name()).collect();
            format!("unknown model `{s}`, expected one of {}", known.join(", "))
        })
    }
}

impl Serialize for Family {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Family {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
