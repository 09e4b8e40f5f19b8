//! The page from hand-made data: whole, safe, accessible and reproducible, whatever the features are called.

use cohort_flow::report::{Privacy, ReportData, render, to_json};

use crate::report_fixture::{full, names};

/// In the order of a reader's questions; drift is there when another cohort is.
const SECTIONS: [&str; 15] = [
    "verdict",
    "calibration",
    "marginals",
    "correlations",
    "likelihood",
    "learning",
    "cohort",
    "summary",
    "quality",
    "comparison",
    "cost",
    "learned",
    "outliers",
    "provenance",
    "limits",
];

fn bare(mut data: ReportData) -> ReportData {
    data.comparison = None;
    data.learned.clear();
    data.drift = None;
    data.marginals = None;
    data.correlations = None;
    data.calibration = None;
    data.outliers = None;
    data.learning.clear();
    data.likelihood.clear();
    data.missing.clear();
    data.alerts.clear();
    data.warnings.clear();
    data.cohort.steps.clear();
    data.cohort.tables.clear();
    data.provenance.inputs.clear();
    data.verdict.difference = None;
    data.verdict.standard_error = None;
    for model in &mut data.models {
        model.epochs = None;
        model.train_seconds = None;
        model.rows_per_second = None;
        model.peak_memory_bytes = None;
        for split in &mut model.splits {
            split.importance_weighted = None;
        }
    }
    data
}

/// Every element that opens closes, in order; void elements and SVG shapes excepted.
fn assert_balanced(html: &str) {
    const VOID: [&str; 4] = ["meta", "link", "!DOCTYPE", "br"];
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        let tag = &rest[start + 1..];
        let end = tag.find('>').expect("a tag ends");
        let name =
            tag.trim_start_matches('/').split(|c: char| !c.is_alphanumeric() && c != '!').next().unwrap();
        if tag.starts_with('/') {
            let opened = open.pop();
            assert_eq!(
                opened,
                Some(name),
                "closing </{name}> after {:?}",
                &html[html.len() - rest.len()..][..start.min(80)]
            );
        } else if !VOID.contains(&name) && !tag[..end].ends_with('/') {
            open.push(if tag.starts_with('!') { "!DOCTYPE" } else { name });
            if ["script", "style"].contains(&name) {
                // Raw text: no tags until the closing one.
                let close = rest.find(&format!("</{name}>")).expect("raw text ends");
                rest = &rest[close..];
                continue;
            }
        }
        rest = &tag[end + 1..];
    }
    assert!(open.is_empty(), "never closed: {open:?}");
}

/// What holds for every page.
pub(crate) fn assert_whole(html: &str) {
    assert!(html.starts_with("<!DOCTYPE html>"));
    assert_balanced(html);
    let drift = html.contains("<section id=\"drift\"");
    let at: Vec<usize> =
        SECTIONS.iter().map(|id| html.find(&format!("<section id=\"{id}\"")).unwrap()).collect();
    assert!(at.is_sorted(), "trust, cohort, flow against mixture, odd records");
    for id in SECTIONS {
        assert_eq!(html.matches(&format!("<section id=\"{id}\"")).count(), 1, "section {id}");
        assert!(html.contains(&format!("href=\"#{id}\"")), "menu entry {id}");
    }
    assert_eq!(
        html.matches("<p class=\"lead\">What to see").count(),
        SECTIONS.len() + usize::from(drift),
        "each section says what to see"
    );
    for svg in html.split("<svg").skip(1) {
        let open = svg.split('>').next().unwrap();
        assert!(open.contains("role=\"img\"") && open.contains("aria-labelledby=\"t"), "{open}");
        let names = svg.split_once('>').unwrap().1;
        assert!(names.starts_with("<title id=\"t") && names.contains("</title><desc id=\"d"), "{open}");
    }
    let figures: Vec<&str> = html.split("<figure").skip(1).collect();
    assert_eq!(figures.len(), html.matches("<svg").count());
    for figure in figures {
        let figure = figure.split("</figure>").next().unwrap();
        assert!(
            figure.contains("<details><summary>Data table") && figure.contains("<tbody>\n<tr>"),
            "a table behind each plot"
        );
    }
    assert!(html.contains("Content-Security-Policy\" content=\"default-src 'none'"));
    for outside in ["http://", "https://", "src=", "url(", "@import"] {
        assert!(!html.contains(outside), "the page reaches outside by {outside}");
    }
    let shown = html.split("<script>").next().unwrap();
    assert!(!shown.contains("NaN") && !shown.contains(">inf"), "numbers are numbers");
}

#[test]
fn thirty_features_fit_in_two_megabytes() {
    let html = render(&full(&names(30), Privacy::new(false))).unwrap();
    assert_whole(&html);
    assert!(html.len() <= 2_000_000, "{} bytes", html.len());
}

#[test]
fn equal_data_give_equal_bytes() {
    let page = || render(&full(&names(7), Privacy::new(false))).unwrap();
    assert_eq!(page(), page());
}

#[test]
fn nasty_names_stay_words() {
    let labels = [
        "<script>alert(1)</script>".to_owned(),
        "\"quoted\" & 'single' </svg></title>".into(),
        "معدل ضربات القلب".into(),
        "very long ".repeat(60),
        "{{ 7 * 7 }} {% raw %}".into(),
        "\" fill=\"#010204".into(),
        "line\nbreak\u{0}\u{7}".into(),
        String::new(),
    ];
    let html = render(&full(&labels, Privacy::new(false))).unwrap();
    assert_whole(&html);
    assert!(!html.contains("<script>alert"));
    assert!(html.contains("&lt;script&gt;alert"));
    assert!(html.contains("معدل ضربات القلب"));
    assert!(html.contains("{{ 7 * 7 }}"), "templates are filled once");
    assert!(!html.contains(|c: char| c.is_control() && c != '\n'));
    assert_eq!(html.matches("<script>").count(), 1);
}

#[test]
fn one_feature_and_no_sections_is_still_a_page() {
    assert_whole(&render(&full(&names(1), Privacy::new(false))).unwrap());
    let empty = bare(full(&names(1), Privacy::new(false)));
    let html = render(&empty).unwrap();
    assert_whole(&html);
    assert!(html.matches("class=\"empty\"").count() >= 9, "absent sections say why");
    let mut none = empty;
    none.features.clear();
    assert_whole(&render(&none).unwrap());
}

#[test]
fn nothing_flagged_and_constant_features_are_drawn() {
    let mut data = full(&names(3), Privacy::new(false));
    let outliers = data.outliers.as_mut().unwrap();
    outliers.rows.clear();
    outliers.n_flagged = Privacy::new(false).count(0);
    for row in &mut data.likelihood {
        row.quantiles.p5 = f64::NEG_INFINITY;
        row.quantiles.p95 = row.quantiles.p50;
    }
    let comparison = data.comparison.as_mut().unwrap();
    comparison.rows.truncate(1);
    comparison.rows[0].standard_error = f64::NAN;
    for feature in &mut data.marginals.as_mut().unwrap().features {
        if let Some(h) = feature.histogram.as_mut().filter(|h| !h.edges.is_empty()) {
            h.edges.fill(1e17);
        }
    }
    data.learning[0].epochs.truncate(1);
    data.learning[1].epochs.iter_mut().for_each(|e| e.train = None);
    let html = render(&data).unwrap();
    assert_whole(&html);
    assert!(html.contains("No record stands out"));
}

#[test]
fn drift_is_a_section_only_with_another_cohort() {
    let mut data = full(&names(4), Privacy::new(false));
    let with = render(&data).unwrap();
    assert_whole(&with);
    assert!(with.contains("href=\"#drift\"") && with.contains("unit was kPa"));
    data.drift = None;
    let without = render(&data).unwrap();
    assert_whole(&without);
    assert!(!without.contains("drift\"") && !without.contains("older cohort?"));
}

#[test]
fn json_holds_what_the_page_prints() {
    let data = full(&names(5), Privacy::new(false));
    let (page, text) = (render(&data).unwrap(), to_json(&data));
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    // Rows of a table of the page, as text.
    let rows = |section: &str, nth: usize| -> Vec<Vec<String>> {
        let section = page
            .split(&format!("<section id=\"{section}\""))
            .nth(1)
            .unwrap()
            .split("</section>")
            .next()
            .unwrap();
        let body = section.split("<tbody>").nth(nth + 1).unwrap().split("</tbody>").next().unwrap();
        let plain = |cell: &str| {
            let mut out = String::new();
            let mut inside = false;
            for c in cell.chars() {
                match c {
                    '<' => inside = true,
                    '>' => inside = false,
                    c if !inside => out.push(c),
                    _ => {}
                }
            }
            out.trim().to_owned()
        };
        let cells = |row: &str| {
            row.split("</td>").flat_map(|c| c.split("</th>")).map(plain).filter(|c| !c.is_empty()).collect()
        };
        body.split("<tr").skip(1).map(|row| cells(row.split_once('>').unwrap().1)).collect()
    };
    let number = |v: &serde_json::Value, digits: usize| format!("{:.digits$}", v.as_f64().unwrap());
    let mut seen = 0;
    let all = rows(
        "comparison",
        page.split("<section id=\"comparison\"")
            .nth(1)
            .unwrap()
            .split("All figures")
            .next()
            .unwrap()
            .matches("<tbody>")
            .count(),
    );
    for model in json["models"].as_array().unwrap() {
        for split in model["splits"].as_array().unwrap() {
            let row = &all[seen];
            assert_eq!(row[0], model["name"].as_str().unwrap());
            assert_eq!(row[1], split["split"].as_str().unwrap());
            for (cell, key) in row[3..].iter().zip([
                "mean",
                "standard_error",
                "median",
                "original_units",
                "original_units_error",
                "importance_weighted",
            ]) {
                assert_eq!(*cell, number(&split[key], 4), "{key}");
            }
            seen += 1;
        }
    }
    assert_eq!(seen, all.len());
    for (row, record) in rows("outliers", 0).iter().zip(json["outliers"]["rows"].as_array().unwrap()) {
        assert_eq!(row[0], record["record"].as_str().unwrap());
        assert_eq!(row[1], number(&record["log_prob"], 1));
        assert_eq!(row[6], record["explanation"].as_str().unwrap());
    }
    // What is hidden in one is hidden in the other.
    assert!(text.contains("\"<\u{a0}11\"") && !text.contains("stay-2000"));
    assert_eq!(text, to_json(&data));
}

#[test]
fn small_counts_and_ids_need_opting_in() {
    let strict = render(&full(&names(3), Privacy::new(false))).unwrap();
    assert!(strict.contains("&lt;\u{a0}11") && !strict.contains("stay-2000"));
    assert!(!strict.contains("IDENTIFIABLE") && !strict.contains("class=\"marked\""));
    let open = render(&full(&names(3), Privacy::new(true))).unwrap();
    assert!(!open.contains("&lt;\u{a0}11") && open.contains("stay-200000"));
    assert!(open.contains("<title>IDENTIFIABLE") && open.contains("class=\"marked\""));
}

#[test]
fn two_hundred_features_stay_within_six_megabytes() {
    let html = render(&full(&names(200), Privacy::new(false))).unwrap();
    assert!(html.len() <= 6_000_000, "{} bytes", html.len());
}
