// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "cli/command.hpp"

namespace syncline::cli {

/// `set` and `apply-defaults`, below `mailbox`.
void add_mailbox_edit(CLI::App& mailbox, Action& action);

}  // namespace syncline::cli
