//! The one integration-test binary: add a module here and a file beside it. Tests of real data look in
//! `../shared/data` and skip with a line on stderr where it is absent.

mod layers;
mod mimic_demo;
