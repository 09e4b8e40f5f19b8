//! The compiled-in files, and files of the user's own.

use std::collections::HashSet;
use std::fs;

use super::*;
use crate::error::Hint;

#[test]
fn built_in_files_are_valid() {
    for name in schema_names() {
        let schema = load_schema(name).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(schema.name, name, "a schema is called like its file");
        assert!(schema_text(name).is_some());
    }
    for name in pipeline_names() {
        let (pipeline, schema) = load_pipeline(name).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(pipeline.name, name, "a pipeline is called like its file");
        match pipeline.kind() {
            PipelineKind::Cohort => assert!(schema.is_some(), "{name}"),
            PipelineKind::Table(_) | PipelineKind::Windows(_) | PipelineKind::Grid(_) => {
                assert!(schema.is_none(), "{name}");
            }
        }
        assert!(pipeline_text(name).is_some());
    }
}

#[test]
fn an_item_belongs_to_one_variable() {
    for name in schema_names() {
        let mut seen = HashSet::new();
        // One text says two things: that there is a tube, and so no verbal score; or both pressures.
        let twice = |v: &Variable| ["gcs_intubated", "outpatient_dbp"].contains(&v.name.as_str());
        for variable in load_schema(name).unwrap().variables.into_iter().filter(|v| !twice(v)) {
            for source in variable.sources {
                let Source::Events { table, items, .. } = source else { continue };
                for item in items {
                    assert!(
                        seen.insert((table.clone(), item.clone())),
                        "{name}: {item:?} of {table} is in two variables"
                    );
                }
            }
        }
    }
}

#[test]
fn measured_variables_have_a_range_and_a_resolution() {
    for name in schema_names() {
        for variable in load_schema(name).unwrap().variables {
            if !variable.is_static() && !matches!(variable.kind, Kind::Categorical | Kind::Binary) {
                assert!(variable.range.is_some(), "{name}: {}", variable.name);
                let computed = variable.derived.is_some();
                assert!(computed || variable.resolution.is_some(), "{name}: {}", variable.name);
            }
        }
    }
}

#[test]
fn mimic3_covers_the_bedside_and_the_laboratory() {
    let schema = load_schema("mimic3").unwrap();
    assert!(schema.variables.len() >= 100, "{}", schema.variables.len());
    let TableKind::Events(chart) = &schema.table("CHARTEVENTS").unwrap().kind else { panic!("events") };
    assert_eq!(chart.drop[0].equals, ["1"]);
    // Labs charted in CHARTEVENTS mirror LABEVENTS; a variable in both would count twice.
    for variable in schema
        .variables
        .iter()
        .filter(|v| ["chemistry", "hematology", "coagulation"].contains(&v.group.as_str()))
    {
        let tables: HashSet<_> = variable
            .sources
            .iter()
            .map(|s| match s {
                Source::Events { table, .. }
                | Source::Column { table, .. }
                | Source::Age { table, .. }
                | Source::Hours { table, .. }
                | Source::Next { table, .. }
                | Source::Listed { table, .. }
                | Source::Years { table, .. } => table,
            })
            .collect();
        assert_eq!(tables.len(), 1, "{}", variable.name);
    }
}

#[test]
fn a_tube_is_not_a_verbal_score() {
    let schema = load_schema("mimic3").unwrap();
    let verbal = &schema.variable("gcs_verbal").unwrap().value_map;
    assert!(verbal.iter().all(|(text, _)| !text.to_lowercase().contains("et")), "{verbal:?}");
    let eye = &schema.variable("gcs_eye").unwrap().value_map;
    assert!(eye.contains(&("None".into(), 1.0)), "\"None\" is the score 1");
}

#[test]
fn physionet_has_every_parameter_of_the_challenge() {
    let schema = load_schema("physionet2012").unwrap();
    // 37 time series and the descriptors Age, Gender, Height, ICUType; Weight is both.
    assert_eq!(schema.variables.len(), 41);
    let icu = schema.variable("icu_type").unwrap();
    assert!(icu.levels.contains(&("3".into(), "medical".into())));
    assert_eq!(schema.variable("mech_vent").unwrap().absent, Some(0.0));
}

#[test]
fn a_pipeline_file_finds_built_in_schemas_and_files_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own");
    fs::create_dir(&own).unwrap();
    fs::write(own.join("ward.toml"), schema_text("physionet2012").unwrap()).unwrap();
    let text = pipeline_text("physionet2012-48h").unwrap();
    let beside = own.join("beside.toml");
    fs::write(&beside, text.replace("schema = \"physionet2012\"", "schema = \"ward.toml\"")).unwrap();
    let (pipeline, schema) = load_pipeline(beside.to_str().unwrap()).unwrap();
    assert_eq!((pipeline.schema.as_str(), schema.unwrap().name.as_str()), ("ward.toml", "physionet2012"));
    let named = own.join("named.toml");
    fs::write(&named, text).unwrap();
    assert!(load_pipeline(named.to_str().unwrap()).unwrap().1.is_some());
}

#[test]
fn an_unknown_name_suggests_the_built_in_ones() {
    let error = load_pipeline("mimic3-first-24").unwrap_err();
    assert_eq!(error.to_string(), "there is no pipeline `mimic3-first-24`, neither built in nor as a file");
    let hint = error.hint().unwrap();
    assert!(hint.starts_with("did you mean `mimic3-first-24h`?"), "{hint}");
    assert!(pipeline_names().iter().all(|name| hint.contains(name)), "{hint}");
    let missing = load_schema("no/such/file.toml").unwrap_err();
    assert!(matches!(missing, SchemaError::Io(_)), "{missing}");
}

#[test]
fn fingerprints_ignore_comments_and_change_with_the_meaning() {
    let text = schema_text("physionet2012").unwrap();
    let same = parse_schema("a.toml", &format!("# mine\n{text}")).unwrap();
    let built_in = load_schema("physionet2012").unwrap();
    assert_eq!(fingerprint(&built_in), fingerprint(&same));
    let other = parse_schema("a.toml", &text.replacen("range = [10, 300]", "range = [10, 301]", 1)).unwrap();
    assert_ne!(fingerprint(&built_in), fingerprint(&other));
}

#[test]
fn descriptions_survive_json() {
    let (pipeline, schema) = load_pipeline("mimic3-first-24h").unwrap();
    let again: Pipeline = serde_json::from_str(&canonical_json(&pipeline)).unwrap();
    assert_eq!(again, pipeline);
    let again: Schema = serde_json::from_str(&canonical_json(&schema)).unwrap();
    assert_eq!(Some(again), schema);
}

#[test]
fn show_is_a_table_of_variables() {
    let text = r#"
        name = "ward"
        title = "A small ward"
        [record]
        id = "ID"
        [tables.rows]
        columns = { ID = "integer", T = "elapsed", P = "text", X = "float" }
        events = { record = "ID", time = "T", item = "P", value = "X" }
        [variables.pulse]
        label = "Pulse"
        group = "vitals"
        unit = "bpm"
        range = [10, 300]
        resolution = 1
        sources = [{ table = "rows", items = ["HR", "PULSE"] }]
        [variables.sex]
        kind = "categorical"
        sources = [{ table = "rows", items = ["A", "B", "C", "D", "E"] }]
        [variables.temperature]
        unit = "°C"
        group = "vitals"
        sources = [{ table = "rows", items = ["T"] }]
    "#;
    insta::assert_snapshot!(render_schema(&parse_schema("ward.toml", text).unwrap()), @"
    ward  A small ward
    one record per ID, patients by ID

    rows: events of P at T, from rows

    # vitals
    name         label        unit  kind         range    resolution  sources
    pulse        Pulse        bpm   continuous   10..300  1           rows HR, PULSE
    temperature  temperature  °C    continuous                        rows T

    # other
    name         label        unit  kind         range    resolution  sources
    sex          sex                categorical                       rows A, B, C, D, and 1 more

    3 variables
    ");
}

#[test]
fn show_lists_the_features_of_a_pipeline() {
    let (mut pipeline, schema) = load_pipeline("mimic3-first-24h").unwrap();
    pipeline.features.truncate(7);
    insta::assert_snapshot!(render_pipeline(&pipeline, schema.as_ref()), @"
    mimic3-first-24h  MIMIC-III, first 24 hours of the first ICU stay of adults
    schema       mimic3
    window       0 to 24 h
    rules        adults, 18 years and older (age ≥ 18)
                 first ICU stay of the patient (earliest record of the patient)
                 at least one day in the ICU (LOS ≥ 1)
    transform    normal-score
    dequantize   true
    min_observed 0.1
    split        0.6 / 0.1 / 0.15 / 0.15 (train / validation / calibration / test)
    seed         2016

    feature         variable         aggregation  unit
    age             Age                           years
    gender          Gender
    admission_type  Admission type
    first_careunit  First care unit
    weight_first    Weight           first        kg
    heart_rate      Heart rate       mean         bpm
    heart_rate_max  Heart rate       max          bpm

    7 features
    ");
    let wide = render_pipeline(&load_pipeline("wide-table").unwrap().0, None);
    assert!(wide.contains("one wide table") && !wide.contains("features"), "{wide}");
}

#[test]
fn schemas_and_pipelines_are_told_apart() {
    for name in schema_names() {
        assert!(!is_pipeline(name).unwrap(), "{name}");
    }
    for name in pipeline_names() {
        assert!(is_pipeline(name).unwrap(), "{name}");
    }
    let error = is_pipeline("mimic").unwrap_err();
    assert_eq!(error.to_string(), "there is no schema or pipeline `mimic`, neither built in nor as a file");
}

#[test]
fn waveform_settings_are_applied_and_checked() {
    let set = |settings: &[(&str, &str)]| {
        let mut pipeline = load_pipeline("waveform-1024").unwrap().0;
        let settings: Vec<_> = settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        apply_settings(&mut pipeline, &settings)
            .map(|()| pipeline.waveform.unwrap())
            .map_err(|e| e.to_string())
    };
    let changed =
        set(&[("channels", "II, V"), ("window", "64"), ("split_by", "record"), ("normalise", "none")]);
    let changed = changed.unwrap();
    assert_eq!((changed.channels, changed.window, changed.stride), (vec!["II".into(), "V".into()], 64, 64));
    for (settings, expected) in [
        (("window", "1"), "a window must have at least 2 samples, found 1"),
        (("stride", "0"), "the stride must be at least 1 sample"),
        (("max_missing", "1"), "a share from 0 to below 1, found 1"),
        (("max_step", "NaN"), "a factor of 1 or more, found NaN"),
        (("channels", "II,ii"), "a channel is named twice"),
        (("split_by", "record"), "held-out records have no training windows"),
        (("split_by", "patient"), "allowed are `time`, `record`, got `patient`"),
        (("window.start", "0"), "windows of waveforms are counted in samples"),
    ] {
        let error = set(&[settings]).unwrap_err();
        assert!(error.contains(expected), "{settings:?}: {error}");
    }
    let mut wide = load_pipeline("wide-table").unwrap().0;
    let error = apply_settings(&mut wide, &[("channels".into(), "II".into())]).unwrap_err().to_string();
    assert!(error.contains("set for waveform pipelines only"), "{error}");
}
