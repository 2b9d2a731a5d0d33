// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What a profile states that cannot all be done.
#include <optional>
#include <string>
#include <string_view>

#include "model/profile.hpp"

namespace syncline::service {

struct ProfileContradiction {
  std::string_view key;  ///< of profile_settings()
  std::string reason;
};

/// Incoming and outgoing said to be the same, and stated otherwise; credentials of their own for outgoing
/// connections to Exchange, which is signed in to once for both directions.
std::optional<ProfileContradiction> contradiction_in(const model::Profile& profile);

}  // namespace syncline::service
