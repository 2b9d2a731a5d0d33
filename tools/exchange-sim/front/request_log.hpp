// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What was asked and what was answered, one entry a request, as values and as JSON lines.
#include <cstdint>
#include <cstdio>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace exchange_sim {

struct LogEntry {
  std::uint64_t number = 0;  ///< from 1, in order of arrival
  syncline::SystemTime time{};
  std::string site;
  std::string method;
  std::string path;       ///< without the query
  std::string operation;  ///< "GetItem"; "token", "autodiscover-v2|pox|soap", "other" where it is not EWS
  std::string authenticated_as;  ///< empty: not authenticated
  std::string scheme;            ///< "basic", "ntlm", "negotiate", "bearer"; empty: none
  std::string mailbox;           ///< whose mailbox was acted on
  std::string impersonation;     ///< the address asked for; empty: no ExchangeImpersonation
  std::string anchor;            ///< X-AnchorMailbox
  std::string version;           ///< RequestServerVersion
  std::string client_request_id;
  std::string user_agent;
  std::uint64_t connection = 0;  ///< number of the connection
  bool tls = false;
  std::uint64_t request_octets = 0;
  int status = 0;  ///< 0: no answer was given
  std::uint64_t response_octets = 0;
  std::vector<std::string> codes;              ///< fault code, or response codes other than NoError
  std::vector<std::string> schema_violations;  ///< "line 3: …"
  std::vector<std::uint64_t> fault_rules;      ///< ids of the fault rules that fired
  bool during_back_off = false;                ///< arrived while its budget had been told to wait
  bool handled = false;                        ///< the service has seen it
  bool is_cut =
      false;  ///< a fault rule cut the answer; one that asks for more octets than there are does not
  std::int64_t duration_ms = 0;
};

std::string to_json(const LogEntry& entry);

/// Sums over requests, by name: "requests", "requests.GetItem", "status.500", "code.ErrorServerBusy",
/// "during-back-off", "over-budget.sync-calls", "schema-violations", "token.client_credentials",
/// "token.refresh_token", "connections".
class Counters {
 public:
  void add(std::string_view name, std::uint64_t by = 1);
  std::uint64_t get(std::string_view name) const;
  void reset() { values_.clear(); }
  const std::map<std::string, std::uint64_t, std::less<>>& all() const noexcept { return values_; }

 private:
  std::map<std::string, std::uint64_t, std::less<>> values_;
};

class RequestLog {
 public:
  explicit RequestLog(std::size_t capacity) : capacity_(capacity) {}
  /// Also appends to this file from now on. Error: local, "cannot-write".
  syncline::Result<void> open_file(const std::string& path);
  std::uint64_t next_number() noexcept { return ++last_number_; }
  void add(LogEntry entry);
  /// Whether all that have arrived are finished: a client may have its answer a moment before.
  bool is_complete() const noexcept { return finished_ == last_number_; }
  void clear() { entries_.clear(); }

  /// Finished requests in the order they were finished; the oldest are dropped above the capacity.
  const std::deque<LogEntry>& entries() const noexcept { return entries_; }
  std::vector<LogEntry> with_operation(std::string_view operation) const;
  std::size_t count_of(std::string_view operation) const { return with_operation(operation).size(); }
  /// All schema violations seen, for "a violation is an error the test sees".
  std::vector<std::string> schema_violations() const;

 private:
  struct Close {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };
  std::size_t capacity_;
  std::uint64_t last_number_ = 0;
  std::uint64_t finished_ = 0;
  std::deque<LogEntry> entries_;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace exchange_sim
