// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// An organisation with one mailbox on a server in memory, in virtual time: waiting moves the clock.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "memory_server.hpp"
#include "store/store.hpp"
#include "sync/mailbox_run.hpp"

namespace syncline::sync::testing {

class ManualClock final : public Clock {
 public:
  SystemTime now() const override { return now_; }
  SteadyTime steady_now() const override { return SteadyTime(now_.time_since_epoch()); }
  void advance(std::chrono::milliseconds span) { now_ += span; }

 private:
  SystemTime now_{std::chrono::sys_days(std::chrono::year(2026) / 1 / 5) + std::chrono::hours(8)};
};

/// Stops at the n-th durable write (from 0), before or after it.
class StopAt final : public store::DurableWrites {
 public:
  enum class Moment { before, after };
  StopAt(std::uint64_t nth, Moment moment) : nth_(nth), moment_(moment) {}
  Result<void> before(std::string_view what) override;
  Result<void> after(std::string_view what) override;
  bool stopped() const { return stopped_; }
  std::uint64_t seen() const { return seen_; }

 private:
  Result<void> stop(std::string_view what);
  std::uint64_t nth_;
  Moment moment_;
  std::uint64_t seen_ = 0;
  bool stopped_ = false;
};

/// A folder that goes with it; in memory where the machine has such a place.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class Organisation {
 public:
  Organisation(ManualClock& clock, MemoryServer& server, std::uint64_t seed = 1);

  /// Opens the store again, as a new process would.
  void reopen(store::DurableWrites* durable_writes = nullptr);
  Result<MailboxSummary> run(Fault fault = {});
  /// A run that must go well.
  MailboxSummary must_run(Fault fault = {});

  model::Record add(model::RecordKind kind, model::Fields fields);
  model::Record edit(model::RecordId id, const model::Fields& changes);
  void remove(model::RecordId id);
  std::vector<model::Record> records(model::RecordKind kind, bool deleted_too = false);
  model::Record only_record(model::RecordKind kind);
  std::vector<std::string> journal(const std::string& event);  ///< their reasons
  store::Store& store() { return *store_; }

  /// Records and links without ids and versions, sorted: what two organisations are compared by.
  std::string dump();

  MailboxSettings settings;
  RunOptions options;

 private:
  ManualClock& clock_;
  MemoryServer& server_;
  SeededRandom random_;
  ScratchFolder folder_;
  std::unique_ptr<store::Store> store_;
  std::optional<store::ContentStore> content_;
};

/// Folders with what stands in them, without ids, versions and marks.
std::string dump(const MemoryServer& server);

}  // namespace syncline::sync::testing
