//! The files of this database and their columns, as in the release.

use super::super::super::writer::Layout;

#[rustfmt::skip]
pub(super) const PATIENT: Layout = Layout::new("patient", &[
    "patientunitstayid", "patienthealthsystemstayid", "gender", "age", "ethnicity", "hospitalid", "wardid",
    "apacheadmissiondx", "admissionheight", "hospitaladmittime24", "hospitaladmitoffset",
    "hospitaladmitsource", "hospitaldischargeyear", "hospitaldischargetime24", "hospitaldischargeoffset",
    "hospitaldischargelocation", "hospitaldischargestatus", "unittype", "unitadmittime24",
    "unitadmitsource", "unitvisitnumber", "unitstaytype", "admissionweight", "dischargeweight",
    "unitdischargetime24", "unitdischargeoffset", "unitdischargelocation", "unitdischargestatus",
    "uniquepid",
]);
#[rustfmt::skip]
pub(super) const PERIODIC: Layout = Layout { name: "vitalPeriodic", counts_from: Some(30_000_000), columns: &[
    "vitalperiodicid", "patientunitstayid", "observationoffset", "temperature", "sao2", "heartrate",
    "respiration", "cvp", "etco2", "systemicsystolic", "systemicdiastolic", "systemicmean", "pasystolic",
    "padiastolic", "pamean", "st1", "st2", "st3", "icp",
] };
#[rustfmt::skip]
pub(super) const APERIODIC: Layout = Layout { name: "vitalAperiodic", counts_from: Some(3_000_000), columns: &[
    "vitalaperiodicid", "patientunitstayid", "observationoffset", "noninvasivesystolic",
    "noninvasivediastolic", "noninvasivemean", "paop", "cardiacoutput", "cardiacinput", "svr", "svri",
    "pvr", "pvri",
] };
#[rustfmt::skip]
pub(super) const LAB: Layout = Layout { name: "lab", counts_from: Some(50_000_000), columns: &[
    "labid", "patientunitstayid", "labresultoffset", "labtypeid", "labname", "labresult", "labresulttext",
    "labmeasurenamesystem", "labmeasurenameinterface", "labresultrevisedoffset",
] };
#[rustfmt::skip]
pub(super) const NURSE: Layout = Layout { name: "nurseCharting", counts_from: Some(170_000_000), columns: &[
    "nursingchartid", "patientunitstayid", "nursingchartoffset", "nursingchartentryoffset",
    "nursingchartcelltypecat", "nursingchartcelltypevallabel", "nursingchartcelltypevalname",
    "nursingchartvalue",
] };
#[rustfmt::skip]
pub(super) const RESPIRATORY: Layout = Layout::counted("respiratoryCharting", &[
    "respchartid", "patientunitstayid", "respchartoffset", "respchartentryoffset", "respcharttypecat",
    "respchartvaluelabel", "respchartvalue",
]);
#[rustfmt::skip]
pub(super) const FLUIDS: Layout = Layout::counted("intakeOutput", &[
    "intakeoutputid", "patientunitstayid", "intakeoutputoffset", "intaketotal", "outputtotal",
    "dialysistotal", "nettotal", "intakeoutputentryoffset", "cellpath", "celllabel", "cellvaluenumeric",
    "cellvaluetext",
]);
#[rustfmt::skip]
pub(super) const INFUSIONS: Layout = Layout::counted("infusiondrug", &[
    "infusiondrugid", "patientunitstayid", "infusionoffset", "drugname", "drugrate", "infusionrate",
    "drugamount", "volumeoffluid", "patientweight",
]);
#[rustfmt::skip]
pub(super) const DIAGNOSIS: Layout = Layout::counted("diagnosis", &[
    "diagnosisid", "patientunitstayid", "activeupondischarge", "diagnosisoffset", "diagnosisstring",
    "icd9code", "diagnosispriority",
]);
