// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/front/request_log.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/text.hpp"

namespace exchange_sim {

namespace json = boost::json;

namespace {

// Peers choose user agents, addresses and paths; JSON wants UTF-8.
std::string clean(std::string_view text) {
  return syncline::text::to_xml_text(text);
}

json::array strings(const std::vector<std::string>& texts) {
  json::array out;
  for (const auto& text : texts) out.emplace_back(clean(text));
  return out;
}

std::string rfc3339(syncline::SystemTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)), (time - seconds).count());
}

}  // namespace

std::string to_json(const LogEntry& entry) {
  json::array rules;
  for (const auto id : entry.fault_rules) rules.emplace_back(id);
  const json::object out{{"n", entry.number},
                         {"time", rfc3339(entry.time)},
                         {"site", entry.site},
                         {"method", clean(entry.method)},
                         {"path", clean(entry.path)},
                         {"operation", clean(entry.operation)},
                         {"authenticatedAs", clean(entry.authenticated_as)},
                         {"scheme", entry.scheme},
                         {"mailbox", clean(entry.mailbox)},
                         {"impersonation", clean(entry.impersonation)},
                         {"anchor", clean(entry.anchor)},
                         {"version", clean(entry.version)},
                         {"clientRequestId", clean(entry.client_request_id)},
                         {"userAgent", clean(entry.user_agent)},
                         {"connection", entry.connection},
                         {"tls", entry.tls},
                         {"requestOctets", entry.request_octets},
                         {"status", entry.status},
                         {"responseOctets", entry.response_octets},
                         {"codes", strings(entry.codes)},
                         {"schemaViolations", strings(entry.schema_violations)},
                         {"faultRules", std::move(rules)},
                         {"duringBackOff", entry.during_back_off},
                         {"handled", entry.handled},
                         {"cut", entry.is_cut},
                         {"durationMs", entry.duration_ms}};
  return json::serialize(out);
}

void Counters::add(std::string_view name, std::uint64_t by) {
  const auto found = values_.find(name);
  if (found != values_.end()) {
    found->second += by;
  } else {
    values_.emplace(name, by);
  }
}

std::uint64_t Counters::get(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? 0 : found->second;
}

syncline::Result<void> RequestLog::open_file(const std::string& path) {
  file_.reset(std::fopen(path.c_str(), "ae"));
  if (!file_) return syncline::fail(syncline::ErrorDomain::local, "cannot-write", "cannot write " + path);
  return {};
}

void RequestLog::add(LogEntry entry) {
  ++finished_;
  if (file_) {
    const auto line = to_json(entry) + "\n";
    std::fwrite(line.data(), 1, line.size(), file_.get());
    std::fflush(file_.get());
  }
  entries_.push_back(std::move(entry));
  while (entries_.size() > capacity_) entries_.pop_front();
}

std::vector<LogEntry> RequestLog::with_operation(std::string_view operation) const {
  std::vector<LogEntry> out;
  for (const auto& entry : entries_) {
    if (entry.operation == operation) out.push_back(entry);
  }
  return out;
}

std::vector<std::string> RequestLog::schema_violations() const {
  std::vector<std::string> out;
  for (const auto& entry : entries_) {
    for (const auto& violation : entry.schema_violations) out.push_back(entry.operation + ": " + violation);
  }
  return out;
}

}  // namespace exchange_sim
