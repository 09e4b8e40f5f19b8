//! Layers point one way: a module of `src/` uses modules of lower layers only.

use std::fs;
use std::path::{Path, PathBuf};

/// Layer of each top-level module; equal layers are siblings and do not know each other.
const LAYERS: &[(&str, u32)] = &[
    ("num", 0),
    ("error", 0),
    ("density", 1),
    ("random", 0),
    ("output", 1),
    ("schema", 2),
    ("ingest", 3),
    ("synth", 3),
    ("flow", 3),
    ("features", 4),
    ("waveform", 5),
    ("evaluate", 5),
    ("baseline", 6),
    ("train", 6),
    ("window", 7),
    ("artifact", 8),
    ("outlier", 9),
    ("partial", 9),
    ("report", 10),
    ("pipeline", 11),
    ("cli", 12),
];

/// Modules that must not know data frames, files of cohorts or the command line.
const NUMERIC: &[&str] = &["num", "flow", "baseline", "density", "random"];
const NUMERIC_FORBIDDEN: &[&str] =
    &["polars_core::", "polars_io::", "csv::", "clap::", "crate::schema", "crate::ingest", "crate::features"];

fn layer(module: &str) -> u32 {
    LAYERS.iter().find(|(m, _)| *m == module).unwrap_or_else(|| panic!("module `{module}` has no layer")).1
}

fn sources(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

#[test]
fn modules_use_lower_layers_only() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let mut wrong = Vec::new();
    for file in files {
        let relative = file.strip_prefix(&src).unwrap();
        let top = relative.components().next().unwrap().as_os_str().to_str().unwrap();
        let module = top.trim_end_matches(".rs");
        if ["lib", "main", "prelude"].contains(&module) {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap();
            for part in code.split("crate::").skip(1) {
                let target: String = part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if !target.is_empty() && target != module && layer(&target) >= layer(module) {
                    wrong.push(format!("{}:{}: uses crate::{target}", relative.display(), number + 1));
                }
            }
            if NUMERIC.contains(&module) {
                for forbidden in NUMERIC_FORBIDDEN.iter().filter(|f| code.contains(**f)) {
                    wrong.push(format!("{}:{}: mentions {forbidden}", relative.display(), number + 1));
                }
            }
            if module != "ingest" && (code.contains("polars_core::") || code.contains("polars_io::")) {
                wrong.push(format!("{}:{}: polars outside ingest/", relative.display(), number + 1));
            }
            if code.contains("super::super") {
                wrong.push(format!("{}:{}: super::super", relative.display(), number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "layers broken:\n{}", wrong.join("\n"));
}
