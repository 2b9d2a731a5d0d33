// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Our mark in a message (invariants 6 and 7).
#include <string_view>

namespace syncline::mail {

/// The header field that carries an operation's id: it survives a provider's new Message-ID.
inline constexpr std::string_view operation_header = "X-Syncline-Operation";

}  // namespace syncline::mail
