// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What a profile says of how each direction of a mail host is signed in to, as SASL wants to know it.
#include <string>
#include <vector>

#include "model/profile.hpp"

namespace syncline::service {

enum class Direction : std::uint8_t { incoming, outgoing };

/// The authentication protocol of a direction. Outgoing: its own; where none is stated the incoming one, as
/// long as both take the same method (NTLM of one says nothing about the OAuth of the other).
model::AuthenticationProtocol authentication_protocol(const model::Profile& profile, Direction direction);

/// The SASL mechanisms that a protocol allows; empty: all.
std::vector<std::string> mechanisms_of(model::AuthenticationProtocol protocol);

/// The kinds of secret of a direction, the first that is sealed counts. Outgoing mail may have a password of
/// its own, unless the profile says that both directions take the same.
std::vector<std::string> password_kinds(const model::Profile& profile, Direction direction);

}  // namespace syncline::service
