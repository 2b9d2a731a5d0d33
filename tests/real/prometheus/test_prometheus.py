#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Prometheus scrapes `syncline serve`; dashboard, alert rules and documentation name what is exported, and nothing
else."""
import json
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import unittest
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "sync_cli"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "serve_cli"))
from exchange_world import SOURCE, Exchange, Syncline, wait_for  # noqa: E402
from test_serve_cli import Serving  # noqa: E402

DOCS = pathlib.Path(SOURCE) / "docs"
RULES = DOCS / "monitoring" / "alerts.yml"
DASHBOARD = DOCS / "monitoring" / "grafana.json"


def expressions_of_dashboard():
    board = json.loads(DASHBOARD.read_text())
    return [target["expr"] for panel in board["panels"] for target in panel["targets"]]


def expressions_of_rules():
    return re.findall(r"^\s+expr: (.+)$", RULES.read_text(), re.M)


def documented():
    """Name to (type, {label: values}) of the table in docs/serve.md."""
    rows = re.findall(r"^\| `(syncline_\w+)` \| (\w+) \| (.*?) \|", (DOCS / "serve.md").read_text(), re.M)
    return {name: (kind, {label: set(values.replace(" ", "").split(","))
                          for label, values in re.findall(r"`(\w+)`: ([^;]+)", labels)})
            for name, kind, labels in rows}


def exported(text):
    """The same of what /metrics says."""
    found = {name: (kind, {}) for name, kind in re.findall(r"^# TYPE (\w+) (\w+)$", text, re.M)}
    for name, labels in re.findall(r"^(\w+?)(?:_bucket|_sum|_count)?(?:\{(.*)\})? \S+$", text, re.M):
        for label, value in re.findall(r'(\w+)="([^"]*)"', labels):
            if label != "le":
                found[name][1].setdefault(label, set()).add(value)
    return found


class Scraped(Serving):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for program in ("prometheus", "promtool"):
            if shutil.which(program) is None:
                raise AssertionError(f"{program} is missing; tools/setup installs it")

    def query(self, expression):
        url = f"http://127.0.0.1:{self.prometheus_port}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(url, timeout=30) as answer:
            result = json.load(answer)
        self.assertEqual(result["status"], "success", expression)
        return result["data"]["result"]

    def answers(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.prometheus_port}{path}", timeout=5) as answer:
                return json.load(answer) if path.startswith("/api") else True
        except OSError:
            return None

    def scrape(self):
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.prometheus_port = one.getsockname()[1]
        folder = self.folder / "prometheus"
        folder.mkdir()
        shutil.copy(RULES, folder)
        configuration = (DOCS / "monitoring" / "prometheus.yml").read_text()
        self.assertIn("127.0.0.1:9464", configuration)
        configuration = configuration.replace("127.0.0.1:9464", self.http.removeprefix("http://")).replace("15s", "1s")
        (folder / "prometheus.yml").write_text(configuration)
        log = open(folder / "log", "wb")
        self.addCleanup(log.close)
        process = subprocess.Popen(
            ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
             f"--web.listen-address=127.0.0.1:{self.prometheus_port}"], stdout=log, stderr=log)
        self.addCleanup(process.wait)
        self.addCleanup(process.send_signal, signal.SIGTERM)
        wait_for(lambda: self.answers("/-/ready"), "Prometheus", 60)
        # A first scrape, and one after the second run.
        wait_for(lambda: self.query("count_over_time(syncline_ready[1m]) > 2"), "scrapes", 60)

    def test_what_is_exported_is_what_is_documented_asked_for_and_scraped(self):
        user = self.exchange.user()
        self.ready(user)
        self.exchange.add_contact(user, "Olga", "Nowak")
        self.serve()
        wait_for(lambda: self.metric("syncline_items_total", kind="contact", outcome="came") == 1, "the first run")

        metrics = exported(self.get("/metrics")[2])
        self.assertEqual(metrics, documented(), "docs/serve.md and /metrics")
        self.assertNotIn(user, self.get("/metrics")[2])
        answers = {one: self.metric("syncline_server_answer_seconds_count", protocol="ews", operation=one) for one in ("read", "sync", "write")}
        self.assertTrue(all(answers.values()), answers)
        self.assertEqual(self.metric("syncline_server_answer_seconds_count", protocol="imap", operation="command"), 0)
        before = self.metric("syncline_api_answer_seconds_count", operation="read")
        self.get("/api/v1/openapi.json")
        self.assertEqual(self.metric("syncline_api_answer_seconds_count", operation="read"), before + 1)

        names = set()
        for expression in expressions_of_dashboard() + expressions_of_rules():
            used = set(re.findall(r"\bsyncline_\w+", expression))
            self.assertTrue(used or "up{" in expression, expression)
            for name in used:
                base = re.sub(r"_(bucket|sum|count)$", "", name)
                self.assertIn(base, metrics, expression)
                names.add(base)
            for name, labels in re.findall(r"\b(syncline_\w+)\{([^}]*)\}", expression):
                for label, value in re.findall(r'(\w+)="([^"$]*)"', labels):
                    if label != "job":
                        self.assertIn(value, metrics[name][1].get(label, ()), expression)
        self.assertEqual(set(metrics) - names, set(), "exported, and neither in the dashboard nor in a rule")

        checked = subprocess.run(["promtool", "check", "rules", RULES], capture_output=True, text=True)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        checked = subprocess.run(["promtool", "check", "metrics"], input=self.get("/metrics")[2], capture_output=True, text=True)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)

        self.scrape()
        for expression in expressions_of_dashboard():
            self.query(expression.replace("$job", "syncline").replace("$instance", ".*"))
        came = self.query('syncline_items_total{job="syncline",kind="contact",outcome="came"}')
        self.assertEqual([one["value"][1] for one in came], ["1"])
        rules = [rule for group in self.answers("/api/v1/rules")["data"]["groups"] for rule in group["rules"]]
        self.assertEqual(len(rules), len(expressions_of_rules()))
        wait_for(lambda: all(rule["health"] == "ok" for group in self.answers("/api/v1/rules")["data"]["groups"]
                             for rule in group["rules"]), "the rules' first evaluation", 90)
        self.assertEqual(self.query('ALERTS{alertname="SynclineDown",alertstate="firing"}'), [])
        alerts = {rule["name"] for rule in rules}
        explained = set(re.findall(r"^\| `(Syncline\w+)`", (DOCS / "monitoring.md").read_text(), re.M))
        self.assertEqual(alerts, explained, "docs/monitoring.md explains every alert")
        self.end()


del Serving  # its own tests run where it stands

if __name__ == "__main__":
    Syncline.exchange = Exchange()
    try:
        unittest.main(verbosity=2)
    finally:
        Syncline.exchange.close()
