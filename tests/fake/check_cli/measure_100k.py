#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""CPU seconds and memory of `syncline check` for 10,000 and 100,000 rows: measure_100k.py PROGRAM [MORE OPTIONS]."""
import os
import subprocess
import sys
import tempfile

HEADER = "case_id,env_as_of,prof_name,prof_type,prof_in_host,prof_out_host,prof_in_protocol,mbx_address,mbx_exchange_version,mbx_mfa,req_act\n"
ROWS = [
    "{i},2025-06-02,Google,gmail,,,,user{i}@gmail.com,,,\n",
    "{i},2025-06-02,Basement,exchange_hybrid,,,ews,user{i}@contoso.example,2019,no,sss\n",
    "{i},2025-06-02,Cloud,exchange_online,,,,user{i}@contoso.example,,no,\n",
    "{i},2025-06-02,Elsewhere,imap_smtp,imap.mail.example,smtp.mail.example,,user{i}@mail.example,,,sss\n",
    "{i},2025-06-02,Basement,exchange_hybrid,,,pop3,user{i}@contoso.example,2013,yes,\n",
]


def measure(program, options, rows):
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        file.write(HEADER)
        for i in range(rows):
            file.write(ROWS[i % len(ROWS)].format(i=i))
        file.flush()
        child = subprocess.Popen([program, "check", file.name, "--format", "json", *options], stdout=subprocess.DEVNULL)
        _, _, usage = os.wait4(child.pid, 0)
    print(f"{rows:7} rows: {usage.ru_utime + usage.ru_stime:.2f} CPU seconds, {usage.ru_maxrss / 1024:.1f} MB at most")


for count in (10_000, 100_000):
    measure(sys.argv[1], sys.argv[2:], count)
