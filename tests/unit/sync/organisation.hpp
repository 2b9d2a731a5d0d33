// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// An organisation with one mailbox on a server in memory, in virtual time: waiting moves the clock.
#include <string>

#include "memory_server.hpp"
#include "tests/support/organisation_store.hpp"

namespace syncline::sync::testing {

class ManualClock final : public Clock {
 public:
  SystemTime now() const override { return now_; }
  SteadyTime steady_now() const override { return SteadyTime(now_.time_since_epoch()); }
  void advance(std::chrono::milliseconds span) { now_ += span; }

 private:
  SystemTime now_{std::chrono::sys_days(std::chrono::year(2026) / 1 / 5) + std::chrono::hours(8)};
};

class Organisation : public OrganisationStore {
 public:
  Organisation(ManualClock& clock, MemoryServer& server, std::uint64_t seed = 1);

  Result<MailboxSummary> run(Fault fault = {});
  /// A run that must go well.
  MailboxSummary must_run(Fault fault = {});

 private:
  ManualClock& clock_;
  MemoryServer& server_;
};

/// Folders with what stands in them, without ids, versions and marks.
std::string dump(const MemoryServer& server);

}  // namespace syncline::sync::testing
