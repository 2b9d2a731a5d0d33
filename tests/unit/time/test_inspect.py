#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`syncline inspect recurrence|timezone` from outside: shapes by their schemas, dates by python3-dateutil, offsets by
zoneinfo, the examples of RFC 5545, and lines that are not what they should be."""
import datetime as dt
import json
import os
import random
import subprocess
import sys
import tempfile

try:
    import jsonschema
    from dateutil import rrule
    import zoneinfo
except ImportError as missing:
    print(f"SKIPPED: {missing}")
    sys.exit(77)

PROGRAM = os.path.join(os.environ["SYNCLINE_BIN_DIR"], "syncline")
SCHEMAS = os.path.join(os.environ["SYNCLINE_SOURCE_DIR"], "docs", "schemas")
DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
failures = []


def check(condition, *what):
    if not condition:
        failures.append(what)
        print("FAILED:", *what)


def schema(name):
    with open(os.path.join(SCHEMAS, name), encoding="utf-8") as file:
        return jsonschema.Draft7Validator(json.load(file))


RECURRENCE = schema("inspect-recurrence.schema.json")
TIMEZONE = schema("inspect-timezone.schema.json")


def recurrence(lines, *options, raw=False):
    text = b"".join((line if raw else json.dumps(line).encode()) + b"\n" for line in lines)
    run = subprocess.run([PROGRAM, "inspect", "recurrence", "-", *options], input=text, capture_output=True, timeout=60)
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    for answer in answers:
        RECURRENCE.validate(answer)
    return run.returncode, answers


def random_rule(rnd):
    """Rules on whose meaning RFC 5545 and dateutil agree."""
    freq = rnd.choice(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"])
    parts = [f"FREQ={freq}"]
    if rnd.random() < 0.5:
        parts.append(f"INTERVAL={rnd.randint(1, 6)}")
    some = lambda low, high, most: ",".join(str(n) for n in sorted(rnd.sample(range(low, high + 1), rnd.randint(1, most))))
    days = lambda: ",".join(rnd.sample(DAYS, rnd.randint(1, 4)))
    setpos = False
    if freq == "DAILY":
        if rnd.random() < 0.3:
            parts.append("BYMONTH=" + some(1, 12, 4))
        if rnd.random() < 0.3:
            parts.append("BYDAY=" + days())
    elif freq == "WEEKLY":
        if rnd.random() < 0.8:
            parts.append("BYDAY=" + days())
        if rnd.random() < 0.5:
            parts.append("WKST=" + rnd.choice(DAYS))
    elif freq == "MONTHLY":
        choice = rnd.random()
        if choice < 0.3:
            parts.append("BYMONTHDAY=" + some(1, 31, 4))
        elif choice < 0.4:
            parts.append(f"BYMONTHDAY=-{rnd.randint(1, 5)}")
        elif choice < 0.6:
            parts.append("BYDAY=" + rnd.choice(["1", "2", "3", "4", "5", "-1", "-2"]) + rnd.choice(DAYS))
        elif choice < 0.9:
            parts.append("BYDAY=" + days())
            setpos = True
    else:
        choice = rnd.random()
        if choice < 0.5:
            parts.append("BYMONTH=" + some(1, 12, 3))
            if rnd.random() < 0.5:
                parts.append("BYDAY=" + days())
                setpos = True
            else:
                parts.append("BYMONTHDAY=" + some(1, 31, 3))
        elif choice < 0.6:
            parts.append("BYYEARDAY=" + some(1, 366, 4))
        elif choice < 0.7:
            parts.append("BYWEEKNO=" + some(1, 52, 3))
            parts.append("BYDAY=" + days())
            parts.append("WKST=" + rnd.choice(DAYS))
        elif choice < 0.8:
            parts.append("BYDAY=" + rnd.choice(["1", "20", "-1", "-10"]) + rnd.choice(DAYS))
    if setpos and rnd.random() < 0.7:
        parts.append("BYSETPOS=" + rnd.choice(["1", "2", "-1", "-2", "1,-1"]))
    return ";".join(parts)


def dates_of(rule, start, most):
    found = []
    for date in rrule.rrulestr("RRULE:" + rule, dtstart=start):
        if len(found) == most or date.year > 2400:
            break
        found.append(date)
    return found


def test_against_dateutil():
    rnd = random.Random(5545)
    cases = []
    for _ in range(2500):
        start = dt.datetime(rnd.randint(1990, 2030), 1, 1, rnd.randint(0, 23), rnd.randint(0, 59)) + dt.timedelta(
            days=rnd.randint(0, 1500))
        cases.append((random_rule(rnd), start))
    lines = [{"rrule": rule, "dtstart": start.strftime("%Y%m%dT%H%M%S")} for rule, start in cases]
    status, answers = recurrence(lines, "--count", "12")
    check(status == 0 and len(answers) == len(lines), "status", status, len(answers))
    spoken = 0
    for (rule, start), answer in zip(cases, answers):
        expected = dates_of(rule, start, 12)
        if not expected or expected[0] != start:
            expected = [start] + expected[:11]
        expected = [date.strftime("%Y-%m-%dT%H:%M:%S") for date in expected]
        check(answer["dates"] == expected, rule, start, answer["dates"], expected)
        if answer["ews"] is not None:
            spoken += 1
            lines.append({"recurrence": answer["ews"], "start": start.strftime("%Y%m%dT%H%M%S"), "expected": expected})
    check(spoken > 500, "rules that EWS can say", spoken)
    # What EWS was said to say gives the same dates, and its own RRULE does too.
    second = lines[len(cases):]
    _, again = recurrence(second, "--count", "12")
    for line, answer in zip(second, again):
        check(answer["dates"] == line["expected"], line, answer["dates"])
        own = dates_of(answer["rrule"], dt.datetime.fromisoformat(answer["dates"][0]), 12)
        check([date.strftime("%Y-%m-%dT%H:%M:%S") for date in own] == answer["dates"], answer["rrule"], answer["dates"])


RFC_EXAMPLES = [  # section 3.8.5.3: rule, start, occurrences from the RFC's text (as many as it names)
    ("FREQ=DAILY;COUNT=10", "19970902T090000", ["1997-09-02", "1997-09-03", "1997-09-11"], 10),
    ("FREQ=DAILY;INTERVAL=10;COUNT=5", "19970902T090000", ["1997-09-02", "1997-09-12", "1997-10-12"], 5),
    ("FREQ=WEEKLY;UNTIL=19971224T000000Z", "19970902T090000", ["1997-09-02", "1997-09-09", "1997-12-23"], 17),
    ("FREQ=WEEKLY;INTERVAL=2;WKST=SU;COUNT=3", "19970902T090000", ["1997-09-02", "1997-09-16", "1997-09-30"], 3),
    ("FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH", "19970902T090000", ["1997-09-02", "1997-09-04", "1997-10-02"], 10),
    ("FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR", "19970901T090000",
     ["1997-09-01", "1997-09-03", "1997-12-22"], 25),
    ("FREQ=MONTHLY;COUNT=10;BYDAY=1FR", "19970905T090000", ["1997-09-05", "1997-10-03", "1998-06-05"], 10),
    ("FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU", "19970907T090000", ["1997-09-07", "1997-09-28", "1998-05-31"], 10),
    ("FREQ=MONTHLY;COUNT=6;BYDAY=-2MO", "19970922T090000", ["1997-09-22", "1997-10-20", "1998-02-16"], 6),
    ("FREQ=MONTHLY;BYMONTHDAY=-3;COUNT=6", "19970928T090000", ["1997-09-28", "1997-10-29", "1998-02-26"], 6),
    ("FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15", "19970902T090000", ["1997-09-02", "1997-09-15", "1998-01-15"], 10),
    ("FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1", "19970930T090000", ["1997-09-30", "1997-10-01", "1998-02-01"], 10),
    ("FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15", "19970910T090000",
     ["1997-09-10", "1997-09-11", "1999-03-13"], 10),
    ("FREQ=YEARLY;COUNT=10;BYMONTH=6,7", "19970610T090000", ["1997-06-10", "1997-07-10", "2001-07-10"], 10),
    ("FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3", "19970310T090000", ["1997-03-10", "1999-01-10", "2003-03-10"], 10),
    ("FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200", "19970101T090000",
     ["1997-01-01", "1997-04-10", "2006-01-01"], 10),
    ("FREQ=YEARLY;BYDAY=20MO;COUNT=3", "19970519T090000", ["1997-05-19", "1998-05-18", "1999-05-17"], 3),
    ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO;COUNT=3", "19970512T090000", ["1997-05-12", "1998-05-11", "1999-05-17"], 3),
    ("FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13;COUNT=10", "19970913T090000",
     ["1997-09-13", "1997-10-11", "1998-06-13"], 10),
    ("FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8;COUNT=3", "19961105T090000",
     ["1996-11-05", "2000-11-07", "2004-11-02"], 3),
    ("FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "19970904T090000", ["1997-09-04", "1997-10-07", "1997-11-06"], 3),
    ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2;COUNT=7", "19970929T090000",
     ["1997-09-29", "1997-10-30", "1998-03-30"], 7),
    ("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "19970805T090000", ["1997-08-05", "1997-08-10", "1997-08-24"], 4),
    ("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "19970805T090000", ["1997-08-05", "1997-08-17", "1997-08-31"], 4),
    ("FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5", "20070115T090000", ["2007-01-15", "2007-01-30", "2007-03-30"], 5),
]


def test_rfc_examples():
    _, answers = recurrence([{"rrule": rule, "dtstart": start} for rule, start, _, _ in RFC_EXAMPLES])
    for (rule, _, (first, second, last), number), answer in zip(RFC_EXAMPLES, answers):
        days = [date[:10] for date in answer["dates"]]
        check((days[0], days[1], days[-1], len(days)) == (first, second, last, number), rule, days)
    _, (answer,) = recurrence([{"rrule": "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "dtstart": "19970902T090000",
                                "exdates": ["19970902T090000"]}], "--count", "5")
    check([date[:10] for date in answer["dates"]] == ["1998-02-13", "1998-03-13", "1998-11-13", "1999-08-13", "2000-10-13"],
          "Friday the 13th", answer)


def test_lines():
    good = {"rrule": "FREQ=DAILY;COUNT=2", "dtstart": "2026-01-01"}
    deep = b"[" * 100000
    long_line = json.dumps({**good, "pad": "x" * (1 << 20)}).encode()
    bad = [b"nonsense", b"[]", b"{}", b'{"rrule":"FREQ=SECONDLY;BYMONTHDAY=30;BYMONTH=2","dtstart":"20260101"}', deep, long_line,
           b'{"rrule":"FREQ=DAILY;COUNT=2","dtstart":"2026-02-30"}', b'{"rrule":"FREQ=DAILY;COUNT=0","dtstart":"20260101"}',
           b'{"rrule":"FREQ=YEARLY;RSCALE=HEBREW","dtstart":"20260101"}', b'{"rrule":"FREQ=DAILY","dtstart":"\xff\xfe"}',
           b'{"recurrence":"<!DOCTYPE x [<!ENTITY a \\"b\\">]><Recurrence/>"}', b'{"recurrence":"<Recurrence>"}',
           b'{"rrule":"FREQ=DAILY;COUNT=1;UNTIL=20260101","dtstart":"20260101"}']
    lines = []
    for line in bad:
        lines += [line, json.dumps(good).encode()]
    status, answers = recurrence(lines, raw=True)
    check(status == 1 and len(answers) == len(lines), "lines", status, len(answers))
    for i, answer in enumerate(answers):
        check(("error" in answer) == (i % 2 == 0) and answer["line"] == i + 1, i, answer)
    status, (answer,) = recurrence([good])
    check(status == 0 and answer["dates"] == ["2026-01-01", "2026-01-02"], answer)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "missing.jsonl")
        run = subprocess.run([PROGRAM, "inspect", "recurrence", path], capture_output=True, timeout=60)
        check(run.returncode == 1 and json.loads(run.stdout)["error"]["code"] == "cannot-open", run)
    run = subprocess.run([PROGRAM, "inspect", "recurrence", "-", "--count", "-1"], input=b"", capture_output=True, timeout=60)
    check(run.returncode == 2 and not run.stdout, "usage", run)


def timezones(names, *options):
    run = subprocess.run([PROGRAM, "inspect", "timezone", *names, *options], capture_output=True, timeout=60)
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    for answer in answers:
        TIMEZONE.validate(answer)
    return run.returncode, answers


def test_timezones():
    # Every zone of the system's data at a few instants; zoneinfo has no rules of its own either, but other code.
    rnd = random.Random(598)
    known = [name for name in sorted(zoneinfo.available_timezones()) if name not in ("localtime", "Factory")]
    unknown = 0
    for year in (1985, 2007, 2026, 2050, 2060):
        moment = dt.datetime(year, rnd.randint(1, 12), rnd.randint(1, 28), rnd.randint(0, 23), tzinfo=dt.timezone.utc)
        names = rnd.sample(known, 150) + ["Europe/Berlin", "America/New_York"]
        _, answers = timezones(names, "--at", moment.strftime("%Y-%m-%dT%H:%M:%SZ"))
        check(len(answers) == len(names), "answers", len(answers))
        for name, answer in zip(names, answers):
            if "error" in answer:
                unknown += 1
                check(False, name, answer)
                continue
            offset = int(moment.astimezone(zoneinfo.ZoneInfo(name)).utcoffset().total_seconds())
            hours, minutes = divmod(abs(offset) // 60, 60)
            wanted = f"{'-' if offset < 0 else '+'}{hours:02}:{minutes:02}"
            check(answer["rules"]["offset"][:6] == wanted, name, moment, answer["rules"]["offset"], wanted)
    status, (good, bad) = timezones(["W. Europe Standard Time", "Nowhere/At_All"], "--at", "2026-07-01")
    check(status == 1 and good["iana"] == "Europe/Berlin" and good["rules"]["offset"] == "+02:00", good)
    check(bad["error"]["code"] == "unknown-zone", bad)
    run = subprocess.run([PROGRAM, "inspect", "timezone", "UTC", "--at", "yesterday"], capture_output=True, timeout=60)
    check(run.returncode == 2 and not run.stdout, "usage", run)


for test in (test_rfc_examples, test_lines, test_timezones, test_against_dateutil):
    before = len(failures)
    test()
    print(test.__name__, "ok" if len(failures) == before else f"{len(failures) - before} failures")
sys.exit(1 if failures else 0)
