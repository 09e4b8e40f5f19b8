//! An output never takes the place of what is read, not even with --force.

use std::fs;

use crate::support::{bundle, fail, listing, succeed};

#[test]
fn an_output_that_is_or_holds_an_input_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    bundle(dir, 300);
    succeed(dir, &["fit", "bundle", "--model", "gmm", "--output", "model"]);
    fs::create_dir(dir.join("in")).unwrap();
    fs::write(dir.join("in/train.csv"), "x,y\n1,2\n3,4\n").unwrap();
    fs::write(dir.join("t.csv"), "x,y\n1,2\n3,4\n").unwrap();
    let before = listing(dir);
    for args in [
        "ingest wide-table --input in --output in",
        "ingest wide-table --input in/train.csv --output ./in",
        "ingest wide-table --input t.csv --output t.csv",
        "fit bundle --model gmm --output bundle",
        "score model --input t.csv --output t.csv",
        "score model bundle --output model",
        "flag model bundle --output bundle/../bundle",
        "flag model bundle --output f.csv --json model",
        "sample model --n 3 --output model",
        "report bundle --model model --output model",
    ] {
        let args: Vec<&str> = args.split(' ').chain(["--force"]).collect();
        fail(dir, &args, &["would replace the input"]);
    }
    assert_eq!(listing(dir), before);
}
