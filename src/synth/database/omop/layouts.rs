//! The files of this database and their columns, as in the release.

use super::super::super::writer::Layout;

#[rustfmt::skip]
pub(super) const PERSON: Layout = Layout::new("person", &[
    "person_id", "gender_concept_id", "year_of_birth", "month_of_birth", "day_of_birth", "birth_datetime",
    "race_concept_id", "ethnicity_concept_id", "location_id", "provider_id", "care_site_id",
    "person_source_value", "gender_source_value", "gender_source_concept_id", "race_source_value",
    "race_source_concept_id", "ethnicity_source_value", "ethnicity_source_concept_id",
]);
#[rustfmt::skip]
pub(super) const VISITS: Layout = Layout::new("visit_occurrence", &[
    "visit_occurrence_id", "person_id", "visit_concept_id", "visit_start_date", "visit_start_datetime",
    "visit_end_date", "visit_end_datetime", "visit_type_concept_id", "provider_id", "care_site_id",
    "visit_source_value", "visit_source_concept_id", "admitting_source_concept_id",
    "admitting_source_value", "discharge_to_concept_id", "discharge_to_source_value",
    "preceding_visit_occurrence_id",
]);
#[rustfmt::skip]
pub(super) const MEASUREMENT: Layout = Layout::counted("measurement", &[
    "measurement_id", "person_id", "measurement_concept_id", "measurement_date", "measurement_datetime",
    "measurement_time", "measurement_type_concept_id", "operator_concept_id", "value_as_number",
    "value_as_concept_id", "unit_concept_id", "range_low", "range_high", "provider_id",
    "visit_occurrence_id", "visit_detail_id", "measurement_source_value", "measurement_source_concept_id",
    "unit_source_value", "value_source_value",
]);
#[rustfmt::skip]
pub(super) const CONDITIONS: Layout = Layout::counted("condition_occurrence", &[
    "condition_occurrence_id", "person_id", "condition_concept_id", "condition_start_date",
    "condition_start_datetime", "condition_end_date", "condition_end_datetime", "condition_type_concept_id",
    "stop_reason", "provider_id", "visit_occurrence_id", "visit_detail_id", "condition_source_value",
    "condition_source_concept_id", "condition_status_source_value", "condition_status_concept_id",
]);
#[rustfmt::skip]
pub(super) const DEATHS: Layout = Layout::new("death", &[
    "person_id", "death_date", "death_datetime", "death_type_concept_id", "cause_concept_id",
    "cause_source_value", "cause_source_concept_id",
]);
