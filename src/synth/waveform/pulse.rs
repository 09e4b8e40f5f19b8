//! Heart beats, and the pulses that they send through the vessels.

use super::event::{Event, FREQUENCY};
use crate::synth::draw::Draw;

/// The heart and the vessels of a patient.
#[derive(Debug, Clone)]
pub(super) struct Circulation {
    /// Beats per second.
    rate: f64,
    /// Relative change of the interval between beats with each breath.
    arrhythmia: f64,
    /// Breaths per second.
    breathing: f64,
    diastolic: f64,
    pulse_pressure: f64,
    /// Seconds that the pulse takes to reach the finger.
    transit: f64,
    /// Probability that a beat comes early.
    ectopy: f64,
    /// Height of the wave that returns from the periphery, relative to the first wave.
    reflection: f64,
}

struct Beat {
    /// Time in seconds.
    time: f64,
    /// Strength relative to an ordinary beat.
    strength: f64,
}

impl Circulation {
    pub(super) fn new(draw: &mut Draw) -> Self {
        Self {
            rate: draw.between(55.0, 115.0) / 60.0,
            arrhythmia: draw.between(0.01, 0.05),
            breathing: draw.between(12.0, 22.0) / 60.0,
            diastolic: draw.between(50.0, 80.0),
            pulse_pressure: draw.between(35.0, 70.0),
            transit: draw.between(0.14, 0.24),
            ectopy: if draw.chance(0.5) { draw.between(0.002, 0.02) } else { 0.0 },
            reflection: draw.between(0.2, 0.5),
        }
    }

    /// Returns PLETH (normalised units) and ABP (mmHg) over `n` samples, and the ectopic beats.
    pub(super) fn signals(&self, n: usize, draw: &mut Draw) -> ([Vec<f64>; 2], Vec<Event>) {
        let (beats, ectopic) = self.beats(n as f64 / FREQUENCY, draw);
        let mut pleth = vec![0.0; n];
        let mut abp = vec![0.0; n];
        for pair in beats.windows(2) {
            let (beat, next) = (&pair[0], &pair[1]);
            self.add(&mut abp, beat, 0.05, [0.13, 0.055, 0.34, 0.075]);
            self.add(&mut pleth, beat, 0.05 + self.transit, [0.20, 0.080, 0.45, 0.120]);
            debug_assert!(next.time > beat.time, "beats are in order");
        }
        // Pressure and perfusion drift slowly. Both follow autoregressions with a memory of a minute.
        let rho: f64 = (-1.0 / (60.0 * FREQUENCY)).exp();
        let step = (1.0 - rho * rho).sqrt();
        let (mut pressure, mut perfusion) = (draw.normal(), draw.normal());
        let (mut hiss, mut flicker) = (0.0, 0.0);
        for t in 0..n {
            pressure = rho * pressure + step * draw.normal();
            perfusion = rho * perfusion + step * draw.normal();
            let breath = (std::f64::consts::TAU * self.breathing * t as f64 / FREQUENCY).sin();
            hiss = 0.6 * hiss + 0.25 * draw.normal();
            flicker = 0.6 * flicker + 0.002 * draw.normal();
            let height = self.pulse_pressure * (1.0 + 0.06 * pressure + 0.03 * breath);
            abp[t] = self.diastolic + 5.0 * pressure + 1.5 * breath + height * abp[t] + hiss;
            pleth[t] = 0.4 + 0.02 * breath + 0.3 * (1.0 + 0.15 * perfusion) * pleth[t] + flicker;
        }
        ([pleth, abp], ectopic)
    }

    fn beats(&self, seconds: f64, draw: &mut Draw) -> (Vec<Beat>, Vec<Event>) {
        let (mut beats, mut ectopic) = (Vec::new(), Vec::new());
        let mut time = -2.0;
        let mut wander = draw.normal();
        let mut pause = 1.0;
        while time < seconds + 2.0 {
            wander = 0.98 * wander + (1.0 - 0.98f64 * 0.98).sqrt() * draw.normal();
            let breath = (std::f64::consts::TAU * self.breathing * time).sin();
            let usual = (1.0 + self.arrhythmia * breath + 0.04 * wander + 0.01 * draw.normal()) / self.rate;
            let early = pause == 1.0 && draw.chance(self.ectopy);
            // An early beat finds a half-filled ventricle, and the beat after it waits for the rhythm to
            // return.
            let (interval, strength) = if early { (0.6 * usual, 0.45) } else { (pause * usual, 1.0) };
            time += interval;
            // A longer filling time makes a stronger beat.
            let strength = if pause > 1.0 { 1.15 } else { strength };
            if early && time > 0.0 && time + 1.0 < seconds {
                let start = (time * FREQUENCY) as usize;
                let end = start + (0.8 * FREQUENCY) as usize;
                ectopic.push(Event { kind: "ectopic", channels: "PLETH;ABP", start, end });
            }
            pause = if early { 1.4 } else { 1.0 };
            beats.push(Beat { time, strength: strength * (1.0 + 0.02 * draw.normal()) });
        }
        (beats, ectopic)
    }

    /// Adds the pulse of one beat: a systolic wave, its reflection, and an exponential run-off.
    fn add(&self, signal: &mut [f64], beat: &Beat, delay: f64, [peak, width, second, spread]: [f64; 4]) {
        let onset = beat.time + delay;
        let from = (onset * FREQUENCY).max(0.0) as usize;
        let to = ((onset + 1.6).max(0.0) * FREQUENCY) as usize;
        for (t, x) in signal.iter_mut().enumerate().take(to).skip(from) {
            let s = t as f64 / FREQUENCY - onset;
            if s < 0.0 {
                continue;
            }
            let bump = |at: f64, width: f64| (-0.5 * ((s - at) / width).powi(2)).exp();
            let rise = 1.0 - (-(s / 0.04)).exp();
            let run_off = 0.45 * rise * (-s / 0.45).exp();
            *x += beat.strength
                * (0.7 * bump(peak, width) * rise + self.reflection * bump(second, spread) * rise + run_off);
        }
    }
}
