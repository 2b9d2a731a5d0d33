// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Carries journalled operations out, and settles those whose reply was lost (invariant 6).
#include "sync/run_context.hpp"

namespace syncline::sync {

struct OperationsResult {
  std::uint64_t done = 0;
  /// Links whose item has to be read and merged again: it had changed, or moved on meanwhile.
  std::vector<store::LinkId> look_again = {};
  /// When the earliest of those that wait may be tried; nullopt: none waits.
  std::optional<SystemTime> next_attempt = std::nullopt;
};

/// Every unfinished operation of the mailbox that may be tried now. Errors: of the mailbox as a whole.
Async<OperationsResult> run_operations(RunContext& context);

}  // namespace syncline::sync
