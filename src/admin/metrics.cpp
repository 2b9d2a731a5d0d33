// SPDX-License-Identifier: GPL-3.0-or-later
#include "admin/metrics.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
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

MetricFamily gauge(std::string name, std::string help, std::uint64_t value) {
  MetricFamily made = family(std::move(name), std::move(help), MetricType::Gauge);
  add(made, {}, value);
  return made;
}

std::uint64_t unsigned_of(std::int64_t count) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, count));
}

void add_standing(std::vector<MetricFamily>& families, const store::Standing& standing) {
  MetricFamily backlog =
      family("writes_waiting", "Writes to servers that are not finished", MetricType::Gauge);
  add(backlog, {{"for", "run"}}, unsigned_of(standing.changes_waiting));
  add(backlog, {{"for", "server"}}, unsigned_of(standing.writes_waiting));
  add(backlog, {{"for", "person"}}, unsigned_of(standing.writes_for_a_person));
  families.push_back(std::move(backlog));
  families.push_back(
      gauge("quarantined_items", "Remote items that cannot be read", unsigned_of(standing.quarantined)));
  MetricFamily alerts = family("alerts_open", "Alerts that nobody has settled", MetricType::Gauge);
  constexpr std::array levels = {"information", "warning", "error"};
  for (std::size_t level = 0; level < levels.size(); ++level)
    add(alerts, {{"level", levels[level]}}, unsigned_of(standing.alerts_open[level]));
  families.push_back(std::move(alerts));
}

/// Servers word their refusals as they like; what is not known here is "other".
MetricFamily resyncs(const store::Resyncs& counted) {
  constexpr std::pair<std::string_view, const char*> reasons[] = {
      {"ErrorInvalidSyncStateData", "sync-state-refused"},
      {"uidvalidity-changed", "numbered-anew"},
      {"bad-cursor", "state-not-readable"}};
  MetricFamily made = family("resyncs_total", "Folders read again from their beginning", MetricType::Counter);
  std::uint64_t other = 0;
  for (const auto& [_, count] : counted.by_reason) other += count;
  for (const auto& [code, reason] : reasons) {
    const auto found = counted.by_reason.find(code);
    const std::uint64_t count = found == counted.by_reason.end() ? 0 : found->second;
    other -= count;
    add(made, {{"reason", reason}}, count);
  }
  add(made, {{"reason", "other"}}, other);
  return made;
}

void add_connections(std::vector<MetricFamily>& families, const ServerUse& open) {
  MetricFamily made = family("connections", "Connections to servers that are in use", MetricType::Gauge);
  add(made, {{"use", "request"}}, std::uint64_t{open.requests});
  add(made, {{"use", "stream"}}, std::uint64_t{open.streams});
  add(made, {{"use", "idle"}}, std::uint64_t{open.idle});
  families.push_back(std::move(made));
  families.push_back(gauge("requests_waiting", "Requests that wait for their turn or for the end of a pause",
                           std::uint64_t{open.waiting}));
  families.push_back(family("throttled_seconds_total",
                            "Time in pauses that servers asked for, of all credentials and mailboxes",
                            MetricType::Counter));
  add(families.back(), {}, seconds(open.throttled));
}

template <std::int64_t... bounds_ms>
void add(MetricFamily& family, Labels labels, const DurationHistogram<bounds_ms...>& times) {
  ClientMetric metric;
  metric.label = std::move(labels);
  std::uint64_t so_far = 0;
  for (std::size_t i = 0; i < times.counts().size(); ++i) {
    so_far += times.counts()[i];
    const double bound = i < times.bounds.size() ? static_cast<double>(times.bounds[i]) / 1000
                                                 : std::numeric_limits<double>::infinity();
    metric.histogram.bucket.push_back({so_far, bound});
  }
  metric.histogram.sample_count = so_far;
  metric.histogram.sample_sum = times.sum().count();
  family.metric.push_back(std::move(metric));
}

MetricFamily run_durations(const RunTimes& times) {
  MetricFamily made = family("run_seconds", "Time that a mailbox's run took", MetricType::Histogram);
  add(made, {}, times);
  return made;
}

MetricFamily answer_durations(const std::vector<AnswerTimes>& answers) {
  MetricFamily made =
      family("server_answer_seconds", "Time that servers took to answer requests", MetricType::Histogram);
  for (const AnswerTimes& answer : answers)
    add(made, {{"protocol", std::string(answer.protocol)}, {"operation", std::string(answer.operation)}},
        answer.times);
  return made;
}

MetricFamily api_durations(const ApiTimes& times) {
  MetricFamily made =
      family("api_answer_seconds", "Time that the API took to answer requests", MetricType::Histogram);
  add(made, {{"operation", "read"}}, times.read);
  add(made, {{"operation", "write"}}, times.write);
  return made;
}

}  // namespace

Metrics::Metrics(const service::Daemon& daemon, store::Store& store, std::function<ServerUse()> servers)
    : daemon_(daemon),
      store_(store),
      servers_(std::move(servers)),
      resyncs_(store.read<store::Resyncs>(store::begin_counting_resyncs)) {}

std::string Metrics::text(SteadyTime now) {
  const std::vector<service::MailboxTurn> turns = daemon_.turns();
  const service::DaemonTotals& totals = daemon_.totals();
  std::vector<MetricFamily> families;
  families.push_back(mailboxes(turns, daemon_.not_ready().size()));
  families.push_back(watched(turns));
  auto [largest, middle] = lags(turns, now);
  families.push_back(std::move(largest));
  families.push_back(std::move(middle));
  families.push_back(gauge("ready", "1 while it serves", std::uint64_t{daemon_.is_ready()}));
  families.push_back(family("runs_total", "Runs of mailboxes that ended", MetricType::Counter));
  add(families.back(), {{"outcome", "done"}}, totals.runs - totals.failed_runs);
  add(families.back(), {{"outcome", "failed"}}, totals.failed_runs);
  families.push_back(family("requests_total", "Requests to mail servers", MetricType::Counter));
  add(families.back(), {}, totals.requests);
  families.push_back(items(totals));
  families.push_back(run_durations(run_times_));
  const ServerUse servers = servers_();
  add_connections(families, servers);
  families.push_back(answer_durations(servers.answers));
  families.push_back(api_durations(api_times_));
  if (const auto standing = store_.read<store::Standing>(store::read_standing))
    add_standing(families, *standing);
  if (resyncs_) {
    auto counted = store_.read<store::Resyncs>(
        [this](store::Transaction& transaction) { return store::count_resyncs(transaction, *resyncs_); });
    if (counted) resyncs_ = std::move(counted);
    families.push_back(resyncs(*resyncs_));
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace syncline::admin
