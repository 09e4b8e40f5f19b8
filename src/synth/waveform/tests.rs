use super::*;

fn config(patients: u64) -> WaveformConfig {
    WaveformConfig { patients, minutes: 5.0, seed: Seed(3), anomaly_fraction: 0.2, force: false }
}

fn samples(dir: &Path, name: &str) -> Vec<[i16; 2]> {
    let bytes = fs::read(dir.join(format!("{name}.dat"))).unwrap();
    let pair = |b: &[u8]| [i16::from_le_bytes([b[0], b[1]]), i16::from_le_bytes([b[2], b[3]])];
    bytes.chunks_exact(4).map(pair).collect()
}

#[test]
fn records_are_a_function_of_seed_and_number() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (dir.path().join("a"), dir.path().join("b"));
    let summary = synthesize_waveforms(&config(2), &a, &|_| {}).unwrap();
    assert_eq!((summary.records, summary.samples), (2, 2 * 37_500));
    synthesize_waveforms(&config(1), &b, &|_| {}).unwrap();
    for file in ["w00001.dat", "w00001.hea"] {
        assert_eq!(fs::read(a.join(file)).unwrap(), fs::read(b.join(file)).unwrap());
    }
    let events = |dir: &Path| fs::read_to_string(dir.join("events.csv")).unwrap();
    assert!(events(&a).starts_with(&events(&b)));
    assert_eq!(events(&a).lines().count() as u64, 1 + summary.artefacts + summary.ectopic);
    assert!(matches!(synthesize_waveforms(&config(1), &b, &|_| {}), Err(SynthError::Output(_))));
}

#[test]
fn pressures_are_those_of_a_living_patient_and_artefacts_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("w");
    synthesize_waveforms(&config(4), &out, &|_| {}).unwrap();
    let text = fs::read_to_string(out.join("events.csv")).unwrap();
    let mut kinds = std::collections::BTreeSet::new();
    for p in 1..=4 {
        let name = format!("w{p:05}");
        let pressure: Vec<f64> =
            samples(&out, &name).iter().map(|s| (f64::from(s[1]) + 1600.0) / 20.0).collect();
        let mut touched = vec![false; pressure.len()];
        for line in text.lines().filter(|l| l.starts_with(&name)) {
            let fields: Vec<&str> = line.split(',').collect();
            let (start, end): (usize, usize) = (fields[3].parse().unwrap(), fields[4].parse().unwrap());
            kinds.insert(fields[1].to_owned());
            touched[start..end].fill(true);
            if fields[1] == "flush" {
                assert!(pressure[usize::midpoint(start, end)] > 250.0);
            }
        }
        let clean: Vec<f64> = (0..pressure.len()).filter(|&i| !touched[i]).map(|i| pressure[i]).collect();
        let (low, high) = clean.iter().fold((f64::MAX, f64::MIN), |(l, h), &x| (l.min(x), h.max(x)));
        assert!(low > 20.0 && high < 240.0 && high - low > 35.0, "{low} {high}");
    }
    assert!(Artefact::ALL.iter().all(|a| kinds.contains(a.name())), "{kinds:?}");
}

#[test]
fn settings_out_of_range_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let run = |c: WaveformConfig| synthesize_waveforms(&c, &dir.path().join("x"), &|_| {}).unwrap_err();
    assert!(matches!(run(WaveformConfig { patients: 0, ..config(1) }), SynthError::NoPatients));
    assert!(matches!(run(WaveformConfig { minutes: 0.0, ..config(1) }), SynthError::Minutes(_)));
    assert!(matches!(
        run(WaveformConfig { anomaly_fraction: 2.0, ..config(1) }),
        SynthError::AnomalyFraction(_)
    ));
    assert!(!dir.path().join("x").exists());
}
