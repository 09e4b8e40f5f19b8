//! Which parameters of a flow have weight decay, and at which rate each learns.

use super::adam::Group;
use super::config::TrainConfig;
use crate::flow::Flow;

/// Returns the weight decay and the learning-rate factor of each parameter tensor.
pub(super) fn groups(flow: &Flow<f32>, config: &TrainConfig) -> Vec<Group> {
    let views = flow.parameter_views().iter();
    let group = views.map(|view| Group {
        range: view.range.clone(),
        weight_decay: if view.weight_decay { config.weight_decay as f32 } else { 0.0 },
        rate: if view.name.contains(".linear.") {
            config.linear_rate as f32
        } else if view.name.starts_with("base.") {
            config.base_rate as f32
        } else {
            1.0
        },
    });
    group.collect()
}
