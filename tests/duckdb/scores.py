"""Severity scores in SQL, written from the papers and not from the TOML files of the program.

A script of a database makes two tables:

    stays(stay text, length double)      every stay and its seconds
    events(stay, kind, s, until, x)      accepted values by kind ("platelets"), in the unit of the concept, with x null
                                         where something was recorded that cannot be used; s is seconds since the start

and says of a few facts by query what they are (`extra`). `compare` holds the columns of a bundle against them.
"""

import sys

DAY = 86400
HOUR = 3600


def step(x, first, *pairs, above=False):
    """A table of points: `first` below the first bound, then the value behind each bound that x reaches."""
    sign = ">" if above else ">="
    cases = " ".join(f"when {x} {sign} {bound} then {value}" for bound, value in reversed(list(zip(pairs[::2], pairs[1::2]))))
    return f"case when {x} is null then null {cases} else {first} end"


def prepare(con):
    # A measurement counts from the start of the stay up to 24 hours or its end; what lasts counts where it overlaps.
    con.execute(f"""create table w as select e.*, length, least(coalesce(length, {DAY}), {DAY}) as stop from events e join stays using (stay)
        where (until is null and s >= 0 and s < {DAY} and (length is null or s <= length))
           or (until is not null and s < {DAY} and until > 0 and (length is null or s <= length))""")
    # Measurements of one moment are one.
    con.execute("create table m as select stay, kind, s, avg(x) as x, any_value(stop) as stop from w where until is null and x is not null group by all")
    con.execute("create table lasting as select stay, kind, greatest(s, 0) as s, until, x, stop from w where until is not null and x is not null")


def worst(con, kind, what):
    """The smallest or largest value of the window, of moments and of what lasts; null if nothing was usable."""
    rows = con.execute(f"""select stay, {what}(x) from w where kind = '{kind}' group by stay""").fetchall()
    return dict(rows)


def table_of(con, name, query):
    con.execute(f"create table {name} as {query}")


def wide(con):
    """One row per stay with the worst values, and whether anything was recorded that could not be used."""
    kinds = [k for (k,) in con.execute("select distinct kind from w").fetchall()]
    columns = []
    for kind in sorted(kinds):
        of = f"filter (where kind = '{kind}')"
        columns += [f"min(x) {of} as {kind}_min", f"max(x) {of} as {kind}_max",
                    f"coalesce(count(*) {of}, 0) > 0 and coalesce(count(x) {of}, 0) = 0 as {kind}_lost"]
    con.execute(f"""create table worst as select s.stay, least(coalesce(s.length, {DAY}), {DAY}) / {HOUR} as hours, {', '.join(columns)},
        sum(x) filter (where kind = 'urine_output') as urine from stays s left join w using (stay) group by all""")


def gcs(con):
    """The total of components charted together; 15 under intubation."""
    # A component that was charted and cannot be used leaves the total open, unless a tube is charted with it.
    con.execute("""create table gcs as with t as (select stay, s,
            avg(x) filter (where kind = 'gcs_eye') as e, avg(x) filter (where kind = 'gcs_verbal') as v,
            avg(x) filter (where kind = 'gcs_motor') as m, max(x) filter (where kind = 'gcs_tube') as tube,
            bool_or(lost) as lost from (select stay, s, kind, avg(x) as x, count(x) = 0 as lost from w
              where kind in ('gcs_eye', 'gcs_verbal', 'gcs_motor', 'gcs_tube') group by stay, s, kind) group by stay, s)
        select stay, min(coalesce(e + v + m, case when tube = 1 then 15 end)) as gcs,
               bool_or(e + v + m is null and tube is distinct from 1 and lost) as lost from t group by stay""")


def respiration(con):
    """PaO2 by the latest FiO2 of 24 hours; support by a procedure, or a setting of the eight hours before."""
    con.execute(f"""create table gas as
        with pf as (select p.stay, p.s, p.x / (select arg_max(f.x, f.s) from m f where f.kind = 'fio2' and f.stay = p.stay
                                                 and f.s <= p.s and p.s - f.s <= {DAY}) as pf
                      from m p where p.kind = 'pao2'),
             supported as (select *, exists (select 1 from lasting l where l.kind = 'procedure' and l.stay = pf.stay
                                               and l.s <= pf.s and pf.s < l.until)
                 or exists (select 1 from m where m.kind = 'setting' and m.stay = pf.stay and m.s <= pf.s
                              and pf.s - m.s <= {8 * HOUR}) as support from pf where pf between 10 and 3000)
        select stay, max(case when support and pf < 100 then 4 when support and pf < 200 then 3 when pf < 300 then 2
                              when pf < 400 then 1 else 0 end) as points,
               max(case when not support then 0 when pf < 100 then 11 when pf < 200 then 9 else 6 end) as saps from supported group by stay""")


def sofa(con):
    urine = "case when hours >= 24 then " + step("urine", 4, 200, 3, 500, 0) + " end"
    rates = ["dopamine", "dobutamine", "epinephrine", "norepinephrine"]
    rate = {r: f"coalesce({r}_max, case when not coalesce({r}_lost, false) then 0 end)" for r in rates}
    con.execute(f"""create table sofa as with parts as (select stay,
        g.points as respiration, {step('platelets_min', 4, 20, 3, 50, 2, 100, 1, 150, 0)} as coagulation,
        {step('bilirubin_max', 0, 1.2, 1, 2, 2, 6, 3, 12, 4)} as liver, {step('map_min', 1, 70, 0)} as pressure,
        {' + '.join('0 * ' + rate[r] for r in rates)} + greatest({step(rate['dopamine'], 0, 0, 2, 5, 3, 15, 4, above=True)},
            {step(rate['dobutamine'], 0, 0, 2, above=True)}, {step(rate['epinephrine'], 0, 0, 3, 0.1, 4, above=True)},
            {step(rate['norepinephrine'], 0, 0, 3, 0.1, 4, above=True)}) as vasopressors,
        {step('gcs', 4, 6, 3, 10, 2, 13, 1, 15, 0)} as nervous, {step('creatinine_max', 0, 1.2, 1, 2, 2, 3.5, 3, 5, 4)} as creatinine,
        {urine} as urine, platelets_lost or bilirubin_lost or map_lost or coalesce(gcs is null and lost, false)
            or (creatinine_max is null and urine is null and (creatinine_lost or urine_output_lost))
            or (g.points is null and (pao2_lost or (pao2_max is not null and fio2_lost))) as open
        from worst left join gas g using (stay) left join gcs using (stay))
        select stay, respiration, coagulation, liver, vasopressors, nervous, creatinine, urine,
               case when not open or pressure is not null then greatest(coalesce(pressure, 0), vasopressors + 0) + 0 * vasopressors end as circulation,
               coalesce(greatest(creatinine, urine), creatinine, urine) as kidney,
               case when not coalesce(open, false) then coalesce(respiration, 0) + coalesce(coagulation, 0) + coalesce(liver, 0)
                 + greatest(coalesce(pressure, 0), vasopressors) + 0 * vasopressors + coalesce(nervous, 0)
                 + coalesce(greatest(creatinine, urine), creatinine, urine, 0) end as sofa from parts""")


def others(con):
    con.execute("""create table small as select stay,
        case when not (resp_rate_lost or sbp_lost or coalesce(gcs is null and lost, false)) then
            coalesce((resp_rate_max >= 22)::int, 0) + coalesce((sbp_min <= 100)::int, 0) + coalesce((gcs < 15)::int, 0) end as qsofa,
        case when not (temperature_lost or heart_rate_lost or (resp_rate_max is null and paco2_min is null and (resp_rate_lost or paco2_lost))
                       or (wbc_max is null and bands_max is null and (wbc_lost or bands_lost))) then
            coalesce((temperature_max > 38 or temperature_min < 36)::int, 0) + coalesce((heart_rate_max > 90)::int, 0)
            + (coalesce(resp_rate_max > 20, false) or coalesce(paco2_min < 32, false))::int
            + (coalesce(wbc_max > 12 or wbc_min < 4, false) or coalesce(bands_max > 10, false))::int end as sirs
        from worst left join gcs using (stay)""")
    rows = {"resp_rate": "case when x <= 8 then 3 when x <= 11 then 1 when x <= 20 then 0 when x <= 24 then 2 else 3 end",
            "spo2": "case when x <= 91 then 3 when x <= 93 then 2 when x <= 95 then 1 else 0 end",
            "fio2": "case when x > 0.21 then 2 else 0 end",
            "sbp": "case when x <= 90 then 3 when x <= 100 then 2 when x <= 110 then 1 when x < 220 then 0 else 3 end",
            "heart_rate": "case when x <= 40 then 3 when x <= 50 then 1 when x <= 90 then 0 when x <= 110 then 1 when x <= 130 then 2 else 3 end",
            "temperature": "case when x <= 35 then 3 when x <= 36 then 1 when x <= 38 then 0 when x <= 39 then 1 else 2 end"}
    points = " union all ".join(f"select stay, '{k}' as item, max({v}) as p from m where kind = '{k}' group by stay" for k, v in rows.items())
    lost = " or ".join(f"{k}_lost" for k in rows)
    con.execute(f"""create table news as with p as ({points}), t as (select stay, sum(p) as p from p group by stay)
        select worst.stay, case when not ({lost} or coalesce(gcs is null and lost, false)) then coalesce(p, 0)
            + coalesce(case when gcs < 15 then 3 else 0 end, 0) end as news2
        from worst left join t using (stay) left join gcs using (stay)""")


def over_time(con):
    """Every pressure holds until the next one, and for four hours at most."""
    con.execute(f"""create table pressure as with h as (select stay, x, least(lead(s, 1, stop) over (partition by stay order by s), s + {4 * HOUR}, stop) - s as d
          from m where kind = 'map')
        select stay, case when sum(greatest(d, 0)) > 0 then sum(x * greatest(d, 0)) / sum(greatest(d, 0)) end as mean,
               case when sum(greatest(d, 0)) > 0 then sum(greatest(d, 0)) filter (where x < 65) / {HOUR} end as below from h group by stay""")
    # The dose at every moment at which a rate begins; rates that run side by side add up, a charted one holds four hours.
    weights = {"norepinephrine": 1, "epinephrine": 1, "dopamine": 0.01, "phenylephrine": 0.06, "vasopressin": 2.5}
    kinds = ", ".join(f"'{k}'" for k in weights)
    dose = " + ".join(f"""{w} * coalesce((select sum(l.x) from lasting l where l.kind = '{k}' and l.stay = t.stay and l.s <= t.s and t.s < l.until),
        (select arg_max(m.x, m.s) from m where m.kind = '{k}' and m.stay = t.stay and m.s <= t.s and t.s - m.s <= {4 * HOUR}), 0)"""
                      for k, w in weights.items())
    con.execute(f"""create table dose as with t as (select distinct stay, s from lasting where kind in ({kinds})
                       union select distinct stay, s from m where kind in ({kinds}))
        , d as (select stay, max({dose}) as dose from t group by stay)
        -- Entries of which none can be used are a dose that is not known.
        select stay, coalesce(dose, case when stay in (select stay from w where kind in ({kinds}) and x is null) then null else 0 end) as dose
          from stays left join d using (stay)""")


def kidney(con):
    """KDIGO: the lowest creatinine of seven days and of 48 hours before each result of the window."""
    con.execute(f"""create table kdigo as with c as (select stay, s, avg(x) as x from events where kind = 'creatinine' and x is not null group by stay, s),
        w as (select c.stay, c.x, (select min(b.x) from c b where b.stay = c.stay and b.s <= c.s and c.s - b.s <= {7 * DAY}) as week,
                     (select min(b.x) from c b where b.stay = c.stay and b.s <= c.s and c.s - b.s <= {2 * DAY}) as days
                from c join stays using (stay) where c.s >= 0 and c.s < {DAY} and (length is null or c.s <= length))
        select stay, max(case when round(x / week, 3) >= 3 or (x >= 4 and (round(x - days, 3) >= 0.3 or round(x / week, 3) >= 1.5)) then 3
                              when round(x / week, 3) >= 2 then 2
                              when round(x / week, 3) >= 1.5 or round(x - days, 3) >= 0.3 then 1 else 0 end) as stage from w group by stay""")
    past = lambda hours: f"(select sum(b.x) from u b where b.stay = u.stay and b.s <= u.s and u.s - b.s <= {hours * HOUR})"
    con.execute(f"""create table kdigo_urine as
        with u as (select stay, s, avg(x) as x from w where kind = 'urine_output' and x is not null group by stay, s),
             weight as (select stay, avg(x) as kg from (select *, min(s) over (partition by stay) as f from m where kind = 'weight') where s = f group by stay),
             t as (select u.stay, u.s, kg, {past(6)} as six, {past(12)} as twelve from u join weight using (stay))
        select stay, max(case when s >= {12 * HOUR} and twelve <= 0 then 3 when s >= {12 * HOUR} and twelve / kg / 12 < 0.5 then 2
                              when s >= {6 * HOUR} and six / kg / 6 < 0.5 then 1 else 0 end) as stage from t group by stay""")


def oasis_and_saps(con):
    """`facts(stay, age, before, elective, surgical, aids, blood, metastasis)` come from the database."""
    case = lambda *pairs: "case " + " ".join(f"when {c} then {p}" for c, p in pairs[:-1]) + f" else {pairs[-1]} end"
    known = lambda column, text: f"case when {column} is not null then {text} end"
    day = "case when hours < 24 then 0 else 1 end"
    parts = [
        known("before", case(("before < 0.17", 5), ("before < 4.95", 3), ("before < 24", 0), ("before < 311.8", 2), 1)),
        known("age", case(("age < 24", 0), ("age < 54", 3), ("age < 78", 6), ("age < 90", 9), 7)),
        known("gcs", case(("gcs < 8", 10), ("gcs < 14", 4), ("gcs < 15", 3), 0)),
        known("heart_rate_max", f"greatest({case(('heart_rate_max > 125', 6), ('heart_rate_max >= 107', 3), ('heart_rate_max >= 89', 1), 0)}, {case(('heart_rate_min < 33', 4), 0)})"),
        known("map_max", f"greatest({case(('map_min < 20.65', 4), ('map_min < 51', 3), ('map_min < 61.33', 2), 0)}, {case(('map_max > 143.44', 3), 0)})"),
        known("resp_rate_max", f"greatest({case(('resp_rate_min < 6', 10), ('resp_rate_min < 13', 1), 0)}, {case(('resp_rate_max > 44', 9), ('resp_rate_max > 30', 6), ('resp_rate_max > 22', 1), 0)})"),
        known("temperature_max", f"greatest({case(('temperature_min < 33.22', 3), ('temperature_min < 35.94', 4), ('temperature_min < 36.4', 2), 0)}, {case(('temperature_max > 39.88', 6), ('temperature_max >= 36.89', 2), ('temperature_max >= 35.94', 0), ('temperature_max >= 33.22', 4), 3)})"),
        known("urine", f"{day} * " + case(("urine < 671.09", 10), ("urine < 1427", 5), ("urine < 2544.15", 1), ("urine > 6896.8", 8), 0)),
        "case when ventilated then 9 else 0 end",
        "case when elective = 1 and surgical = 1 then 0 when elective is not null and surgical is not null then 6 end",
    ]
    con.execute(f"""create table oasis as select stay, {' + '.join(f'coalesce({p}, 0)' for p in parts)} as oasis,
        heart_rate_lost or map_lost or resp_rate_lost or temperature_lost or urine_output_lost or coalesce(gcs is null and lost, false) as open
        from worst left join gcs using (stay) left join facts using (stay) left join (select stay, true as ventilated from
            (select stay from m where kind = 'setting' union select stay from lasting where kind = 'procedure')) using (stay)""")
    parts = [
        known("age", case(("age < 40", 0), ("age < 60", 7), ("age < 70", 12), ("age < 75", 15), ("age < 80", 16), 18)),
        known("heart_rate_max", f"greatest({case(('heart_rate_min < 40', 11), ('heart_rate_min < 70', 2), 0)}, {case(('heart_rate_max >= 160', 7), ('heart_rate_max >= 120', 4), 0)})"),
        known("sbp_max", f"greatest({case(('sbp_min < 70', 13), ('sbp_min < 100', 5), 0)}, {case(('sbp_max >= 200', 2), 0)})"),
        known("temperature_max", case(("temperature_max >= 39", 3), 0)),
        known("bun_max", case(("bun_max < 28", 0), ("bun_max < 84", 6), 10)),
        known("wbc_max", f"greatest({case(('wbc_min < 1', 12), 0)}, {case(('wbc_max >= 20', 3), 0)})"),
        known("potassium_max", case(("potassium_min < 3 or potassium_max >= 5", 3), 0)),
        known("sodium_max", f"greatest({case(('sodium_min < 125', 5), 0)}, {case(('sodium_max >= 145', 1), 0)})"),
        known("bicarbonate_min", case(("bicarbonate_min < 15", 6), ("bicarbonate_min < 20", 3), 0)),
        known("bilirubin_max", case(("bilirubin_max < 4", 0), ("bilirubin_max < 6", 4), 9)),
        "g.saps",
        known("urine", f"{day} * " + case(("urine < 500", 11), ("urine < 1000", 4), 0)),
        known("gcs", case(("gcs < 6", 26), ("gcs < 9", 13), ("gcs < 11", 7), ("gcs < 14", 5), 0)),
        "greatest(17 * aids, 10 * blood, 9 * metastasis)",
        "case when surgical = 0 then 6 when surgical = 1 and elective = 1 then 0 when surgical = 1 and elective = 0 then 8 end",
    ]
    lost = " or ".join(f"{k}_lost" for k in ["heart_rate", "sbp", "temperature", "bun", "wbc", "potassium", "sodium", "bicarbonate", "bilirubin", "urine_output"])
    con.execute(f"""create table saps as select stay, {' + '.join(f'coalesce({p}, 0)' for p in parts)} as saps,
        greatest(17 * aids, 10 * blood, 9 * metastasis) as chronic,
        {lost} or coalesce(gcs is null and lost, false) or (g.points is null and (pao2_lost or (pao2_max is not null and fio2_lost))) as open
        from worst left join gcs using (stay) left join facts using (stay) left join gas g using (stay)""")


def compare(con, features, labels, queries, tolerance=1e-9):
    """Holds columns of a bundle against queries that give (stay, value); ends the program."""
    wrong, compared = [], 0
    for file, wanted in [(features, queries[0]), (labels, queries[1])]:
        ours = con.execute(f"select * from read_parquet('{file}')")
        header = [c[0] for c in ours.description]
        rows = ours.fetchall()
        n = con.execute("select count(*) from stays").fetchone()[0]
        if n != len(rows):
            wrong.append(f"{len(rows)} records, {n} stays")
        for column, query in wanted.items():
            truth = dict(con.execute(query).fetchall())
            values = [row[header.index(column)] for row in rows]
            found = sum(v is not None for v in values)
            differ = 0
            for row, a in zip(rows, values):
                stay = row[header.index("record_id")]
                b = truth.get(stay)
                compared += 1
                if (a is None) != (b is None) or (a is not None and abs(a - b) > tolerance * max(1.0, abs(b))):
                    differ += 1
                    wrong.append(f"{column}: stay {stay}: cohort-flow {a!r}, SQL {b!r}")
            print(f"{column}: {found} of {len(rows)} stays have a value, {differ} differ")
    print(f"{compared} values compared, {len(wrong)} differ by more than {tolerance}")
    for line in wrong[:60]:
        print(line)
    sys.exit(1 if wrong else 0)


def queries():
    """Columns of the pipeline by query, given that all tables are made."""
    of = lambda table, column: f"select stay, {column} from {table}"
    features = {f"sofa_{p}": of("sofa", p) for p in
                ["respiration", "coagulation", "liver", "vasopressors", "circulation", "nervous", "creatinine", "urine", "kidney"]}
    features |= {"sofa": of("sofa", "sofa"), "qsofa": of("small", "qsofa"), "sirs": of("small", "sirs"), "news2": of("news", "news2"),
                 "kdigo_creatinine": of("kdigo", "stage"), "kdigo_urine": of("kdigo_urine", "stage"),
                 "map_time_mean": of("pressure", "mean"), "map_below_65": "select stay, coalesce(below, 0) from pressure",
                 "norepinephrine_equivalent": of("dose", "dose"),
                 "ventilated": """select stay, (stay in (select stay from m where kind = 'setting' union select stay from lasting
                                  where kind = 'procedure'))::int from stays""",
                 "oasis": "select stay, case when not coalesce(open, false) then oasis end from oasis",
                 "saps2": "select stay, case when not coalesce(open, false) then saps end from saps",
                 "saps2_chronic": "select stay, chronic from saps"}
    return features


def run(con, features, labels, more, outcomes):
    prepare(con)
    wide(con)
    gcs(con)
    respiration(con)
    sofa(con)
    others(con)
    over_time(con)
    kidney(con)
    oasis_and_saps(con)
    compare(con, features, labels, (queries() | more, outcomes))
