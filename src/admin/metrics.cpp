// SPDX-License-Identifier: GPL-3.0-or-later
#include "admin/metrics.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "model/record.hpp"

namespace syncline::admin {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

using Labels = std::vector<ClientMetric::Label>;

MetricFamily family(std::string name, std::string help, MetricType type) {
  MetricFamily made;
  made.name = "syncline_" + std::move(name);
  made.help = std::move(help);
  made.type = type;
  return made;
}

void add(MetricFamily& family, Labels labels, double value) {
  ClientMetric metric;
  metric.label = std::move(labels);
  if (family.type == MetricType::Counter)
    metric.counter.value = value;
  else
    metric.gauge.value = value;
  family.metric.push_back(std::move(metric));
}

void add(MetricFamily& family, Labels labels, std::uint64_t value) {
  add(family, std::move(labels), static_cast<double>(value));
}

double seconds(SteadyTime::duration span) {
  return std::chrono::duration<double>(span).count();
}

MetricFamily mailboxes(const std::vector<service::MailboxTurn>& turns, std::size_t not_ready) {
  std::uint64_t running = 0, waiting = 0, failing = 0, waiting_for_server = 0;
  for (const service::MailboxTurn& turn : turns)
    ++(turn.is_running         ? running
       : turn.waits_for_server ? waiting_for_server
       : turn.is_failing       ? failing
                               : waiting);
  MetricFamily made = family("mailboxes", "Enabled mailboxes by what they are doing", MetricType::Gauge);
  add(made, {{"state", "running"}}, running);
  add(made, {{"state", "waiting"}}, waiting);
  add(made, {{"state", "failing"}}, failing);
  add(made, {{"state", "waiting-for-server"}}, waiting_for_server);
  add(made, {{"state", "refused-by-rules"}}, static_cast<std::uint64_t>(not_ready));
  return made;
}

MetricFamily watched(const std::vector<service::MailboxTurn>& turns) {
  const auto pushed = static_cast<std::uint64_t>(std::count_if(
      turns.begin(), turns.end(), [](const service::MailboxTurn& turn) { return turn.is_pushed; }));
  MetricFamily made =
      family("mailboxes_watched", "Enabled mailboxes by how changes in them are heard of", MetricType::Gauge);
  add(made, {{"by", "push"}}, pushed);
  add(made, {{"by", "poll"}}, static_cast<std::uint64_t>(turns.size()) - pushed);
  return made;
}

/// Of those that have succeeded at least once.
std::pair<MetricFamily, MetricFamily> lags(const std::vector<service::MailboxTurn>& turns, SteadyTime now) {
  std::vector<double> all;
  for (const service::MailboxTurn& turn : turns)
    if (turn.last_success) all.push_back(seconds(now - *turn.last_success));
  std::sort(all.begin(), all.end());
  MetricFamily largest =
      family("lag_seconds_max", "Longest time since a mailbox was last in step", MetricType::Gauge);
  add(largest, {}, all.empty() ? 0.0 : all.back());
  MetricFamily middle =
      family("lag_seconds_median", "Median time since mailboxes were last in step", MetricType::Gauge);
  add(middle, {}, all.empty() ? 0.0 : all[all.size() / 2]);
  return {std::move(largest), std::move(middle)};
}

MetricFamily items(const service::DaemonTotals& totals) {
  MetricFamily made = family("items_total", "Items and records by what became of them", MetricType::Counter);
  for (const model::RecordKind kind : model::record_kinds) {
    const sync::KindCounts& counts = totals.kinds[static_cast<std::size_t>(kind)];
    const std::pair<const char*, std::uint64_t> outcomes[] = {{"came", counts.came},
                                                              {"changed-here", counts.changed_here},
                                                              {"went", counts.went},
                                                              {"changed-there", counts.changed_there},
                                                              {"merged", counts.merged},
                                                              {"removed-here", counts.removed_here},
                                                              {"removed-there", counts.removed_there},
                                                              {"unlinked", counts.unlinked},
                                                              {"conflict", counts.conflicts},
                                                              {"not-tracked", counts.not_tracked},
                                                              {"quarantined", counts.quarantined},
                                                              {"refused", counts.refused}};
    for (const auto& [outcome, count] : outcomes)
      add(made, {{"kind", std::string(model::to_string(kind))}, {"outcome", outcome}}, count);
  }
  return made;
}

MetricFamily durations(const RunTimes& times) {
  MetricFamily made = family("run_seconds", "Time that a mailbox's run took", MetricType::Histogram);
  ClientMetric metric;
  std::uint64_t so_far = 0;
  for (std::size_t i = 0; i < times.counts.size(); ++i) {
    so_far += times.counts[i];
    const double bound = i < RunTimes::bounds_seconds.size() ? RunTimes::bounds_seconds[i]
                                                             : std::numeric_limits<double>::infinity();
    metric.histogram.bucket.push_back({so_far, bound});
  }
  metric.histogram.sample_count = so_far;
  metric.histogram.sample_sum = times.sum_seconds;
  made.metric.push_back(std::move(metric));
  return made;
}

}  // namespace

void RunTimes::add(std::chrono::milliseconds took) {
  const double span = std::chrono::duration<double>(took).count();
  const auto at =
      std::lower_bound(bounds_seconds.begin(), bounds_seconds.end(), span) - bounds_seconds.begin();
  ++counts[static_cast<std::size_t>(at)];
  sum_seconds += span;
}

std::string prometheus_text(const service::Daemon& daemon, const RunTimes& times, SteadyTime now) {
  const std::vector<service::MailboxTurn> turns = daemon.turns();
  const service::DaemonTotals& totals = daemon.totals();
  std::vector<MetricFamily> families;
  families.push_back(mailboxes(turns, daemon.not_ready().size()));
  families.push_back(watched(turns));
  auto [largest, middle] = lags(turns, now);
  families.push_back(std::move(largest));
  families.push_back(std::move(middle));
  families.push_back(family("ready", "1 while it serves", MetricType::Gauge));
  add(families.back(), {}, std::uint64_t{daemon.is_ready()});
  families.push_back(family("runs_total", "Runs of mailboxes that ended", MetricType::Counter));
  add(families.back(), {{"outcome", "done"}}, totals.runs - totals.failed_runs);
  add(families.back(), {{"outcome", "failed"}}, totals.failed_runs);
  families.push_back(family("requests_total", "Requests to mail servers", MetricType::Counter));
  add(families.back(), {}, totals.requests);
  families.push_back(items(totals));
  families.push_back(durations(times));
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace syncline::admin
