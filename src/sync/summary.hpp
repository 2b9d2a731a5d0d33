// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What a run did, by kind, and how far it is.
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "model/record.hpp"

namespace syncline::sync {

struct KindCounts {
  std::uint64_t came = 0;           ///< new records
  std::uint64_t changed_here = 0;   ///< records changed from the server
  std::uint64_t went = 0;           ///< items created, messages sent
  std::uint64_t changed_there = 0;  ///< items changed from records
  std::uint64_t removed_here = 0;
  std::uint64_t removed_there = 0;
  std::uint64_t unlinked = 0;
  std::uint64_t merged = 0;     ///< both sides had changed, different fields
  std::uint64_t conflicts = 0;  ///< both sides had changed one field
  std::uint64_t not_tracked = 0;
  std::uint64_t quarantined = 0;
  std::uint64_t refused = 0;  ///< writes that the server refused for good
};

struct MailboxSummary {
  std::array<KindCounts, 4> kinds = {};
  std::uint64_t pages = 0;
  std::uint64_t requests = 0;
  std::uint64_t waiting = 0;                              ///< operations that go on in a later run
  std::optional<SystemTime> next_attempt = std::nullopt;  ///< when the first of them may
  /// Until then the mail host wants none of them: it asked for the pause.
  std::optional<SystemTime> held_back_until = std::nullopt;
  std::uint64_t needs_person = 0;
  bool brake = false;                ///< too many deletes: stopped until `brake release`
  std::string taken_over_from = {};  ///< the organisation that had claimed the mailbox before

  KindCounts& of(model::RecordKind kind) { return kinds[static_cast<std::size_t>(kind)]; }
  const KindCounts& of(model::RecordKind kind) const { return kinds[static_cast<std::size_t>(kind)]; }
};

struct RunProgress {
  std::string phase;   ///< "reading", "writing"
  std::string folder;  ///< its name; empty while writing
  std::uint64_t done = 0;
  std::uint64_t total = 0;  ///< 0: not known
};
using OnProgress = std::function<void(const RunProgress&)>;

}  // namespace syncline::sync
