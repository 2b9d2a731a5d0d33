// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// From the store to the server: what changed in the records becomes operations, each journalled before it is
// tried (invariant 6).
#include "sync/run_context.hpp"

namespace syncline::sync {

/// Makes the operations that this mailbox's records ask for. Returns how many were made.
Result<std::uint64_t> plan_outgoing(RunContext& context);

}  // namespace syncline::sync
