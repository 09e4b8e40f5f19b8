"""The comorbidities of Elixhauser in SQL: codes of Quan et al. (2005), Medical Care 43:1130-1139, table 2, as regular
expressions, and the weights of van Walraven et al. (2009), Medical Care 47:626-633.

Written from the papers, and not from the TOML files of the program: name, weight, ICD-9-CM, ICD-10. Codes have no point.
"""

GROUPS = [
    ("heart_failure", 7, r"39891|402[019]1|404[019][13]|425[4-9]|428",
     r"I099|I110|I13[02]|I255|I42[05-9]|I43|I50|P290"),
    ("arrhythmia", 5, r"426[079]|426(10|12|13)|427[0-46-9]|7850|99601|99604|V450|V533",
     r"I44[1-3]|I456|I459|I4[789]|R00[018]|T821|Z450|Z950"),
    ("valvular", -1, r"0932|39[4-7]|424|746[3-6]|V422|V433", r"A520|I0[5-8]|I09[18]|I3[4-9]|Q23[0-3]|Z95[2-4]"),
    ("pulmonary_circulation", 4, r"415[01]|416|417[089]", r"I26|I27|I28[089]"),
    ("vascular", 2, r"0930|4373|440|441|443[1-9]|4471|557[19]|V434",
     r"I70|I71|I73[189]|I771|I79[02]|K55[189]|Z95[89]"),
    ("hypertension", 0, r"401", r"I10"),
    ("hypertension_complicated", 0, r"40[2-5]", r"I1[1-3]|I15"),
    ("paralysis", 7, r"3341|342|343|344[0-6]|3449", r"G041|G114|G80[12]|G81|G82|G83[0-4]|G839"),
    ("neurological", 6, r"3319|332[01]|333[45]|33392|334|335|3362|340|341|345|348[13]|7803|7843",
     r"G1[0-3]|G2[0-2]|G25[45]|G31[289]|G32|G3[5-7]|G40|G41|G93[14]|R470|R56"),
    ("pulmonary", 3, r"416[89]|49\d|50[0-5]|5064|508[18]", r"I27[89]|J4[0-7]|J6[0-7]|J684|J70[13]"),
    ("diabetes", 0, r"250[0-3]", r"E1[0-4][019]"),
    ("diabetes_complicated", 0, r"250[4-9]", r"E1[0-4][2-8]"),
    ("hypothyroidism", 0, r"2409|243|244|246[18]", r"E0[0-3]|E890"),
    ("renal", 5, r"403[019]1|404[019][23]|585|586|5880|V420|V451|V56",
     r"I120|I131|N18|N19|N250|Z49[0-2]|Z940|Z992"),
    ("liver", 11, r"070(22|23|32|33|44|54)|070[69]|456[0-2]|570|571|572[2-8]|573[3489]|V427",
     r"B18|I85|I864|I982|K70|K711|K71[3-57]|K7[2-4]|K760|K76[2-9]|Z944"),
    ("ulcer", 0, r"53[1-4][79]", r"K2[5-8][79]"),
    ("aids", 0, r"04[2-4]", r"B2[0-24]"),
    ("lymphoma", 9, r"20[0-2]|2030|2386", r"C8[1-58]|C96|C90[02]"),
    ("metastasis", 12, r"19[6-9]", r"C7[7-9]|C80"),
    ("tumour", 4, r"1[4-6]\d|17[0-2]|17[4-9]|18\d|19[0-5]",
     r"C0\d|C1\d|C2[0-6]|C3[0-47-9]|C4[01]|C43|C4[5-9]|C5[0-8]|C6\d|C7[0-6]|C97"),
    ("rheumatic", 0, r"446|7010|710[0-489]|7112|714|7193|720|725|7285|72889|72930",
     r"L94[013]|M05|M06|M08|M12[03]|M30|M31[0-3]|M3[2-5]|M45|M46[189]"),
    ("coagulopathy", 3, r"286|2871|287[3-5]", r"D6[5-8]|D691|D69[3-6]"),
    ("obesity", -4, r"2780", r"E66"),
    ("weight_loss", 6, r"26[0-3]|7832|7994", r"E4[0-6]|R634|R64"),
    ("electrolytes", 5, r"2536|276", r"E222|E86|E87"),
    ("blood_loss", -2, r"2800", r"D500"),
    ("anaemia", -2, r"280[1-9]|281", r"D50[89]|D5[1-3]"),
    ("alcohol", 0, r"2652|291[1-35-9]|303[09]|3050|3575|4255|5353|571[0-3]|980|V113",
     r"F10|E52|G621|I426|K292|K70[039]|T51|Z502|Z714|Z721"),
    ("drugs", -7, r"292|304|305[2-9]|V6542", r"F1[1-689]|Z715|Z722"),
    ("psychoses", 0, r"2938|295|296[0145]4|297|298", r"F20|F2[2-589]|F302|F31[25]"),
    ("depression", -3, r"296[235]|3004|309|311", r"F204|F31[3-5]|F32|F33|F341|F412|F432"),
]
# Of two degrees of one disease, one counts.
PAIRS = {"hypertension": "hypertension_complicated", "diabetes": "diabetes_complicated", "tumour": "metastasis"}


def table(con):
    """elixhauser(stay, one column of 0 and 1 per group, count, score), given stays(stay, hadm) and icd(hadm, code, version)."""
    columns = ", ".join(
        f"""max((regexp_matches(code, '^({nine})') and version = '9' or regexp_matches(code, '^({ten})') and version = '10')::int)
            as {name}""" for name, _, nine, ten in GROUPS)
    single = [name for name, *_ in GROUPS if name not in PAIRS and name not in PAIRS.values()]
    count = " + ".join(single + [f"greatest({a}, {b})" for a, b in PAIRS.items()])
    weights = [f"{weight} * {name}" for name, weight, *_ in GROUPS if name not in ("tumour", "metastasis")]
    score = " + ".join(weights + ["greatest(4 * tumour, 12 * metastasis)"])
    con.execute(f"""create table elixhauser as with g as (select hadm, {columns} from icd group by hadm)
        select stay, g.*, {count} as n, {score} as score from stays join g using (hadm)""")
