"""Sepsis-3 in SQL, written from Singer et al. (2016), JAMA 315:801-810, and Seymour et al. (2016), JAMA 315:762-774.

Needs the tables of scores.py (m, lasting, w) and, of every stay, antibiotic(stay, s) and culture(stay, s), with s in seconds since
its start, up to 96 hours before it.
"""

from scores import DAY, HOUR, step


def suspicion(con):
    con.execute(f"""create table pairs as
        select a.stay, a.s as moment, min(c.s) as t from antibiotic a join culture c
          on a.stay = c.stay and c.s between a.s - {72 * HOUR} and a.s group by a.stay, a.s
        union all
        select c.stay, c.s, min(a.s) from culture c join antibiotic a
          on a.stay = c.stay and a.s between c.s - {24 * HOUR} and c.s group by c.stay, c.s""")
    # Of pairs from before the start, those of the day before a heart rate of the window.
    con.execute(f"""create table suspected as select stay, min(t) as t from pairs join stays using (stay)
        where (moment >= 0 and moment < {DAY} and (length is null or moment <= length))
           or exists (select 1 from w where w.stay = pairs.stay and kind = 'heart_rate' and moment <= w.s and w.s - moment <= {24 * HOUR})
        group by stay""")


def points(con):
    near = f"s between t - {48 * HOUR} and t + {24 * HOUR}"
    simple = {
        "coagulation": ("platelets", step("x", 4, 20, 3, 50, 2, 100, 1, 150, 0)),
        "liver": ("bilirubin", step("x", 0, 1.2, 1, 2, 2, 6, 3, 12, 4)),
        "pressure": ("map", step("x", 1, 70, 0)),
        "creatinine": ("creatinine", step("x", 0, 1.2, 1, 2, 2, 3.5, 3, 5, 4)),
    }
    parts = [f"""select stay, '{name}' as part, max({value}) as p from m join suspected using (stay)
                 where kind = '{kind}' and {near} group by stay""" for name, (kind, value) in simple.items()]
    rates = {"dopamine": (0, 0, 2, 5, 3, 15, 4), "dobutamine": (0, 0, 2), "epinephrine": (0, 0, 3, 0.1, 4),
             "norepinephrine": (0, 0, 3, 0.1, 4)}
    for kind, bounds in rates.items():
        parts.append(f"""
            select stay, '{kind}', max({step('x', *bounds, above=True)}) from (
                select e.stay, e.s, sum(l.x) as x from (
                    select stay, s, stop from lasting where kind = '{kind}' union select stay, until, stop from lasting where kind = '{kind}') e
                join lasting l on l.kind = '{kind}' and l.stay = e.stay and l.s <= e.s and e.s < l.until
                where e.s < {DAY} group by e.stay, e.s) join suspected using (stay) where {near} group by stay""")
    parts.append(f"""select stay, 'nervous', max({step('g', 4, 6, 3, 10, 2, 13, 1, 15, 0)}) from (
        select stay, s, coalesce(avg(x) filter (where kind = 'gcs_eye') + avg(x) filter (where kind = 'gcs_verbal')
            + avg(x) filter (where kind = 'gcs_motor'), case when max(x) filter (where kind = 'gcs_tube') = 1 then 15 end) as g
          from m where kind like 'gcs_%' group by stay, s) join suspected using (stay) where {near} group by stay""")
    parts.append(f"""select stay, 'respiration', max(case when support and pf < 100 then 4 when support and pf < 200 then 3
            when pf < 300 then 2 when pf < 400 then 1 else 0 end) from (
        select *, exists (select 1 from lasting l where l.kind = 'procedure' and l.stay = g.stay and l.s <= g.s and g.s < l.until)
               or exists (select 1 from m where m.kind = 'setting' and m.stay = g.stay and m.s <= g.s and g.s - m.s <= {8 * HOUR})
               as support
          from (select p.stay, p.s, p.x / (select arg_max(f.x, f.s) from m f where f.kind = 'fio2' and f.stay = p.stay and f.s <= p.s
                  and p.s - f.s <= {DAY}) as pf from m p where p.kind = 'pao2') g where pf between 10 and 3000)
        join suspected using (stay) where {near} group by stay""")
    # A part of which something was recorded in those hours, and nothing that can be used, is not known to be normal.
    lost = " union all ".join(f"""select stay from w join suspected using (stay) where kind = '{kind}' and {near}
        group by stay having count(x) = 0""" for kind, _ in simple.values())
    con.execute(f"create table sepsis_lost as {lost}")
    con.execute("create table sepsis_parts as " + " union all ".join(parts))
    of = lambda part: f"coalesce(max(p) filter (where part = '{part}'), 0)"
    urine = f"""(select max(case when t >= 0 and hours >= 24 then {step('urine', 4, 200, 3, 500, 0)} end) from worst
                 join suspected using (stay) where stay = s.stay)"""
    con.execute(f"""create table sepsis as with r as (select s.stay, {' + '.join(map(of, ['respiration', 'coagulation', 'liver', 'nervous']))}
            + greatest({', '.join(map(of, ['pressure', *rates]))}) + greatest({of('creatinine')}, coalesce({urine}, 0)) as rise
          from stays s left join sepsis_parts using (stay) group by s.stay)
, k as (select stay, case when stay not in (select stay from sepsis_lost) then rise end as rise from r)
        select stay, rise, t / {HOUR} as suspected, case when t < -24 * {HOUR} then null else (rise >= 2)::int end as sepsis,
               case when t >= -24 * {HOUR} and rise >= 2 then t / {HOUR} end as onset
          from k left join suspected using (stay)""")
