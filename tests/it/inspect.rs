//! `cohort-flow inspect`, and the permutations a fit may start from.

use serde_json::Value;

use crate::support::{bundle, fail, run, succeed};

#[test]
fn layers_of_a_flow_are_shown_as_text_and_json_and_a_mixture_has_none() {
    let dir = tempfile::tempdir().unwrap();
    bundle(dir.path(), 300);
    let fit = ["fit", "bundle", "--preset", "small", "--epochs", "1", "--threads", "1", "--output"];
    succeed(dir.path(), &[&fit[..], &["flow", "--set", "permutation=data"]].concat());
    let text = String::from_utf8(run(dir.path(), &["inspect", "flow"]).stdout).unwrap();
    for part in ["block.0.linear", "nearest permutation", "condition number", "mixes most", "to place"] {
        assert!(text.contains(part), "{part} is missing:\n{text}");
    }
    let json: Value =
        serde_json::from_slice(&run(dir.path(), &["inspect", "flow", "--json"]).stdout).unwrap();
    let names = json["coordinates"].as_array().unwrap().len();
    let layers = json["layers"].as_array().unwrap();
    assert!(!layers.is_empty());
    for layer in layers {
        assert_eq!(layer["matrix"].as_array().unwrap().len(), names);
        let mut order: Vec<u64> =
            layer["nearest_permutation"].as_array().unwrap().iter().map(|v| v.as_u64().unwrap()).collect();
        order.sort_unstable();
        assert!(order.into_iter().eq(0..names as u64));
        assert!(layer["condition_number"].as_f64().unwrap() >= 1.0 - 1e-9);
        // Hardly trained: still near the permutation it was given.
        assert!(layer["distance"].as_f64().unwrap() < 0.3);
    }
    assert!(layers.iter().any(|l| l["is_identity"] == false));

    succeed(dir.path(), &["fit", "bundle", "--model", "gmm", "--threads", "1", "--output", "gmm"]);
    fail(dir.path(), &["inspect", "gmm"], &["gmm", "hint"]);
    fail(
        dir.path(),
        &[&fit[..], &["lu", "--model", "glow-lu", "--set", "permutation=data"]].concat(),
        &["permutation", "schedule"],
    );
}
