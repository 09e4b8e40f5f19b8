use std::fs;

use super::*;

fn config(texture: Texture, pictures: u64) -> TextureConfig {
    TextureConfig { texture, pictures, side: 12, seed: Seed(5), anomaly_fraction: 0.0, force: false }
}

#[test]
fn the_mean_log_probability_of_pictures_is_minus_their_entropy() {
    for texture in Texture::ALL {
        for side in [8, 13] {
            let source = Source::new(texture, side);
            let n = 1500;
            let of = |i: u64| {
                let levels = source.draw(&mut Draw::new(Seed(2).stream("test", i)));
                assert!(levels.iter().all(|level| u32::from(*level) < TEXTURE_LEVELS), "{texture:?}");
                -source.log_prob(&levels)
            };
            let all: Vec<f64> = (0..n).map(of).collect();
            let mean = all.iter().sum::<f64>() / n as f64;
            let variance = all.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1) as f64;
            let error = (variance / n as f64).sqrt();
            // Four standard errors of 1,500 pictures, some 0.02 % of the entropy.
            let entropy = source.entropy();
            assert!((mean - entropy).abs() < 4.0 * error, "{texture:?} {side}: {mean} ± {error} {entropy}");
        }
    }
}

#[test]
fn plain_pictures_differ_and_their_entropy_counts_those_that_do_not() {
    let Source::Plain(phases) = Source::new(Texture::Periodic, 8) else { panic!("plain pictures") };
    let different: std::collections::BTreeSet<_> = phases.iter().collect();
    assert_eq!((phases.len(), different.len()), (64, 64));
    let twice = Source::Plain(vec![vec![0], vec![0], vec![1], vec![2]]);
    let dice = Source::Plain(vec![vec![0]]).entropy();
    // Shares of a half and two quarters: one bit and a half.
    assert!((twice.entropy() - dice - 1.5 * std::f64::consts::LN_2).abs() < 1e-12);
}

#[test]
fn pictures_are_a_function_of_seed_and_number_and_faults_are_listed() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (dir.path().join("a"), dir.path().join("b"));
    let faulty = TextureConfig { anomaly_fraction: 0.3, ..config(Texture::Galaxy, 40) };
    let summary = synthesize_textures(&faulty, &a, &|_| {}).unwrap();
    synthesize_textures(&TextureConfig { pictures: 20, ..faulty.clone() }, &b, &|_| {}).unwrap();
    let pixels = |dir: &Path| fs::read(dir.join(PICTURES)).unwrap();
    assert_eq!(pixels(&a)[16..16 + 20 * 144], pixels(&b)[16..]);
    let labels = fs::read(a.join(LABELS)).unwrap();
    let listed = fs::read_to_string(a.join("anomalies.csv")).unwrap();
    assert_eq!(labels[8..].iter().filter(|label| **label > 0).count() as u64, summary.faults);
    assert_eq!(listed.lines().count() as u64, 1 + summary.faults);
    assert!(Fault::ALL.iter().all(|fault| listed.contains(fault.name())), "{listed}");
    // Outside the place that is listed, a picture is what it would be without the fault.
    let clean = dir.path().join("clean");
    synthesize_textures(&config(Texture::Galaxy, 40), &clean, &|_| {}).unwrap();
    let (spoilt, clean) = (pixels(&a), pixels(&clean));
    for line in listed.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let picture: usize = fields[0].trim_end_matches(']').rsplit('[').next().unwrap().parse().unwrap();
        let at: Vec<usize> = fields[2..].iter().map(|field| field.parse().unwrap()).collect();
        let mut changed = 0;
        for i in 0..144 {
            let inside =
                (at[0]..at[0] + at[2]).contains(&(i / 12)) && (at[1]..at[1] + at[3]).contains(&(i % 12));
            let same = spoilt[16 + 144 * picture + i] == clean[16 + 144 * picture + i];
            assert!(inside || same, "{line}: pixel {i}");
            changed += usize::from(!same);
        }
        assert!(changed > 0, "{line}");
    }
    assert!(matches!(synthesize_textures(&faulty, &a, &|_| {}), Err(SynthError::Output(_))));
}

#[test]
fn settings_out_of_range_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let run = |c: TextureConfig| synthesize_textures(&c, &dir.path().join("x"), &|_| {}).unwrap_err();
    let good = config(Texture::Field, 3);
    assert!(matches!(run(TextureConfig { pictures: 0, ..good.clone() }), SynthError::Pictures(0)));
    assert!(matches!(run(TextureConfig { pictures: 1 << 32, ..good.clone() }), SynthError::Pictures(_)));
    assert!(matches!(run(TextureConfig { side: 7, ..good.clone() }), SynthError::Side(7)));
    assert!(matches!(run(TextureConfig { side: 65, ..good.clone() }), SynthError::Side(65)));
    let wrong = run(TextureConfig { anomaly_fraction: 1.5, ..good });
    assert!(matches!(wrong, SynthError::AnomalyFraction(_)));
}
