// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "base/error.hpp"

namespace syncline::sync {

/// Whether a mail host refused because it wants to be asked later: too much for it, or for what it allows
/// this user. Exchange says so to the budgets (net/budget.hpp), which keep and count its pauses themselves.
bool wants_a_pause(const Error& error) noexcept;

}  // namespace syncline::sync
