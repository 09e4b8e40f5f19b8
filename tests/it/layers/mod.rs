//! Layers point one way: a module of `src/` uses modules of lower layers only, and no files need each other.

mod graph;

use std::fs;
use std::path::Path;

use graph::{Need, Tree};

/// Layer of each top-level module. Modules of one layer are siblings and do not know each other.
const LAYERS: &[(&str, u32)] = &[
    ("num", 0),
    ("error", 0),
    ("message", 0),
    ("random", 0),
    ("density", 1),
    ("plain_file", 1),
    ("onnx", 1),
    ("output", 1),
    ("schema", 2),
    ("ingest", 3),
    ("flow", 3),
    ("features", 4),
    ("synth", 4),
    ("picture", 5),
    ("waveform", 5),
    ("evaluate", 5),
    ("baseline", 6),
    ("train", 6),
    ("window", 7),
    ("grid", 7),
    ("artifact", 8),
    ("outlier", 9),
    ("partial", 9),
    ("report", 10),
    ("pipeline", 11),
    ("cli", 12),
    ("guide", 12),
    ("prelude", 12),
];

/// Modules that must not know data frames, files of cohorts or the command line.
const NUMERIC: &[&str] = &["num", "flow", "baseline", "density", "random"];
const NUMERIC_FORBIDDEN: &[&str] = &["polars_core", "polars_io", "csv", "clap"];

fn layer(module: &str) -> u32 {
    LAYERS.iter().find(|(m, _)| *m == module).unwrap_or_else(|| panic!("module `{module}` has no layer")).1
}

/// The top-level module that a file belongs to.
fn module(file: &Path) -> String {
    let first = file.components().next().unwrap().as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_string()
}

/// Needs that point to the same layer or a higher one.
fn against_the_order(needs: &[Need]) -> Vec<String> {
    let wrong = needs.iter().filter(|need| {
        let (from, to) = (module(&need.from), module(&need.to));
        from != "lib" && from != to && layer(&to) >= layer(&from)
    });
    wrong.map(|need| format!("{}:{} needs {}", need.from.display(), need.line, need.to.display())).collect()
}

#[test]
fn modules_use_lower_layers_only_and_no_two_files_need_each_other() {
    let tree = Tree::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let wrong = against_the_order(&tree.needs());
    assert!(wrong.is_empty(), "layers broken:\n{}", wrong.join("\n"));
    let circles = tree.circles();
    assert!(circles.is_empty(), "files that need each other: {circles:#?}");
}

#[test]
fn crates_stay_in_their_rooms() {
    let tree = Tree::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let mut wrong = Vec::new();
    for (file, line, name) in tree.foreign() {
        let module = module(&file);
        let of_frames = name.starts_with("polars");
        if of_frames && module != "ingest"
            || NUMERIC.contains(&module.as_str()) && NUMERIC_FORBIDDEN.contains(&name.as_str())
        {
            wrong.push(format!("{}:{line} uses {name}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "crates outside their rooms:\n{}", wrong.join("\n"));
}

/// A tree of two modules, `num` below and `schema` above, with a text planted into a file.
fn planted(file: &str, text: &str) -> Tree {
    let dir = tempfile::tempdir().unwrap();
    let files = [
        ("lib.rs", "pub mod num; pub mod schema;"),
        ("num/mod.rs", "mod inner; pub mod other; pub fn low() {}"),
        ("num/inner.rs", "pub struct Inner;"),
        ("num/other.rs", "pub struct Other;"),
        ("schema/mod.rs", "mod model; pub use model::Model; pub struct Own;"),
        ("schema/model.rs", "pub struct Model; pub fn made() {}"),
    ];
    for (name, content) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, if name == file { format!("{content}\n{text}") } else { content.into() }).unwrap();
    }
    Tree::read(dir.path())
}

#[test]
fn every_form_of_a_path_that_breaks_the_order_is_seen() {
    for text in [
        "use crate::schema::Model;",
        "use crate::{num::low, schema::{Model as M}};",
        "use crate::schema::*;",
        "use super::super::schema::Model;",
        "use super::{super::schema, other::Other};",
        "fn f() { crate::schema::model::made(); }",
        "fn f() { let _: Option<crate::schema::Model> = None; }",
        "impl From<crate::schema::Model> for Inner { fn from(_: crate::schema::Model) -> Self { Self } }",
        "use crate as root; fn f() { root::schema::model::made(); }",
        "fn f() { assert!(matches!(crate::schema::model::made(), ())); }",
        "mod deep { use super::super::super::schema::Model; }",
        "fn f() { use crate::schema; schema::model::made(); }",
        "#[derive(crate::schema::Derive)] struct S;",
    ] {
        let tree = planted("num/inner.rs", text);
        assert!(!against_the_order(&tree.needs()).is_empty(), "not seen: {text}");
    }
    assert!(against_the_order(&planted("schema/model.rs", "use crate::num::low;").needs()).is_empty());
}

#[test]
fn circles_are_found_and_re_exports_are_none() {
    assert!(planted("num/mod.rs", "").circles().is_empty());
    // A parent may re-export what a child defines, and the child's sibling may use it by that name.
    assert!(planted("num/other.rs", "use super::low; use crate::schema::Model;").circles().is_empty());
    let of_two = planted("num/mod.rs", "use other::Other; fn f() -> inner::Inner { todo!() }");
    assert!(of_two.circles().is_empty(), "a parent may need its children");
    let circle = planted("num/inner.rs", "use super::other::Other; fn f() { super::low(); }").circles();
    assert!(circle.is_empty(), "children may need the parent as long as it does not need them");
    {
        let (file, text) =
            ("schema/model.rs", "use super::Own; impl Own { fn f() -> super::Own { super::Own } }");
        let tree = planted(file, text);
        assert!(tree.circles().is_empty(), "the parent only re-exports");
    }
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in [
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "use crate::b::B; pub struct A;"),
        ("b.rs", "use crate::c; pub struct B;"),
        ("c.rs", "fn f() { crate::a::A; }"),
    ] {
        fs::write(dir.path().join(name), content).unwrap();
    }
    let circles = Tree::read(dir.path()).circles();
    assert_eq!(circles.len(), 1);
    assert_eq!(circles[0].len(), 3);
}
