//! The one integration-test binary: add a module here and a file beside it. Tests of real data look in
//! `../shared/data` and skip with a line on stderr where it is absent.

mod browser;
mod bad_input;
mod layers;
mod support;
mod report;
mod report_fixture;
