// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Items that the feed says are gone: held until every folder was read past that page, then moved, unlinked or
// deleted (invariants 4 and 5); and the brake on mass deletes.
#include "sync/run_context.hpp"

namespace syncline::sync {

/// In the transaction of the page that says so.
Result<void> hold_delete(RunContext& context, store::Transaction& transaction, store::Link link);

/// When all folders were read to their end.
Async<void> resolve_held_deletes(RunContext& context);

/// Whether `deletes` more deletes in a mailbox with `linked` links are more than the policy lets pass unseen.
bool brakes(const model::SyncPolicy& policy, std::uint64_t deletes, std::uint64_t linked);
/// Stops deletes of this mailbox until a person releases the brake: alert, journal, setting.
Result<void> pull_brake(RunContext& context, store::Transaction& transaction, std::uint64_t deletes,
                        std::string_view where);
/// A person has released the brake since it was pulled.
Result<bool> brake_is_released(RunContext& context, store::Transaction& transaction);
/// A release serves one run: called at its end.
Result<void> end_brake_release(RunContext& context);

}  // namespace syncline::sync
