//! The files of this database and their columns, as in the release.

use super::super::super::writer::Layout;

#[rustfmt::skip]
pub(super) const PATIENTS: Layout = Layout::new("hosp/patients", &[
    "subject_id", "gender", "anchor_age", "anchor_year", "anchor_year_group", "dod",
]);
#[rustfmt::skip]
pub(super) const ADMISSIONS: Layout = Layout::new("hosp/admissions", &[
    "subject_id", "hadm_id", "admittime", "dischtime", "deathtime", "admission_type", "admit_provider_id",
    "admission_location", "discharge_location", "insurance", "language", "marital_status", "race",
    "edregtime", "edouttime", "hospital_expire_flag",
]);
#[rustfmt::skip]
pub(super) const LABS: Layout = Layout::counted("hosp/labevents", &[
    "labevent_id", "subject_id", "hadm_id", "specimen_id", "itemid", "order_provider_id", "charttime",
    "storetime", "value", "valuenum", "valueuom", "ref_range_lower", "ref_range_upper", "flag", "priority",
    "comments",
]);
#[rustfmt::skip]
pub(super) const LAB_ITEMS: Layout = Layout::new("hosp/d_labitems", &[
    "itemid", "label", "fluid", "category",
]);
#[rustfmt::skip]
pub(super) const STAYS: Layout = Layout::new("icu/icustays", &[
    "subject_id", "hadm_id", "stay_id", "first_careunit", "last_careunit", "intime", "outtime", "los",
]);
#[rustfmt::skip]
pub(super) const CHART: Layout = Layout::new("icu/chartevents", &[
    "subject_id", "hadm_id", "stay_id", "caregiver_id", "charttime", "storetime", "itemid", "value",
    "valuenum", "valueuom", "warning",
]);
#[rustfmt::skip]
pub(super) const OUTPUTS: Layout = Layout::new("icu/outputevents", &[
    "subject_id", "hadm_id", "stay_id", "caregiver_id", "charttime", "storetime", "itemid", "value",
    "valueuom",
]);
#[rustfmt::skip]
pub(super) const INPUTS: Layout = Layout::new("icu/inputevents", &[
    "subject_id", "hadm_id", "stay_id", "caregiver_id", "starttime", "endtime", "storetime", "itemid",
    "amount", "amountuom", "rate", "rateuom", "orderid", "linkorderid", "ordercategoryname",
    "secondaryordercategoryname", "ordercomponenttypedescription", "ordercategorydescription",
    "patientweight", "totalamount", "totalamountuom", "isopenbag", "continueinnextdept",
    "statusdescription", "originalamount", "originalrate",
]);
#[rustfmt::skip]
pub(super) const PRESCRIPTIONS: Layout = Layout::new("hosp/prescriptions", &[
    "subject_id", "hadm_id", "pharmacy_id", "poe_id", "poe_seq", "order_provider_id", "starttime",
    "stoptime", "drug_type", "drug", "formulary_drug_cd", "gsn", "ndc", "prod_strength", "form_rx",
    "dose_val_rx", "dose_unit_rx", "form_val_disp", "form_unit_disp", "doses_per_24_hrs", "route",
]);
#[rustfmt::skip]
pub(super) const CULTURES: Layout = Layout::counted("hosp/microbiologyevents", &[
    "microevent_id", "subject_id", "hadm_id", "micro_specimen_id", "order_provider_id", "chartdate",
    "charttime", "spec_itemid", "spec_type_desc", "test_seq", "storedate", "storetime", "test_itemid",
    "test_name", "org_itemid", "org_name", "isolate_num", "quantity", "ab_itemid", "ab_name",
    "dilution_text", "dilution_comparison", "dilution_value", "interpretation", "comments",
]);
#[rustfmt::skip]
pub(super) const ITEMS: Layout = Layout::new("icu/d_items", &[
    "itemid", "label", "abbreviation", "linksto", "category", "unitname", "param_type", "lownormalvalue",
    "highnormalvalue",
]);
#[rustfmt::skip]
pub(super) const DIAGNOSES: Layout = Layout::new("hosp/diagnoses_icd", &[
    "subject_id", "hadm_id", "seq_num", "icd_code", "icd_version",
]);
