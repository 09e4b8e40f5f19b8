//! What is hardly ever missing is a surprise when it is, and every record pays for exactly what it lacks.

use super::folder;
use crate::numbers::{Csv, mean};
use crate::support::succeed;

#[test]
fn a_rare_absence_costs_the_logarithm_of_its_share() {
    let Some(folder) = folder("36-rare-missing") else { return };
    let dir = folder.path();
    for (table, without, complete) in [("table", -7.37, -4.31), ("two", -6.44, -4.32)] {
        let file = format!("{table}.csv");
        let bundle = format!("{table}-bundle");
        let ingest = ["ingest", "wide-table", "--input", &file, "--output", &bundle];
        succeed(
            dir,
            &[&ingest[..], &["--set", "transform=standardize", "--set", "dequantize=none"]].concat(),
        );
        succeed(dir, &["fit", &bundle, "--output", table, "--model", "gmm"]);
        succeed(dir, &["score", table, &bundle, "--output", "own.csv", "--force"]);
        let (rows, own) = (Csv::read(&dir.join(&file)), Csv::read(&dir.join("own.csv")));
        let (y, found) = (rows.numbers("y"), own.numbers("log_prob"));
        let test = |missing: bool| -> Vec<f64> {
            let of = |i: &usize| own.text("split")[*i] == "test" && y[*i].is_nan() == missing;
            (0..found.len()).filter(of).map(|i| found[i]).collect()
        };
        assert!((mean(&test(true)) - without).abs() < 0.5, "{table}: {}", mean(&test(true)));
        assert!((mean(&test(false)) - complete).abs() < 0.1, "{table}: {}", mean(&test(false)));

        succeed(dir, &["score", table, "--input", "new.csv", "--output", "new-scores.csv", "--force"]);
        let new = Csv::read(&dir.join("new-scores.csv")).numbers("log_prob");
        assert!(new[1] <= new[0] - 2.0, "{new:?}");
        assert!(new[3] <= -15.0 && new[3] == new.iter().copied().fold(f64::INFINITY, f64::min), "{new:?}");
        assert!((new[3] + 23.0).abs() < 2.0, "{new:?}");
        let flag =
            ["flag", table, "--input", "new.csv", "--output", "flags.csv", "--alpha", "0.05", "--force"];
        succeed(dir, &flag);
        assert_eq!(Csv::read(&dir.join("flags.csv")).text("flagged")[3], "true");
    }
}
