//! Levels that are rare in training or were never met.

use super::folder;
use crate::numbers::Csv;
use crate::support::succeed;

#[test]
fn rare_and_unseen_levels_have_their_frequency_with_half_a_count_added() {
    let Some(folder) = folder("34-rare-level") else { return };
    let dir = folder.path();
    succeed(dir, &["ingest", "wide-table", "--input", "table.csv", "--output", "bundle"]);
    succeed(dir, &["fit", "bundle", "--output", "model", "--model", "gmm"]);
    let score = ["score", "model", "--input", "new.csv", "--columns", "organism", "--output", "scores.csv"];
    let said = succeed(dir, &score);
    assert!(said.contains("`organism`") && said.contains("3 cells"), "{said}");
    let new = Csv::read(&dir.join("new.csv"));
    let expected = |level: &str| match level {
        "none" | " none" => Some(-0.36),
        "e.coli" => Some(-1.59),
        "candida" => Some(-5.89),
        "c.auris" | "NEW" | "None" => Some(-7.50),
        _ => None,
    };
    let found = Csv::read(&dir.join("scores.csv")).numbers("log_prob");
    for (level, found) in new.text("organism").iter().zip(&found) {
        assert!(expected(level).is_none_or(|e| (e - found).abs() < 0.5), "{level}: {found}");
    }

    succeed(dir, &["flag", "model", "--input", "new.csv", "--output", "flags.csv", "--alpha", "0.05"]);
    let flags = Csv::read(&dir.join("flags.csv"));
    let rows = new.text("organism").iter().zip(flags.text("flagged")).zip(flags.text("explanation"));
    for ((level, flagged), why) in rows {
        match level.as_str() {
            "c.auris" | "NEW" => assert!(flagged == "true" && why.contains("organism"), "{level}: {why}"),
            "none" | " none" | "e.coli" => assert_eq!(flagged, "false", "{level}: {why}"),
            // It was never missing in training.
            "" => assert!(flagged == "true" && why.contains("organism"), "missing: {why}"),
            _ => {}
        }
    }

    succeed(dir, &["sample", "model", "--n", "20000", "--output", "drawn.csv"]);
    let drawn = Csv::read(&dir.join("drawn.csv"));
    let share = |level: &str| drawn.text("organism").iter().filter(|l| *l == level).count() as f64 / 20_000.0;
    for (level, n) in [("none", 631.0), ("e.coli", 183.0), ("s.aureus", 84.0), ("candida", 2.0)] {
        assert!((share(level) - n / 900.0).abs() < 0.025, "{level}: {}", share(level));
    }
    let known = ["none", "e.coli", "s.aureus", "candida"].map(share).iter().sum::<f64>();
    assert!((known - 1.0).abs() < 1e-9, "levels that training never had were drawn");
}
