// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// One folder, read to its end: from its cursor on, from a start date on first contact (invariant 15), from
// the beginning when the server takes the cursor no more; and the audit of what the feed may have
// missed.
#include "sync/run_context.hpp"

namespace syncline::sync {

Async<void> pull_folder(RunContext& context, const RemoteFolder& folder);

/// After all folders were read: those that are there no more, because they were deleted, or because the
/// mailbox lives on another server, where all have other ids. What their links point to is gone, or lives on
/// under another id: resolve_held_deletes finds out.
Result<void> leave_lost_folders(RunContext& context);

}  // namespace syncline::sync
