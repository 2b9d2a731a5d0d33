// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Steps that several writes begin with.
#include "ews/driver/write.hpp"

namespace syncline::ews {

struct CreatedStep {
  ItemId item;
  bool is_new = false;  ///< made in this attempt: it has no attachments yet
};

/// CreateItem (SaveOnly, SendToNone) with the operation's mark, exactly once: into the order's folder, or the
/// kind's own. Copies that a slow request left go to `applied`. The journal knows the item from then on
/// ("id", "key").
Async<CreatedStep> ensure_created(Write& write, Item item, sync::Applied& applied);

}  // namespace syncline::ews
